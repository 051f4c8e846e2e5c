#include "db/gauges.h"

#include <nlohmann/json.hpp>

#include "db/json_rows.h"
#include "db/packing.h"
#include "db/raw_answers.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr Sql open_requests_sql{
    R"(select carrier, state, count(*), min(requested_at) from remito_requests
       where state in ('pending', 'sending', 'accepted', 'unknown', 'needs_operator')
       group by carrier, state order by carrier, state)"};

constexpr Sql unmapped_sql{R"(select carrier, count(*) from unmapped_codes group by carrier order by carrier)"};

constexpr Sql detections_sql{
    R"(select seq, carrier, to_status, occurred_at, detected_at,
              occurred_at is not null and date_only + inferred + late + backfill = 0
       from transitions where seq > :after_seq order by seq limit :limit)",
    R"(select seq, carrier, to_status, occurred_at, detected_at,
              cast(occurred_at is not null and not (date_only or inferred or late or backfill) as integer)
       from transitions where seq > :after_seq::bigint order by seq limit :limit::bigint)"};

constexpr Sql carriers_of_remito_sql{
    R"(select distinct carrier from shipments
       where carrier in (select value from json_each(:carriers)) and remito = :remito order by carrier)",
    R"(select distinct carrier from shipments
       where carrier in (select value from jsonb_array_elements_text(:carriers::jsonb)) and remito = :remito
       order by carrier)"};

constexpr Sql kept_answers_sql{
    R"(select operation, why, http_status, content_type, body, kept_at from raw_answers
       where carrier = :carrier and (remito = :remito or instr(asked, :needle) > 0)
       order by id desc limit :limit)",
    R"(select operation, why, http_status, content_type, body, kept_at from raw_answers
       where carrier = :carrier and (remito = :remito or position(:needle in asked) > 0)
       order by id desc limit :limit::bigint)"};

}  // namespace

DbResult<std::vector<OpenRequests>> open_requests(Session& session) {
  std::vector<OpenRequests> open;
  OpenRequests row;
  session.query(open_requests_sql, {}, {&row.carrier, &row.state, &row.requests, &row.oldest_requested_at},
                [&] { open.push_back(row); });
  return open;
}

DbResult<std::vector<UnmappedCount>> count_unmapped(Session& session) {
  std::vector<UnmappedCount> counts;
  UnmappedCount row;
  session.query(unmapped_sql, {}, {&row.carrier, &row.codes}, [&] { counts.push_back(row); });
  return counts;
}

DbResult<std::vector<Detection>> detections_after(Session& session, std::int64_t after_seq, std::size_t limit) {
  std::vector<Detection> detections;
  Detection row;
  session.query(detections_sql, {{"after_seq", after_seq}, {"limit", limit}},
                {&row.seq, &row.carrier, &row.to, &row.occurred_at, &row.detected_at, &row.says_when},
                [&] { detections.push_back(row); });
  return detections;
}

DbResult<std::vector<std::string>> carriers_of_remito(Session& session, std::span<const std::string> carriers,
                                                      std::string_view remito) {
  std::vector<std::string> found;
  std::string row;
  const std::string all = texts_parameter(carriers);
  session.query(carriers_of_remito_sql, {{"carriers", all}, {"remito", remito}}, {&row}, [&] { found.push_back(row); });
  return found;
}

DbResult<std::vector<KeptAnswer>> kept_answers(Session& session, std::string_view carrier, std::string_view remito,
                                               std::size_t limit) {
  std::vector<KeptAnswer> answers;
  KeptAnswer row;
  std::string packed;
  // As raw_answers.asked has it, which is JSON that this program wrote.
  const std::string needle = "\"remito\":" + to_parameter(nlohmann::json(std::string(remito)));
  session.query(kept_answers_sql, {{"carrier", carrier}, {"remito", remito}, {"needle", needle}, {"limit", limit}},
                {&row.operation, &row.why, &row.http_status, &row.content_type, &packed, &row.kept_at}, [&] {
                  row.body = unpack(packed, raw_body_bytes_max).value_or("(damaged)");
                  answers.push_back(row);
                });
  return answers;
}

}  // namespace remitod::db
