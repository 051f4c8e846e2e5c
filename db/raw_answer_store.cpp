// Answers that are kept for people and for a better profile.
#include <nlohmann/json.hpp>

#include "db/json_rows.h"
#include "db/packing.h"
#include "db/raw_answers.h"
#include "db/session.h"

namespace remitod::db {
namespace {

using nlohmann::json;

constexpr Sql keep_sql{
    R"(insert into raw_answers (carrier, operation, remito, why, http_status, content_type, body, kept_at, received_at,
                                asked, page_ends, request_id, whole, packed_bytes)
       select value ->> 'carrier', value ->> 'operation', value ->> 'remito', value ->> 'why',
              value ->> 'http_status', value ->> 'content_type', value ->> 'body', :now, value ->> 'received_at',
              value ->> 'asked', value ->> 'page_ends', value ->> 'request_id', value ->> 'whole',
              value ->> 'packed_bytes'
       from json_each(:answers) order by key)",
    R"(insert into raw_answers (carrier, operation, remito, why, http_status, content_type, body, kept_at, received_at,
                                asked, page_ends, request_id, whole, packed_bytes)
       select value ->> 'carrier', value ->> 'operation', value ->> 'remito', value ->> 'why',
              (value ->> 'http_status')::integer, value ->> 'content_type', value ->> 'body', :now::bigint,
              (value ->> 'received_at')::bigint, value ->> 'asked', value ->> 'page_ends',
              (value ->> 'request_id')::bigint, (value ->> 'whole')::boolean, (value ->> 'packed_bytes')::bigint
       from jsonb_array_elements(:answers::jsonb) with ordinality order by ordinality)"};

constexpr Sql trim_sql{
    R"(delete from raw_answers where id in (
         select id from (select id, sum(packed_bytes) over (partition by carrier order by id desc) as bytes
                         from raw_answers where carrier in (select value from json_each(:carriers))) as kept
         where bytes > :bytes_max))",
    R"(delete from raw_answers where id in (
         select id from (select id, sum(packed_bytes) over (partition by carrier order by id desc) as bytes
                         from raw_answers
                         where carrier in (select value from jsonb_array_elements_text(:carriers::jsonb))) as kept
         where bytes > :bytes_max::bigint))"};

#define ANSWER_COLUMNS                                                                       \
  "id, carrier, operation, remito, why, http_status, content_type, body, asked, page_ends, " \
  "coalesce(request_id, 0), received_at, cast(whole as integer) from raw_answers where carrier = :carrier"

constexpr Sql load_sql{"select " ANSWER_COLUMNS " order by id desc limit :limit",
                       "select " ANSWER_COLUMNS " order by id desc limit :limit::bigint"};

#define TO_BE_READ "operation in ('track', 'feed') and received_at >= :since"

constexpr Sql page_sql{"select " ANSWER_COLUMNS " and " TO_BE_READ
                       " and whole and id > :after_id and id <= :last_id order by id limit :limit",
                       "select " ANSWER_COLUMNS " and " TO_BE_READ
                       "::bigint and whole and id > :after_id::bigint and id <= :last_id::bigint "
                       "order by id limit :limit::bigint"};

constexpr Sql count_sql{
    "select coalesce(sum(cast(whole as integer)), 0), coalesce(sum(1 - cast(whole as integer)), 0), "
    "coalesce(max(id), 0) from raw_answers where carrier = :carrier and " TO_BE_READ,
    "select coalesce(sum(cast(whole as integer)), 0)::bigint, coalesce(sum(1 - cast(whole as integer)), 0)::bigint, "
    "coalesce(max(id), 0) from raw_answers where carrier = :carrier and " TO_BE_READ "::bigint"};
#undef TO_BE_READ
#undef ANSWER_COLUMNS

constexpr Sql shipments_at_sql{
    R"(select id, remito, coalesce(registered_at, accepted_at) from shipments
       where carrier = :carrier and remito in (select value from json_each(:remitos))
         and accepted_at <= :at and (ended_at is null or ended_at >= :at))",
    R"(select id, remito, coalesce(registered_at, accepted_at) from shipments
       where carrier = :carrier::text and remito in (select value from jsonb_array_elements_text(:remitos::jsonb))
         and accepted_at <= :at::bigint and (ended_at is null or ended_at >= :at::bigint))"};

constexpr Sql forget_explained_sql{
    R"(delete from unmapped_codes where carrier = :carrier and not exists (
         select 1 from tracking_events e join shipments s on s.id = e.shipment_id
         where e.status = 'unmapped' and e.code = unmapped_codes.code and s.carrier = :carrier))",
    R"(delete from unmapped_codes where carrier = :carrier::text and not exists (
         select 1 from tracking_events e join shipments s on s.id = e.shipment_id
         where e.status = 'unmapped' and e.code = unmapped_codes.code and s.carrier = :carrier::text))"};

json asked_json(const RawAnswer& answer) {
  json rows = json::array();
  for (const AskedShipment& asked : answer.asked)
    rows.push_back({{"shipment_id", asked.shipment_id},
                    {"remito", asked.remito},
                    {"registered_at", to_micros(asked.registered_at)}});
  return rows;
}

json answer_json(const RawAnswer& answer, Instant now) {
  const std::string packed = pack(std::string_view(answer.body).substr(0, raw_body_bytes_max));
  return {{"carrier", answer.carrier},
          {"operation", answer.operation},
          {"remito", storable(answer.remito)},
          {"why", storable(answer.why)},
          {"http_status", answer.http_status},
          {"content_type", storable(answer.content_type)},
          {"body", packed},
          {"received_at", to_micros(answer.received_at == Instant{} ? now : answer.received_at)},
          {"asked", to_parameter(asked_json(answer))},
          {"page_ends", json(answer.page_ends).dump()},
          {"request_id", answer.request_id == 0 ? json(nullptr) : json(answer.request_id)},
          {"whole", answer.whole && answer.body.size() <= raw_body_bytes_max ? 1 : 0},
          {"packed_bytes", packed.size()}};
}

/// Nothing: this program never wrote it.
std::optional<std::vector<AskedShipment>> parse_asked(const std::string& text) {
  const json rows = json::parse(text, nullptr, false);
  if (!rows.is_array()) return std::nullopt;
  std::vector<AskedShipment> asked;
  for (const json& row : rows) {
    if (!row.is_object() || !row.value("remito", json()).is_string()) return std::nullopt;
    const json id = row.value("shipment_id", json()), registered_at = row.value("registered_at", json());
    if (!id.is_number_integer() || !registered_at.is_number_integer()) return std::nullopt;
    asked.push_back(
        {id.get<std::int64_t>(), row["remito"].get<std::string>(), from_micros(registered_at.get<std::int64_t>())});
  }
  return asked;
}

std::optional<std::vector<std::size_t>> parse_page_ends(const std::string& text, std::size_t body_bytes) {
  const json numbers = json::parse(text, nullptr, false);
  if (!numbers.is_array()) return std::nullopt;
  std::vector<std::size_t> ends;
  for (const json& number : numbers) {
    if (!number.is_number_unsigned()) return std::nullopt;
    const auto end = number.get<std::size_t>();
    if (end > body_bytes || (!ends.empty() && end < ends.back())) return std::nullopt;
    ends.push_back(end);
  }
  return ends;
}

/// One row after another, as `sql` selects them; those that cannot be unpacked are counted.
struct AnswerReader {
  std::vector<RawAnswer> answers = {};
  std::int64_t last_id = 0;
  std::size_t damaged = 0;

  void read(Session& session, const Sql& sql, std::initializer_list<Parameter> parameters) {
    RawAnswer row;
    std::string packed, asked, page_ends;
    session.query(sql, parameters,
                  {&last_id, &row.carrier, &row.operation, &row.remito, &row.why, &row.http_status, &row.content_type,
                   &packed, &asked, &page_ends, &row.request_id, &row.received_at, &row.whole},
                  [&] { add(row, packed, asked, page_ends); });
  }

 private:
  void add(RawAnswer row, const std::string& packed, const std::string& asked, const std::string& page_ends) {
    auto body = unpack(packed, raw_body_bytes_max);
    auto shipments = parse_asked(asked);
    auto ends = body ? parse_page_ends(page_ends, row.whole ? body->size() : SIZE_MAX) : std::nullopt;
    if (!body || !shipments || !ends) {
      ++damaged;
      return;
    }
    row.body = *std::move(body);
    row.asked = *std::move(shipments);
    row.page_ends = *std::move(ends);
    answers.push_back(std::move(row));
  }
};

std::int64_t micros_or_none(std::optional<Instant> since) {
  return since ? to_micros(*since) : 0;
}

}  // namespace

void cut_to_kept(RawAnswer& answer) {
  if (answer.body.size() <= raw_body_bytes_max) return;
  answer.body.resize(raw_body_bytes_max);
  answer.whole = false;
}

DbResult<void> keep_raw_answers(Session& session, std::span<const RawAnswer> answers, Instant now) {
  if (answers.empty()) return {};
  json rows = json::array();
  for (const RawAnswer& answer : answers) rows.push_back(answer_json(answer, now));
  session.execute(keep_sql, {{"answers", to_parameter(rows)}, {"now", now}});
  return {};
}

DbResult<std::vector<RawAnswer>> load_raw_answers(Session& session, std::string_view carrier, std::size_t limit) {
  AnswerReader reader;
  reader.read(session, load_sql, {{"carrier", carrier}, {"limit", limit}});
  if (reader.damaged != 0)
    return std::unexpected(DbError{DbError::Kind::bug, "", "raw_answers holds what this program never wrote"});
  return std::move(reader.answers);
}

DbResult<std::size_t> trim_raw_answers(Session& session, std::span<const std::string> carriers,
                                       std::uint64_t bytes_max) {
  return static_cast<std::size_t>(
      session.execute(trim_sql, {{"carriers", texts_parameter(carriers)}, {"bytes_max", bytes_max}}));
}

DbResult<KeptAnswers> count_kept_answers(Session& session, std::string_view carrier, std::optional<Instant> since) {
  KeptAnswers kept;
  session.query_row(count_sql, {{"carrier", carrier}, {"since", micros_or_none(since)}},
                    {&kept.answers, &kept.not_whole, &kept.last_id});
  return kept;
}

DbResult<KeptPage> load_kept_answers(Session& session, std::string_view carrier, std::optional<Instant> since,
                                     std::int64_t after_id, std::int64_t last_id, std::size_t limit) {
  AnswerReader reader{.last_id = after_id};
  reader.read(session, page_sql,
              {{"carrier", carrier},
               {"since", micros_or_none(since)},
               {"after_id", after_id},
               {"last_id", last_id},
               {"limit", limit}});
  return KeptPage{std::move(reader.answers), reader.last_id, reader.damaged};
}

DbResult<std::vector<AskedShipment>> find_shipments_at(Session& session, std::string_view carrier,
                                                       std::span<const std::string> remitos, Instant at) {
  std::vector<AskedShipment> shipments;
  AskedShipment row;
  session.query(shipments_at_sql, {{"carrier", carrier}, {"remitos", texts_parameter(remitos)}, {"at", at}},
                {&row.shipment_id, &row.remito, &row.registered_at}, [&] { shipments.push_back(row); });
  return shipments;
}

DbResult<std::size_t> forget_explained_codes(Session& session, std::string_view carrier) {
  return static_cast<std::size_t>(session.execute(forget_explained_sql, {{"carrier", carrier}}));
}

}  // namespace remitod::db
