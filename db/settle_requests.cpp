// What became of claimed requests: the one place where a remito becomes a shipment and an order ready to ship.
#include "db/json_rows.h"
#include "db/request_transitions.h"
#include "db/session.h"
#include "db/stores.h"

#include <nlohmann/json.hpp>

#include <map>

namespace remitod::db {
namespace {

using nlohmann::json;
using Kind = RequestOutcome::Kind;

// Locks the rows in the order of their ids, so that two settlements cannot wait for each other.
constexpr Sql still_ours_sql{
    R"(select r.id, r.carrier
       from json_each(:outcomes) as o
       join remito_requests r on r.id = o.value ->> 'id' and r.fencing_token = o.value ->> 'fencing_token'
       where r.state = 'sending' order by r.id)",
    R"(select r.id, r.carrier
       from jsonb_to_recordset(:outcomes::jsonb) as o (id bigint, fencing_token bigint)
       join remito_requests r on r.id = o.id and r.fencing_token = o.fencing_token
       where r.state = 'sending' order by r.id for update of r)"};

// The partial unique index over open shipments decides whether the remito is in use; such rows are missing from what
// is returned. (SQLite wants a WHERE in front of ON CONFLICT, or takes it for a join's ON.)
constexpr Sql insert_shipments_sql{
    R"(insert into shipments (order_number, parcel_group, carrier, remito, registered_at, accepted_at, request_id,
                              cycle)
       select r.order_number, r.parcel_group, r.carrier, g.value ->> 'remito', :now, :now, r.id,
              1 + coalesce((select max(cycle) from shipments s
                            where s.carrier = r.carrier and s.remito = g.value ->> 'remito'), 0)
       from json_each(:granted) as g join remito_requests r on r.id = g.value ->> 'id'
       where true order by r.id
       on conflict do nothing
       returning id, request_id)",
    R"(insert into shipments (order_number, parcel_group, carrier, remito, registered_at, accepted_at, request_id,
                              cycle)
       select r.order_number, r.parcel_group, r.carrier, g.remito, :now::bigint, :now::bigint, r.id,
              1 + coalesce((select max(cycle) from shipments s
                            where s.carrier = r.carrier and s.remito = g.remito), 0)
       from jsonb_to_recordset(:granted::jsonb) as g (id bigint, remito text) join remito_requests r on r.id = g.id
       order by r.id
       on conflict do nothing
       returning id, request_id)"};

constexpr Sql settle_sql{
    R"(update remito_requests
       set state = o.state, remito = o.remito, shipment_id = o.shipment_id, refusal_code = o.refusal_code,
           refusal_text = o.refusal_text, request_hash = o.request_hash, retry_at = o.retry_at,
           lease_expires_at = null, settled_at = case when o.state in ('granted', 'refused') then :now end
       from (select value ->> 'id' as id, value ->> 'fencing_token' as fencing_token, value ->> 'state' as state,
                    value ->> 'remito' as remito, value ->> 'shipment_id' as shipment_id,
                    value ->> 'refusal_code' as refusal_code, value ->> 'refusal_text' as refusal_text,
                    value ->> 'request_hash' as request_hash, value ->> 'retry_at' as retry_at
             from json_each(:settled)) as o
       where remito_requests.id = o.id and remito_requests.state = 'sending'
         and remito_requests.fencing_token = o.fencing_token)",
    R"(update remito_requests r
       set state = o.state, remito = o.remito, shipment_id = o.shipment_id, refusal_code = o.refusal_code,
           refusal_text = o.refusal_text, request_hash = o.request_hash, retry_at = o.retry_at,
           lease_expires_at = null, settled_at = case when o.state in ('granted', 'refused') then :now::bigint end
       from jsonb_to_recordset(:settled::jsonb)
              as o (id bigint, fencing_token bigint, state text, remito text, shipment_id bigint, refusal_code text,
                    refusal_text text, request_hash text, retry_at bigint)
       where r.id = o.id and r.state = 'sending' and r.fencing_token = o.fencing_token)"};

/// The requests that are still ours, with their carriers.
std::map<std::int64_t, std::string> read_still_ours(Session& session, std::span<const RequestOutcome> outcomes) {
  json rows = json::array();
  for (const RequestOutcome& outcome : outcomes)
    rows.push_back({{"id", outcome.request_id}, {"fencing_token", outcome.fencing_token}});
  std::map<std::int64_t, std::string> ours;
  std::int64_t id = 0;
  std::string carrier;
  session.query(still_ours_sql, {{"outcomes", to_parameter(rows)}}, {&id, &carrier}, [&] { ours[id] = carrier; });
  return ours;
}

/// Shipment ids by request id; a request is missing where its remito is in use.
std::map<std::int64_t, std::int64_t> insert_shipments(Session& session, const json& granted, Instant now) {
  std::map<std::int64_t, std::int64_t> shipments;
  if (granted.empty()) return shipments;
  std::int64_t shipment_id = 0, request_id = 0;
  session.query(insert_shipments_sql, {{"granted", to_parameter(granted)}, {"now", now}}, {&shipment_id, &request_id},
                [&] { shipments[request_id] = shipment_id; });
  return shipments;
}

/// The remito of a granted outcome as it is stored; empty where there is none.
std::string granted_remito(const RequestOutcome& outcome) {
  return outcome.kind == Kind::granted ? storable(outcome.remito) : std::string{};
}

/// How a request's row reads after its outcome; `shipment_id` is absent unless a shipment was made.
json settled_row(const RequestOutcome& outcome, std::optional<std::int64_t> shipment_id) {
  json row{{"id", outcome.request_id},
           {"fencing_token", outcome.fencing_token},
           {"state", "unknown"},
           {"remito", ""},
           {"shipment_id", nullptr},
           {"refusal_code", storable(outcome.code)},
           {"refusal_text", storable(outcome.text)},
           {"request_hash", outcome.request_hash},
           {"retry_at", nullptr}};
  switch (outcome.kind) {
    case Kind::granted:
      if (shipment_id) {
        row.update({{"state", "granted"},
                    {"remito", granted_remito(outcome)},
                    {"shipment_id", *shipment_id},
                    {"refusal_code", ""},
                    {"refusal_text", ""}});
      } else if (granted_remito(outcome).empty()) {
        row.update({{"refusal_code", "no_remito"}, {"refusal_text", "the carrier granted it without a remito"}});
      } else {
        row.update({{"refusal_code", "remito_in_use"},
                    {"refusal_text", "the carrier gave remito " + granted_remito(outcome) +
                                         ", which another open shipment of this carrier has"}});
      }
      break;
    case Kind::refused:
      row["state"] = "refused";
      break;
    case Kind::unknown:
      break;
    case Kind::unsent:
      row.update({{"state", "pending"}, {"retry_at", to_micros(outcome.retry_at)}});
      break;
  }
  return row;
}

}  // namespace

DbResult<std::vector<SettledRequest>> settle_requests(Session& session, std::span<const RequestOutcome> outcomes,
                                                      Instant now) {
  const std::map<std::int64_t, std::string> ours = read_still_ours(session, outcomes);
  json granted = json::array();
  for (const RequestOutcome& outcome : outcomes)
    if (const std::string remito = granted_remito(outcome); !remito.empty() && ours.contains(outcome.request_id))
      granted.push_back({{"id", outcome.request_id}, {"remito", remito}});
  const std::map<std::int64_t, std::int64_t> shipments = insert_shipments(session, granted, now);

  std::vector<SettledRequest> results;
  std::vector<std::int64_t> settled_ids;
  json rows = json::array();
  for (const RequestOutcome& outcome : outcomes) {
    SettledRequest& result = results.emplace_back();
    result.request_id = outcome.request_id;
    const auto request = ours.find(outcome.request_id);
    result.stale = request == ours.end();
    if (result.stale) continue;
    std::optional<std::int64_t> shipment_id;
    if (const auto shipment = shipments.find(outcome.request_id); shipment != shipments.end()) {
      shipment_id = shipment->second;
      result.shipment = OpenShipment{*shipment_id, request->second, granted_remito(outcome), now};
    }
    result.remito_in_use = !shipment_id && !granted_remito(outcome).empty();
    rows.push_back(settled_row(outcome, shipment_id));
    settled_ids.push_back(outcome.request_id);
  }
  if (rows.empty()) return results;
  session.execute(settle_sql, {{"settled", to_parameter(rows)}, {"now", now}});
  insert_request_transitions(session, settled_ids, now);
  return results;
}

}  // namespace remitod::db
