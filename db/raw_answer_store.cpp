// Answers that are kept for people and for a better profile.
#include "db/json_rows.h"
#include "db/packing.h"
#include "db/session.h"
#include "db/stores.h"

#include <nlohmann/json.hpp>

#include <set>

namespace remitod::db {
namespace {

using nlohmann::json;

constexpr Sql keep_sql{
    R"(insert into raw_answers (carrier, operation, remito, why, http_status, content_type, body, kept_at)
       select value ->> 'carrier', value ->> 'operation', value ->> 'remito', value ->> 'why',
              value ->> 'http_status', value ->> 'content_type', value ->> 'body', :now
       from json_each(:answers) order by key)",
    R"(insert into raw_answers (carrier, operation, remito, why, http_status, content_type, body, kept_at)
       select value ->> 'carrier', value ->> 'operation', value ->> 'remito', value ->> 'why',
              (value ->> 'http_status')::integer, value ->> 'content_type', value ->> 'body', :now::bigint
       from jsonb_array_elements(:answers::jsonb) with ordinality order by ordinality)"};

constexpr Sql forget_oldest_sql{
    R"(delete from raw_answers where id in (
         select id from (select id, row_number() over (partition by carrier order by id desc) as age
                         from raw_answers where carrier in (select value from json_each(:carriers))) as kept
         where age > :kept_max))",
    R"(delete from raw_answers where id in (
         select id from (select id, row_number() over (partition by carrier order by id desc) as age
                         from raw_answers
                         where carrier in (select value from jsonb_array_elements_text(:carriers::jsonb))) as kept
         where age > :kept_max::bigint))"};

constexpr Sql load_sql{
    R"(select carrier, operation, remito, why, http_status, content_type, body
       from raw_answers where carrier = :carrier order by id desc limit :limit)",
    R"(select carrier, operation, remito, why, http_status, content_type, body
       from raw_answers where carrier = :carrier order by id desc limit :limit::bigint)"};

}  // namespace

DbResult<void> keep_raw_answers(Session& session, std::span<const RawAnswer> answers, Instant now) {
  if (answers.empty()) return {};
  json rows = json::array();
  std::set<std::string> carriers;
  for (const RawAnswer& answer : answers) {
    carriers.insert(answer.carrier);
    rows.push_back({{"carrier", answer.carrier},
                    {"operation", answer.operation},
                    {"remito", storable(answer.remito)},
                    {"why", storable(answer.why)},
                    {"http_status", answer.http_status},
                    {"content_type", storable(answer.content_type)},
                    {"body", pack(std::string_view(answer.body).substr(0, raw_body_bytes_max))}});
  }
  session.execute(keep_sql, {{"answers", to_parameter(rows)}, {"now", now}});
  const std::vector<std::string> touched(carriers.begin(), carriers.end());
  session.execute(forget_oldest_sql, {{"carriers", texts_parameter(touched)}, {"kept_max", raw_answers_max}});
  return {};
}

DbResult<std::vector<RawAnswer>> load_raw_answers(Session& session, std::string_view carrier, std::size_t limit) {
  std::vector<RawAnswer> answers;
  bool damaged = false;
  RawAnswer row;
  std::string packed;
  session.query(load_sql, {{"carrier", carrier}, {"limit", limit}},
                {&row.carrier, &row.operation, &row.remito, &row.why, &row.http_status, &row.content_type, &packed},
                [&] {
                  std::optional<std::string> body = unpack(packed, raw_body_bytes_max);
                  damaged = damaged || !body;
                  row.body = body.value_or("");
                  answers.push_back(row);
                });
  if (damaged)
    return std::unexpected(DbError{DbError::Kind::bug, "", "raw_answers.body holds what this program never wrote"});
  return answers;
}

}  // namespace remitod::db
