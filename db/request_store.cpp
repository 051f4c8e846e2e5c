// The queue of remito requests, up to the call: new rows are judged, due ones claimed, cut-off ones found. What became
// of a call is settle_requests.cpp.
#include "db/claimed_requests.h"
#include "db/json_rows.h"
#include "db/request_rules.h"
#include "db/request_transitions.h"
#include "db/session.h"
#include "db/stores.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace remitod::db {
namespace {

using nlohmann::json;

// One at a time: of two requests for the same parcels only one may be accepted, and neither would see the other's
// uncommitted row. The number is arbitrary, ours alone ("remito" on a telephone keypad).
constexpr Sql lock_acceptance_sql{"", "select pg_advisory_xact_lock(736486)"};

constexpr Sql new_requests_sql{
    R"(select id, request_key, order_number, parcel_group, carrier, payload
       from remito_requests where accepted_at is null order by id limit :limit)",
    R"(select id, request_key, order_number, parcel_group, carrier, payload
       from remito_requests where accepted_at is null order by id limit :limit::bigint for update skip locked)"};

constexpr Sql active_requests_sql{
    R"(select r.request_key, r.order_number, r.parcel_group, r.state
       from remito_requests r left join shipments s on s.id = r.shipment_id
       where (r.order_number, r.parcel_group) in
               (select value ->> 'order_number', value ->> 'parcel_group' from json_each(:parcels))
         and r.accepted_at is not null
         and (r.state in ('pending', 'sending', 'accepted', 'unknown', 'needs_operator')
              or (r.state = 'granted' and s.ended_at is null and s.status <> 'cancelled'))
       order by r.id)",
    R"(select r.request_key, r.order_number, r.parcel_group, r.state
       from remito_requests r left join shipments s on s.id = r.shipment_id
       where (r.order_number, r.parcel_group) in
               (select order_number, parcel_group
                from jsonb_to_recordset(:parcels::jsonb) as p (order_number text, parcel_group integer))
         and r.accepted_at is not null
         and (r.state in ('pending', 'sending', 'accepted', 'unknown', 'needs_operator')
              or (r.state = 'granted' and s.ended_at is null and s.status <> 'cancelled'))
       order by r.id)"};

constexpr Sql accept_sql{
    R"(update remito_requests
       set accepted_at = :now, client_ref = d.client_ref, state = d.state, refusal_code = d.refusal_code,
           refusal_text = d.refusal_text, settled_at = case d.state when 'refused' then :now end
       from (select value ->> 'id' as id, value ->> 'client_ref' as client_ref, value ->> 'state' as state,
                    value ->> 'refusal_code' as refusal_code, value ->> 'refusal_text' as refusal_text
             from json_each(:decisions)) as d
       where remito_requests.id = d.id and accepted_at is null)",
    R"(update remito_requests
       set accepted_at = :now::bigint, client_ref = d.client_ref, state = d.state, refusal_code = d.refusal_code,
           refusal_text = d.refusal_text, settled_at = case d.state when 'refused' then :now::bigint end
       from jsonb_to_recordset(:decisions::jsonb)
              as d (id bigint, client_ref text, state text, refusal_code text, refusal_text text)
       where remito_requests.id = d.id and accepted_at is null)"};

// SQLite takes a partial index only where the index's own condition is written out: without it, each sweep would read
// all requests that ever were.
constexpr Sql refuse_unknown_carriers_sql{
    R"(update remito_requests
       set state = 'refused', refusal_code = :code, settled_at = :now, retry_at = null,
           refusal_text = 'no carrier ''' || carrier || ''' takes remito requests here; ' || :hint
       where state in ('pending', 'sending') and state = 'pending' and accepted_at is not null
         and carrier not in (select value from json_each(:known))
       returning id)",
    R"(update remito_requests
       set state = 'refused', refusal_code = :code::text, settled_at = :now::bigint, retry_at = null,
           refusal_text = 'no carrier ''' || carrier || ''' takes remito requests here; ' || :hint::text
       where state = 'pending' and accepted_at is not null
         and carrier not in (select value from jsonb_array_elements_text(:known::jsonb))
       returning id)"};

constexpr Sql claim_sql{
    R"(update remito_requests
       set state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1,
           lease_expires_at = :lease_expires_at, retry_at = null, refusal_code = '', refusal_text = '',
           first_sent_at = coalesce(first_sent_at, :now)
       where id in (select id from remito_requests
                    where state in ('pending', 'sending') and state = 'pending'
                      and coalesce(retry_at, accepted_at) <= :now
                      and carrier in (select value from json_each(:carriers))
                      and (not :numbered_only or proposed_remito <> '')
                    order by id limit :limit)
       returning id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)",
    R"(with due as (
         select id from remito_requests
         where state = 'pending' and coalesce(retry_at, accepted_at) <= :now::bigint
           and carrier in (select value from jsonb_array_elements_text(:carriers::jsonb))
           and (:numbered_only::bigint = 0 or proposed_remito <> '')
         order by id limit :limit::bigint for update skip locked)
       update remito_requests r
       set state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1,
           lease_expires_at = :lease_expires_at::bigint, retry_at = null, refusal_code = '', refusal_text = '',
           first_sent_at = coalesce(first_sent_at, :now::bigint)
       from due where r.id = due.id
       returning r.id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)"};

constexpr Sql propose_sql{
    R"(update remito_requests set proposed_remito = p.remito
       from (select value ->> 'id' as id, value ->> 'fencing_token' as fencing_token, value ->> 'remito' as remito
             from json_each(:proposed)) as p
       where remito_requests.id = p.id and remito_requests.state = 'sending'
         and remito_requests.fencing_token = p.fencing_token)",
    R"(update remito_requests r set proposed_remito = p.remito
       from jsonb_to_recordset(:proposed::jsonb) as p (id bigint, fencing_token bigint, remito text)
       where r.id = p.id and r.state = 'sending' and r.fencing_token = p.fencing_token)"};

// On PostgreSQL the process that made the call may live on for a while on another machine, cut off from the database:
// its call ends with its lease.
constexpr Sql mark_interrupted_sql{
    R"(update remito_requests
       set state = 'unknown', lease_expires_at = null, unclear_at = :now, unclear_calls = unclear_calls + 1, looks = 0,
           refusal_code = 'interrupted', refusal_text = 'attempt ' || attempts || ' was found cut off at ' || :found_at
                          || ': the carrier may have made a shipment or not'
       where state in ('pending', 'sending') and state = 'sending')",
    R"(update remito_requests
       set state = 'unknown', unclear_at = greatest(:now::bigint, lease_expires_at), lease_expires_at = null,
           unclear_calls = unclear_calls + 1, looks = 0, refusal_code = 'interrupted',
           refusal_text = 'attempt ' || attempts || ' was found cut off at ' || :found_at::text
                          || ': the carrier may have made a shipment or not'
       where state = 'sending')"};

constexpr Sql decide_anew_sql{
    "update remito_requests set next_step = '', retry_at = null, fencing_token = fencing_token + 1 "
    "where state = 'unknown'"};

constexpr Sql next_due_sql{
    "select min(coalesce(retry_at, accepted_at)) from remito_requests "
    "where state in ('pending', 'sending') and state = 'pending' "
    "and (proposed_remito <> '' or carrier not in (select value from json_each(:waiting)))",
    "select min(coalesce(retry_at, accepted_at)) from remito_requests "
    "where state = 'pending' "
    "and (proposed_remito <> '' or carrier not in (select value from jsonb_array_elements_text(:waiting::jsonb)))"};

constexpr Sql carriers_due_sql{
    R"(select carrier from remito_requests
       where state in ('pending', 'sending') and state = 'pending' and coalesce(retry_at, accepted_at) <= :now
       union select carrier from remito_requests where state = 'unknown' and retry_at <= :now
       union select carrier from remito_requests where state = 'accepted' and confirm_at <= :now)",
    R"(select carrier from remito_requests
       where state = 'pending' and coalesce(retry_at, accepted_at) <= :now::bigint
       union select carrier from remito_requests where state = 'unknown' and retry_at <= :now::bigint
       union select carrier from remito_requests where state = 'accepted' and confirm_at <= :now::bigint)"};

std::vector<NewRequest> read_new_requests(Session& session, std::size_t limit) {
  std::vector<NewRequest> requests;
  NewRequest row;
  session.query(new_requests_sql, {{"limit", limit}},
                {&row.request_id, &row.request_key, &row.order_number, &row.parcel_group, &row.carrier, &row.payload},
                [&] { requests.push_back(row); });
  return requests;
}

std::vector<ActiveRequest> read_active_requests(Session& session, std::span<const NewRequest> for_parcels_of) {
  json parcels = json::array();
  for (const NewRequest& request : for_parcels_of)
    parcels.push_back({{"order_number", request.order_number}, {"parcel_group", request.parcel_group}});
  std::vector<ActiveRequest> active;
  ActiveRequest row;
  session.query(active_requests_sql, {{"parcels", to_parameter(parcels)}},
                {&row.request_key, &row.order_number, &row.parcel_group, &row.state}, [&] { active.push_back(row); });
  return active;
}

std::string hint_of(std::span<const std::string> known_carriers) {
  if (known_carriers.empty()) return "none is configured";
  std::string hint = "these do: ";
  for (const std::string& carrier : known_carriers)
    hint += (&carrier == known_carriers.data() ? "" : ", ") + storable(carrier);
  return hint;
}

}  // namespace

DbResult<std::size_t> accept_new_requests(Session& session, Instant now, std::size_t limit) {
  if (session.engine() == DatabaseUrl::Engine::postgresql) session.execute(lock_acceptance_sql);
  const std::vector<NewRequest> requests = read_new_requests(session, limit);
  if (requests.empty()) return 0;

  json rows = json::array();
  std::vector<std::int64_t> refused;
  for (const Acceptance& decision : decide(requests, read_active_requests(session, requests))) {
    const Refusal refusal = decision.refusal.value_or(Refusal{"", "", false});
    rows.push_back({{"id", decision.request_id},
                    {"client_ref", decision.client_ref},
                    {"state", decision.refusal ? "refused" : "pending"},
                    {"refusal_code", refusal.code},
                    {"refusal_text", refusal.text}});
    if (refusal.moves_order) refused.push_back(decision.request_id);
  }
  session.execute(accept_sql, {{"decisions", to_parameter(rows)}, {"now", now}});
  insert_request_transitions(session, refused, now);
  return requests.size();
}

DbResult<std::size_t> refuse_unknown_carriers(Session& session, std::span<const std::string> known_carriers,
                                              Instant now) {
  std::vector<std::int64_t> refused;
  std::int64_t id = 0;
  session.query(refuse_unknown_carriers_sql,
                {{"known", texts_parameter(known_carriers)},
                 {"hint", hint_of(known_carriers)},
                 {"code", refusal_unknown_carrier},
                 {"now", now}},
                {&id}, [&] { refused.push_back(id); });
  insert_request_transitions(session, refused, now);
  return refused.size();
}

DbResult<std::vector<RemitoRequest>> claim_requests(Session& session, std::span<const std::string> carriers,
                                                    Instant now, Instant lease_expires_at, std::size_t limit,
                                                    bool numbered_only) {
  return query_claimed(session, claim_sql,
                       {{"carriers", texts_parameter(carriers)},
                        {"now", now},
                        {"lease_expires_at", lease_expires_at},
                        {"numbered_only", numbered_only},
                        {"limit", limit}});
}

DbResult<void> propose_remitos(Session& session, std::span<const RemitoRequest> requests) {
  json rows = json::array();
  for (const RemitoRequest& request : requests)
    rows.push_back({{"id", request.request_id},
                    {"fencing_token", request.fencing_token},
                    {"remito", storable(request.proposed_remito)}});
  if (!rows.empty()) session.execute(propose_sql, {{"proposed", to_parameter(rows)}});
  return {};
}

DbResult<std::size_t> mark_interrupted_requests(Session& session, Instant now) {
  const std::int64_t interrupted = session.execute(mark_interrupted_sql, {{"found_at", to_iso8601(now)}, {"now", now}});
  session.execute(decide_anew_sql);
  return static_cast<std::size_t>(interrupted);
}

DbResult<std::optional<Instant>> next_request_due(Session& session, std::span<const std::string> except) {
  std::optional<Instant> due;
  session.query_row(next_due_sql, {{"waiting", texts_parameter(except)}}, {&due});
  return due;
}

DbResult<std::set<std::string>> carriers_with_due_requests(Session& session, Instant now) {
  std::set<std::string> carriers;
  std::string carrier;
  session.query(carriers_due_sql, {{"now", now}}, {&carrier}, [&] { carriers.insert(carrier); });
  return carriers;
}

}  // namespace remitod::db
