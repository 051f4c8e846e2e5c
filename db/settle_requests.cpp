// What became of claimed requests: the one place where a remito becomes a shipment and an order ready to ship.
#include "db/json_rows.h"
#include "db/request_transitions.h"
#include "db/session.h"
#include "db/stores.h"

#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <utility>

namespace remitod::db {
namespace {

using nlohmann::json;
using Kind = RequestOutcome::Kind;

// Locks the rows in the order of their ids, so that two settlements cannot wait for each other. A claim of any kind,
// of a call (sending) or of a look (accepted, unknown), has a token of its own.
constexpr Sql still_ours_sql{
    R"(select r.id, r.fencing_token, r.carrier
       from json_each(:outcomes) as o
       join remito_requests r on r.id = o.value ->> 'id' and r.fencing_token = o.value ->> 'fencing_token'
       where r.state in ('sending', 'accepted', 'unknown') order by r.id)",
    R"(select r.id, r.fencing_token, r.carrier
       from jsonb_to_recordset(:outcomes::jsonb) as o (id bigint, fencing_token bigint)
       join remito_requests r on r.id = o.id and r.fencing_token = o.fencing_token
       where r.state in ('sending', 'accepted', 'unknown') order by r.id for update of r)"};

// The partial unique index over open shipments decides whether the remito is in use; such rows are missing from what
// is returned. The carrier may have registered it as early as the first call that may have made it began, days before
// we learn of it: what has happened since is this shipment's. (SQLite wants a WHERE in front of ON CONFLICT, or takes
// it for a join's ON.)
constexpr Sql insert_shipments_sql{
    R"(insert into shipments (order_number, parcel_group, carrier, remito, registered_at, accepted_at, request_id,
                              cycle)
       select r.order_number, r.parcel_group, r.carrier, g.value ->> 'remito',
              coalesce(r.first_sent_at, :now), :now, r.id,
              1 + coalesce((select max(cycle) from shipments s
                            where s.carrier = r.carrier and s.remito = g.value ->> 'remito'), 0)
       from json_each(:granted) as g join remito_requests r on r.id = g.value ->> 'id'
       where true order by r.id
       on conflict do nothing
       returning id, request_id, registered_at)",
    R"(insert into shipments (order_number, parcel_group, carrier, remito, registered_at, accepted_at, request_id,
                              cycle)
       select r.order_number, r.parcel_group, r.carrier, g.remito, coalesce(r.first_sent_at, :now::bigint),
              :now::bigint, r.id,
              1 + coalesce((select max(cycle) from shipments s
                            where s.carrier = r.carrier and s.remito = g.remito), 0)
       from jsonb_to_recordset(:granted::jsonb) as g (id bigint, remito text) join remito_requests r on r.id = g.id
       order by r.id
       on conflict do nothing
       returning id, request_id, registered_at)"};

// What the carrier had given for the same order before. `ended`: of a shipment that has ended, too.
constexpr Sql given_before_sql{
    R"(select r.id
       from json_each(:granted) as g join remito_requests r on r.id = g.value ->> 'id'
       where exists (select 1 from shipments s
                     where s.carrier = r.carrier and s.remito = g.value ->> 'remito' and s.order_number = r.order_number
                       and (s.status = 'cancelled' or (g.value ->> 'ended' and s.ended_at is not null))))",
    R"(select r.id
       from jsonb_to_recordset(:granted::jsonb) as g (id bigint, remito text, ended boolean)
       join remito_requests r on r.id = g.id
       where exists (select 1 from shipments s
                     where s.carrier = r.carrier and s.remito = g.remito and s.order_number = r.order_number
                       and (s.status = 'cancelled' or (g.ended and s.ended_at is not null))))"};

constexpr Sql end_cancelled_sql{
    R"(update shipments set ended_at = :now
       from (select r.carrier, g.value ->> 'remito' as remito
             from json_each(:granted) as g join remito_requests r on r.id = g.value ->> 'id') as again
       where shipments.carrier = again.carrier and shipments.remito = again.remito
         and shipments.ended_at is null and shipments.status = 'cancelled'
       returning id, carrier, remito)",
    R"(update shipments s set ended_at = :now::bigint
       from jsonb_to_recordset(:granted::jsonb) as g (id bigint, remito text) join remito_requests r on r.id = g.id
       where s.carrier = r.carrier and s.remito = g.remito and s.ended_at is null and s.status = 'cancelled'
       returning s.id, s.carrier, s.remito)"};

// `forget`: no call so far has made a shipment. `unclear`: a call has just ended without a clear answer.
constexpr Sql settle_sql{
    R"(update remito_requests
       set state = o.state, remito = o.remito, shipment_id = o.shipment_id,
           refusal_code = coalesce(o.refusal_code, remito_requests.refusal_code),
           refusal_text = coalesce(o.refusal_text, remito_requests.refusal_text),
           request_hash = coalesce(o.request_hash, remito_requests.request_hash),
           retry_at = o.retry_at, next_step = o.next_step,
           proposed_remito = coalesce(o.proposed_remito, remito_requests.proposed_remito), confirm_at = o.confirm_at,
           confirm_until = case when o.state in ('accepted', 'unknown')
                                then coalesce(o.confirm_until, remito_requests.confirm_until) end,
           first_sent_at = case when not o.forget then first_sent_at end,
           unclear_at = case when o.unclear then :now when not o.forget then unclear_at end,
           unclear_calls = unclear_calls + o.unclear, numbers_refused = numbers_refused + o.number_refused,
           looks = case when o.forget or o.unclear then 0 else looks end,
           lease_expires_at = null, settled_at = case when o.state in ('granted', 'refused') then :now end
       from (select value ->> 'id' as id, value ->> 'fencing_token' as fencing_token, value ->> 'state' as state,
                    value ->> 'remito' as remito, value ->> 'shipment_id' as shipment_id,
                    value ->> 'refusal_code' as refusal_code, value ->> 'refusal_text' as refusal_text,
                    value ->> 'request_hash' as request_hash, value ->> 'retry_at' as retry_at,
                    value ->> 'next_step' as next_step, value ->> 'forget' as forget, value ->> 'unclear' as unclear,
                    value ->> 'number_refused' as number_refused,
                    value ->> 'proposed_remito' as proposed_remito, value ->> 'confirm_at' as confirm_at,
                    value ->> 'confirm_until' as confirm_until
             from json_each(:settled)) as o
       where remito_requests.id = o.id and remito_requests.state in ('sending', 'accepted', 'unknown')
         and remito_requests.fencing_token = o.fencing_token)",
    R"(update remito_requests r
       set state = o.state, remito = o.remito, shipment_id = o.shipment_id,
           refusal_code = coalesce(o.refusal_code, r.refusal_code),
           refusal_text = coalesce(o.refusal_text, r.refusal_text),
           request_hash = coalesce(o.request_hash, r.request_hash), retry_at = o.retry_at, next_step = o.next_step,
           proposed_remito = coalesce(o.proposed_remito, r.proposed_remito), confirm_at = o.confirm_at,
           confirm_until = case when o.state in ('accepted', 'unknown')
                                then coalesce(o.confirm_until, r.confirm_until) end,
           first_sent_at = case when not o.forget then first_sent_at end,
           unclear_at = case when o.unclear then :now::bigint when not o.forget then unclear_at end,
           unclear_calls = unclear_calls + o.unclear::integer,
           numbers_refused = numbers_refused + o.number_refused::integer,
           looks = case when o.forget or o.unclear then 0 else looks end,
           lease_expires_at = null, settled_at = case when o.state in ('granted', 'refused') then :now::bigint end
       from jsonb_to_recordset(:settled::jsonb)
              as o (id bigint, fencing_token bigint, state text, remito text, shipment_id bigint, refusal_code text,
                    refusal_text text, request_hash text, retry_at bigint, next_step text, forget boolean,
                    unclear boolean, number_refused boolean, proposed_remito text, confirm_at bigint, confirm_until bigint)
       where r.id = o.id and r.state in ('sending', 'accepted', 'unknown') and r.fencing_token = o.fencing_token)"};

/// The requests that are still ours. Of one there may be two outcomes, where the first one's commit was made and not
/// heard of: one of them is of a claim that is over.
class StillOurs {
 public:
  StillOurs(Session& session, std::span<const RequestOutcome> outcomes) {
    json rows = json::array();
    for (const RequestOutcome& outcome : outcomes)
      rows.push_back({{"id", outcome.request_id}, {"fencing_token", outcome.fencing_token}});
    std::int64_t id = 0;
    Claim claim;
    session.query(still_ours_sql, {{"outcomes", to_parameter(rows)}}, {&id, &claim.fencing_token, &claim.carrier},
                  [&] { claims_[id] = claim; });
  }
  /// Its carrier. Null: somebody else has decided.
  const std::string* carrier_of(const RequestOutcome& outcome) const {
    const auto claim = claims_.find(outcome.request_id);
    if (claim == claims_.end() || claim->second.fencing_token != outcome.fencing_token) return nullptr;
    return &claim->second.carrier;
  }

 private:
  struct Claim {
    std::int64_t fencing_token = 0;
    std::string carrier;
  };
  std::map<std::int64_t, Claim> claims_;
};

struct MadeShipments {
  struct Made {
    std::int64_t shipment_id = 0;
    Instant registered_at{};
  };
  std::map<std::int64_t, Made> by_request;
  std::map<std::pair<std::string, std::string>, std::int64_t> ended;  ///< by carrier and remito, which were given again
};

void insert_shipments(Session& session, const json& granted, Instant now, MadeShipments& made) {
  MadeShipments::Made row;
  std::int64_t request_id = 0;
  session.query(insert_shipments_sql, {{"granted", to_parameter(granted)}, {"now", now}},
                {&row.shipment_id, &request_id, &row.registered_at}, [&] { made.by_request[request_id] = row; });
}

/// A request is missing where its remito is in use. One that was cancelled is not: where the order's number is the
/// remito it is the same one again, and elsewhere another order may have it.
MadeShipments make_shipments(Session& session, const json& granted, Instant now) {
  MadeShipments made;
  if (granted.empty()) return made;
  insert_shipments(session, granted, now, made);
  json missing = json::array();
  for (const json& row : granted)
    if (!made.by_request.contains(row.at("id").get<std::int64_t>())) missing.push_back(row);
  if (missing.empty()) return made;
  std::int64_t id = 0;
  std::string carrier, remito;
  session.query(end_cancelled_sql, {{"granted", to_parameter(missing)}, {"now", now}}, {&id, &carrier, &remito},
                [&] { made.ended[{carrier, remito}] = id; });
  if (!made.ended.empty()) insert_shipments(session, missing, now, made);
  return made;
}

/// Of the outcomes that found a remito at the carrier, those whose remito any shipment has or had.
DbResult<std::set<std::int64_t>> found_in_use(Session& session, std::span<const RequestOutcome> outcomes,
                                              const StillOurs& ours) {
  std::set<std::int64_t> in_use;
  for (const RequestOutcome& outcome : outcomes) {
    const std::string* const carrier = ours.carrier_of(outcome);
    if (!outcome.found || !carrier) continue;
    const auto used = remitos_used(session, *carrier, std::span{&outcome.remito, 1});
    if (!used) return std::unexpected(used.error());
    if (!used->empty()) in_use.insert(outcome.request_id);
  }
  return in_use;
}

/// The remito of a granted outcome as it is stored; empty where there is none.
std::string granted_remito(const RequestOutcome& outcome) {
  return outcome.kind == Kind::granted ? storable(outcome.remito) : std::string{};
}

std::set<std::int64_t> given_before(Session& session, const json& granted) {
  std::set<std::int64_t> requests;
  std::int64_t id = 0;
  if (!granted.empty())
    session.query(given_before_sql, {{"granted", to_parameter(granted)}}, {&id}, [&] { requests.insert(id); });
  return requests;
}

constexpr const char* name(RequestOutcome::NextStep step) {
  switch (step) {
    case RequestOutcome::NextStep::undecided:
      return "";
    case RequestOutcome::NextStep::find:
      return "find";
    case RequestOutcome::NextStep::resend:
      return "resend";
  }
  std::unreachable();
}

/// The remito is not this request's: `is_given_before` to the same order.
void leave_to_person(json& row, const RequestOutcome& outcome, const std::string& remito, bool is_given_before) {
  std::string why =
      outcome.found ? "the carrier has our reference with remito " + remito : "the carrier gave remito " + remito;
  if (is_given_before)
    why += " again, which a shipment of this order had that was cancelled or has ended";
  else
    why += std::string(", which another ") + (outcome.found ? "" : "open ") + "shipment of this carrier has";
  row.update({{"refusal_code", "remito_in_use"}, {"refusal_text", std::move(why)}});
}

void grant(json& row, const RequestOutcome& outcome, std::optional<std::int64_t> shipment_id, bool is_given_before) {
  const std::string remito = granted_remito(outcome);
  if (shipment_id) {
    row.update({{"state", "granted"},
                {"remito", remito},
                {"proposed_remito", ""},
                {"shipment_id", *shipment_id},
                {"refusal_code", ""},
                {"refusal_text", ""}});
    return;
  }
  row["state"] = "needs_operator";
  if (remito.empty())
    row.update({{"refusal_code", "no_remito"}, {"refusal_text", "the carrier granted it without a remito"}});
  else
    leave_to_person(row, outcome, remito, is_given_before);
}

/// How a request's row reads after its outcome, null: as before; `shipment_id` is absent unless a shipment was made.
json settled_row(const RequestOutcome& outcome, std::optional<std::int64_t> shipment_id, bool is_given_before) {
  const bool keeps_words = outcome.kind == Kind::unknown && outcome.code.empty() && outcome.text.empty();
  json row{{"id", outcome.request_id},
           {"fencing_token", outcome.fencing_token},
           {"state", "unknown"},
           {"remito", ""},
           {"shipment_id", nullptr},
           {"refusal_code", keeps_words ? json(nullptr) : json(storable(outcome.code))},
           {"refusal_text", keeps_words ? json(nullptr) : json(storable(outcome.text))},
           {"request_hash", nullptr},
           {"retry_at", nullptr},
           {"next_step", ""},
           {"forget", false},
           {"unclear", outcome.call_was_unclear},
           {"number_refused", outcome.kind == Kind::renumber},
           {"proposed_remito", nullptr},
           {"confirm_at", nullptr},
           {"confirm_until", nullptr}};
  if (!outcome.request_hash.empty()) row["request_hash"] = outcome.request_hash;
  switch (outcome.kind) {
    case Kind::granted:
      grant(row, outcome, shipment_id, is_given_before);
      break;
    case Kind::refused:
      row["state"] = "refused";
      break;
    case Kind::needs_operator:
      row["state"] = "needs_operator";
      break;
    case Kind::unknown:
      row["next_step"] = name(outcome.next_step);
      if (outcome.next_step != RequestOutcome::NextStep::undecided) row["retry_at"] = to_micros(outcome.retry_at);
      break;
    case Kind::renumber:
      row["proposed_remito"] = "";
      [[fallthrough]];
    case Kind::unsent:
    case Kind::not_made:
      row.update({{"state", "pending"}, {"retry_at", to_micros(outcome.retry_at)}, {"forget", true}});
      break;
    case Kind::accepted:
      row.update({{"state", "accepted"}, {"confirm_at", to_micros(outcome.retry_at)}});
      if (!outcome.remito.empty()) row["proposed_remito"] = storable(outcome.remito);
      if (outcome.confirm_until) row["confirm_until"] = to_micros(*outcome.confirm_until);
      break;
  }
  return row;
}

}  // namespace

DbResult<std::vector<SettledRequest>> settle_requests(Session& session, std::span<const RequestOutcome> outcomes,
                                                      Instant now) {
  const StillOurs ours(session, outcomes);
  const auto in_use = found_in_use(session, outcomes, ours);
  if (!in_use) return std::unexpected(in_use.error());
  json granted = json::array(), repeatable = json::array();
  for (const RequestOutcome& outcome : outcomes) {
    const std::string remito = granted_remito(outcome);
    if (remito.empty() || !ours.carrier_of(outcome) || in_use->contains(outcome.request_id)) continue;
    granted.push_back({{"id", outcome.request_id}, {"remito", remito}});
    if (!outcome.may_repeat_order && !outcome.may_repeat_cancelled) continue;
    repeatable.push_back({{"id", outcome.request_id}, {"remito", remito}, {"ended", outcome.may_repeat_order}});
  }
  const std::set<std::int64_t> before = given_before(session, repeatable);
  std::erase_if(granted.get_ref<json::array_t&>(),
                [&](const json& row) { return before.contains(row.at("id").get<std::int64_t>()); });
  const MadeShipments made = make_shipments(session, granted, now);

  std::vector<SettledRequest> results;
  std::vector<std::int64_t> settled_ids;
  json rows = json::array();
  for (const RequestOutcome& outcome : outcomes) {
    SettledRequest& result = results.emplace_back();
    result.request_id = outcome.request_id;
    const std::string* const carrier = ours.carrier_of(outcome);
    result.stale = !carrier;
    if (result.stale) continue;
    std::optional<std::int64_t> shipment_id;
    if (const auto shipment = made.by_request.find(outcome.request_id); shipment != made.by_request.end()) {
      shipment_id = shipment->second.shipment_id;
      result.shipment = OpenShipment{*shipment_id, *carrier, granted_remito(outcome), shipment->second.registered_at};
      if (const auto again = made.ended.find({*carrier, result.shipment->remito}); again != made.ended.end())
        result.ended_shipment_id = again->second;
    }
    result.remito_in_use = !shipment_id && !granted_remito(outcome).empty();
    rows.push_back(settled_row(outcome, shipment_id, before.contains(outcome.request_id)));
    settled_ids.push_back(outcome.request_id);
  }
  if (rows.empty()) return results;
  session.execute(settle_sql, {{"settled", to_parameter(rows)}, {"now", now}});
  insert_request_transitions(session, settled_ids, now);
  return results;
}

}  // namespace remitod::db
