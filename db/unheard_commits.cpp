#include "db/unheard_commits.h"

#include "db/json_rows.h"
#include "db/session.h"

namespace remitod::db {
namespace {

constexpr Sql accepted_since_sql{
    "select id, carrier, remito, coalesce(registered_at, accepted_at) from shipments "
    "where ended_at is null and accepted_at >= :since order by id"};
constexpr Sql give_up_claims_sql{
    R"(update remito_requests
       set state = 'unknown', lease_expires_at = null, unclear_at = :now, unclear_calls = unclear_calls + 1, looks = 0,
           refusal_code = 'interrupted', refusal_text = 'attempt ' || attempts || ' was found cut off at ' || :found_at
                          || ': the carrier may have made a shipment or not'
       where state in ('pending', 'sending') and state = 'sending' and lease_expires_at < :now
         and id not in (select value from json_each(:working_on))
       returning id)",
    R"(update remito_requests
       set state = 'unknown', lease_expires_at = null, unclear_at = :now::bigint, unclear_calls = unclear_calls + 1,
           looks = 0, refusal_code = 'interrupted',
           refusal_text = 'attempt ' || attempts || ' was found cut off at ' || :found_at::text
                          || ': the carrier may have made a shipment or not'
       where state = 'sending' and lease_expires_at < :now::bigint
         and id not in (select value::bigint from jsonb_array_elements_text(:working_on::jsonb))
       returning id)"};
constexpr Sql ended_since_sql{"select id from shipments where carrier = :carrier and ended_at >= :since order by id"};

}  // namespace

DbResult<std::vector<OpenShipment>> shipments_accepted_since(Session& session, Instant since) {
  std::vector<OpenShipment> accepted;
  OpenShipment row;
  session.query(accepted_since_sql, {{"since", since}},
                {&row.shipment_id, &row.carrier, &row.remito, &row.registered_at}, [&] { accepted.push_back(row); });
  return accepted;
}

DbResult<std::vector<std::int64_t>> give_up_unheard_claims(Session& session, std::span<const std::int64_t> working_on,
                                                           Instant now) {
  std::vector<std::int64_t> given_up;
  std::int64_t id = 0;
  session.query(give_up_claims_sql,
                {{"found_at", to_iso8601(now)}, {"now", now}, {"working_on", ids_parameter(working_on)}}, {&id},
                [&] { given_up.push_back(id); });
  return given_up;
}

DbResult<std::vector<std::int64_t>> shipments_ended_since(Session& session, std::string_view carrier, Instant since) {
  std::vector<std::int64_t> ended;
  std::int64_t id = 0;
  session.query(ended_since_sql, {{"carrier", carrier}, {"since", since}}, {&id}, [&] { ended.push_back(id); });
  return ended;
}

}  // namespace remitod::db
