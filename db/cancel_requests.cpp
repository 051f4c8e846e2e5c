#include "db/cancel_requests.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include "db/cancel_rules.h"
#include "db/json_rows.h"
#include "db/request_transitions.h"
#include "db/session.h"

namespace remitod::db {
namespace {

using nlohmann::json;
using Kind = CancelOutcome::Kind;

// SQLite takes a partial index only where the index's own condition is written out, as in what follows; and it would
// rather read the whole table in the order of its ids, but for the plus.

// New rows, and those that wait for a remito request. One that was not taken in yet is there all the same: the sweep
// that takes it in may have failed, or be on its way. Those that go on waiting, which may be for a person, come last:
// however many they are, they keep nobody else's from being decided.
#define GOES_ON_WAITING                                                                                    \
  "coalesce(r.id is not null and (r.accepted_at is null or r.state in ('sending', 'accepted', 'unknown', " \
  "'needs_operator')), false)"
constexpr Sql situations_sql{
    R"(select c.id, c.order_number,
              exists (select 1 from cancel_requests other
                      where other.order_number = c.order_number and other.parcel_group = c.parcel_group
                        and other.id < c.id and other.state in ('pending', 'sending', 'unknown')),
              coalesce(r.id, 0), case when r.accepted_at is null and r.id > 0 then 'new' else coalesce(r.state, '') end,
              coalesce(s.id, 0), coalesce(s.carrier, ''),
              coalesce(s.status, ''), coalesce(s.ended_at is not null, 0)
       from cancel_requests c
       left join remito_requests r on r.id = (
         select max(id) from remito_requests
         where order_number = c.order_number and parcel_group = c.parcel_group and state <> 'refused')
       left join shipments s on s.id = (
         select max(id) from shipments where order_number = c.order_number and parcel_group = c.parcel_group)
       where c.state in ('pending', 'sending', 'unknown') and c.state = 'pending' and c.shipment_id is null
       order by )" GOES_ON_WAITING ", +c.id limit :limit",
    R"(select c.id, c.order_number,
              cast(exists (select 1 from cancel_requests other
                           where other.order_number = c.order_number and other.parcel_group = c.parcel_group
                             and other.id < c.id
                             and other.state in ('pending', 'sending', 'unknown')) as integer),
              coalesce(r.id, 0), case when r.accepted_at is null and r.id > 0 then 'new' else coalesce(r.state, '') end,
              coalesce(s.id, 0), coalesce(s.carrier, ''),
              coalesce(s.status, ''), cast(coalesce(s.ended_at is not null, false) as integer)
       from cancel_requests c
       left join remito_requests r on r.id = (
         select max(id) from remito_requests
         where order_number = c.order_number and parcel_group = c.parcel_group and state <> 'refused')
       left join shipments s on s.id = (
         select max(id) from shipments where order_number = c.order_number and parcel_group = c.parcel_group)
       where c.state = 'pending' and c.shipment_id is null
       order by )" GOES_ON_WAITING ", c.id limit :limit::bigint for update of c"};
#undef GOES_ON_WAITING

// A request that a worker has claimed in the meantime is left to it: the cancellation waits then.
constexpr Sql stop_request_sql{
    R"(update remito_requests
       set state = 'cancelled', settled_at = :now, retry_at = null, fencing_token = fencing_token + 1,
           refusal_code = 'cancelled', refusal_text = 'cancelled before it was sent'
       where id = :id and state = 'pending')",
    R"(update remito_requests
       set state = 'cancelled', settled_at = :now::bigint, retry_at = null, fencing_token = fencing_token + 1,
           refusal_code = 'cancelled', refusal_text = 'cancelled before it was sent'
       where id = :id::bigint and state = 'pending')"};

// What goes on waiting as it did is left alone: on SQLite each write of ours wakes the next look.
constexpr Sql decide_sql{
    R"(update cancel_requests
       set accepted_at = coalesce(accepted_at, :now), state = d.state, refusal_code = d.code, refusal_text = d.text,
           request_id = d.request_id, shipment_id = d.shipment_id,
           carrier = coalesce((select carrier from shipments where id = d.shipment_id), ''),
           remito = coalesce((select remito from shipments where id = d.shipment_id), ''),
           retry_at = case when d.state = 'pending' and d.shipment_id is not null then :now end,
           settled_at = case when d.state <> 'pending' then :now end
       from (select value ->> 'id' as id, value ->> 'state' as state, value ->> 'code' as code, value ->> 'text' as text,
                    value ->> 'request_id' as request_id, value ->> 'shipment_id' as shipment_id
             from json_each(:decisions)) as d
       where cancel_requests.id = d.id and cancel_requests.state = 'pending'
         and (d.state <> 'pending' or d.shipment_id is not null or cancel_requests.accepted_at is null
              or cancel_requests.request_id is not d.request_id))",
    R"(update cancel_requests c
       set accepted_at = coalesce(c.accepted_at, :now::bigint), state = d.state, refusal_code = d.code,
           refusal_text = d.text, request_id = d.request_id, shipment_id = d.shipment_id,
           carrier = coalesce((select s.carrier from shipments s where s.id = d.shipment_id), ''),
           remito = coalesce((select s.remito from shipments s where s.id = d.shipment_id), ''),
           retry_at = case when d.state = 'pending' and d.shipment_id is not null then :now::bigint end,
           settled_at = case when d.state <> 'pending' then :now::bigint end
       from jsonb_to_recordset(:decisions::jsonb)
              as d (id bigint, state text, code text, text text, request_id bigint, shipment_id bigint)
       where c.id = d.id and c.state = 'pending'
         and (d.state <> 'pending' or d.shipment_id is not null or c.accepted_at is null
              or c.request_id is distinct from d.request_id))"};

// Tracking has shown what an unclear call came to, or its time is over.
constexpr Sql looks_sql{
    R"(select c.id, s.id, s.carrier, s.status, c.unclear_at
       from cancel_requests c join shipments s on s.id = c.shipment_id
       where c.state in ('pending', 'sending', 'unknown') and c.state = 'unknown' and c.retry_at <= :now
       order by c.retry_at, c.id limit :limit)",
    R"(select c.id, s.id, s.carrier, s.status, c.unclear_at
       from cancel_requests c join shipments s on s.id = c.shipment_id
       where c.state = 'unknown' and c.retry_at <= :now::bigint order by c.retry_at, c.id limit :limit::bigint
       for update of c)"};

constexpr Sql looked_sql{
    R"(update cancel_requests
       set state = l.state, refusal_code = case when l.code = '' then refusal_code else l.code end,
           refusal_text = case l.state when 'cancelled' then '' when 'unknown' then refusal_text
                                       else refusal_text || '; ' || l.text end,
           retry_at = l.retry_at, settled_at = case when l.state in ('cancelled', 'refused') then :now end
       from (select value ->> 'id' as id, value ->> 'state' as state, value ->> 'code' as code, value ->> 'text' as text,
                    value ->> 'retry_at' as retry_at
             from json_each(:looks)) as l
       where cancel_requests.id = l.id and cancel_requests.state = 'unknown')",
    R"(update cancel_requests c
       set state = l.state, refusal_code = case when l.code = '' then c.refusal_code else l.code end,
           refusal_text = case l.state when 'cancelled' then '' when 'unknown' then c.refusal_text
                                       else c.refusal_text || '; ' || l.text end,
           retry_at = l.retry_at, settled_at = case when l.state in ('cancelled', 'refused') then :now::bigint end
       from jsonb_to_recordset(:looks::jsonb) as l (id bigint, state text, code text, text text, retry_at bigint)
       where c.id = l.id and c.state = 'unknown')"};

// Nobody can be asked any more.
constexpr Sql give_up_sql{
    R"(update cancel_requests
       set state = 'needs_operator', retry_at = null, fencing_token = fencing_token + 1, refusal_code = 'cannot_cancel',
           refusal_text = 'carrier ' || carrier || ' takes no cancellations here any more: tell it by other means'
       where state in ('pending', 'sending', 'unknown') and state = 'pending' and shipment_id is not null
         and carrier not in (select value from json_each(:cancelling)))",
    R"(update cancel_requests
       set state = 'needs_operator', retry_at = null, fencing_token = fencing_token + 1, refusal_code = 'cannot_cancel',
           refusal_text = 'carrier ' || carrier || ' takes no cancellations here any more: tell it by other means'
       where state = 'pending' and shipment_id is not null
         and carrier not in (select value from jsonb_array_elements_text(:cancelling::jsonb)))"};

// What waits for a person or for its turn is over when the shipment is, by whatever means. Sent all the same, it might
// cancel the shipment that has the number next.
#define CLOSE_AT(now)                                                                                              \
  "update cancel_requests set state = case s.status when 'cancelled' then 'cancelled' else 'refused' end, "        \
  "settled_at = " now                                                                                              \
  ", retry_at = null, refusal_code = case s.status when 'cancelled' then '' else 'already_ended' end, "            \
  "refusal_text = case s.status when 'cancelled' then '' else cancel_requests.refusal_text || "                    \
  "case cancel_requests.refusal_text when '' then '' else '; ' end || 'the shipment is ' || s.status end "         \
  "from shipments s where s.id = cancel_requests.shipment_id and (s.terminal_at is not null or s.ended_at is not " \
  "null) "
#define FOR_PEOPLE "and cancel_requests.state = 'needs_operator'"
#define FOR_THEIR_TURN \
  "and cancel_requests.state in ('pending', 'sending', 'unknown') and cancel_requests.state = 'pending'"
constexpr Sql close_sql{CLOSE_AT(":now") FOR_PEOPLE, CLOSE_AT(":now::bigint") FOR_PEOPLE};
constexpr Sql close_waiting_sql{CLOSE_AT(":now") FOR_THEIR_TURN, CLOSE_AT(":now::bigint") FOR_THEIR_TURN};
#undef CLOSE_AT
#undef FOR_PEOPLE
#undef FOR_THEIR_TURN

constexpr Sql next_due_sql{
    "select min(retry_at) from cancel_requests "
    "where state in ('pending', 'sending', 'unknown') and state <> 'sending' and shipment_id is not null"};

constexpr Sql carriers_due_sql{
    "select distinct carrier from cancel_requests "
    "where state in ('pending', 'sending', 'unknown') and state = 'pending' and retry_at <= :now",
    "select distinct carrier from cancel_requests where state = 'pending' and retry_at <= :now::bigint"};

constexpr Sql claim_sql{
    R"(update cancel_requests
       set state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1,
           lease_expires_at = :lease_expires_at, retry_at = null
       where id in (select id from cancel_requests
                    where state in ('pending', 'sending', 'unknown') and state = 'pending' and shipment_id is not null
                      and retry_at <= :now and carrier = :carrier
                    order by id limit :limit)
       returning id, request_key, order_number, parcel_group, carrier, remito,
                 coalesce((select client_ref from remito_requests where id = cancel_requests.request_id), ''),
                 shipment_id, attempts, fencing_token, accepted_at)",
    R"(with due as (
         select id from cancel_requests
         where state = 'pending' and shipment_id is not null and retry_at <= :now::bigint and carrier = :carrier::text
         order by id limit :limit::bigint for update skip locked)
       update cancel_requests c
       set state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1,
           lease_expires_at = :lease_expires_at::bigint, retry_at = null
       from due where c.id = due.id
       returning c.id, request_key, order_number, parcel_group, carrier, remito,
                 coalesce((select client_ref from remito_requests where id = c.request_id), ''), shipment_id, attempts,
                 fencing_token, accepted_at)"};

constexpr Sql settle_sql{
    R"(update cancel_requests
       set state = :state, refusal_code = :code, refusal_text = :text, retry_at = :retry_at, lease_expires_at = null,
           unclear_at = case when :state = 'unknown' then :now else unclear_at end,
           settled_at = case when :state in ('cancelled', 'refused') then :now end
       where id = :id and state = 'sending' and fencing_token = :fencing_token
       returning shipment_id, remito)",
    R"(update cancel_requests
       set state = :state::text, refusal_code = :code::text, refusal_text = :text::text, retry_at = :retry_at::bigint,
           lease_expires_at = null,
           unclear_at = case when :state::text = 'unknown' then :now::bigint else unclear_at end,
           settled_at = case when :state::text in ('cancelled', 'refused') then :now::bigint end
       where id = :id::bigint and state = 'sending' and fencing_token = :fencing_token::bigint
       returning shipment_id, remito)"};

constexpr Sql for_people_sql{
    "select request_key, order_number, carrier, remito, refusal_text from cancel_requests "
    "where state = 'needs_operator' order by id limit 50"};

constexpr Sql mark_interrupted_sql{
    R"(update cancel_requests
       set state = 'unknown', lease_expires_at = null, fencing_token = fencing_token + 1, unclear_at = :now,
           retry_at = :now, refusal_code = 'interrupted',
           refusal_text = 'attempt ' || attempts || ' was cut off: the carrier may have cancelled it or not'
       where state = 'sending')",
    R"(update cancel_requests
       set state = 'unknown', lease_expires_at = null, fencing_token = fencing_token + 1, unclear_at = :now::bigint,
           retry_at = :now::bigint, refusal_code = 'interrupted',
           refusal_text = 'attempt ' || attempts || ' was cut off: the carrier may have cancelled it or not'
       where state = 'sending')"};

// What was claimed by a transaction that was called a failure, and what could not be settled: nobody works on it.
constexpr Sql give_up_claims_sql{
    R"(update cancel_requests
       set state = 'unknown', lease_expires_at = null, fencing_token = fencing_token + 1, unclear_at = :now,
           retry_at = :now, refusal_code = 'interrupted',
           refusal_text = 'attempt ' || attempts || ' was cut off: the carrier may have cancelled it or not'
       where state in ('pending', 'sending', 'unknown') and state = 'sending' and lease_expires_at < :now
         and id not in (select value from json_each(:working_on)))",
    R"(update cancel_requests
       set state = 'unknown', lease_expires_at = null, fencing_token = fencing_token + 1, unclear_at = :now::bigint,
           retry_at = :now::bigint, refusal_code = 'interrupted',
           refusal_text = 'attempt ' || attempts || ' was cut off: the carrier may have cancelled it or not'
       where state = 'sending' and lease_expires_at < :now::bigint
         and id not in (select value::bigint from jsonb_array_elements_text(:working_on::jsonb)))"};

constexpr Sql last_event_sql{"select max(occurred_at) from tracking_events where shipment_id = :shipment_id"};

std::vector<CancelSituation> read_situations(Session& session, std::size_t limit) {
  std::vector<CancelSituation> situations;
  CancelSituation row;
  session.query(situations_sql, {{"limit", limit}},
                {&row.cancel_id, &row.order_number, &row.has_forerunner, &row.request_id, &row.request_state,
                 &row.shipment_id, &row.carrier, &row.status, &row.shipment_ended},
                [&] { situations.push_back(row); });
  return situations;
}

json decided_row(const CancelSituation& situation, const CancelDecision& decision) {
  json row{{"id", situation.cancel_id},
           {"state", "pending"},
           {"code", decision.code},
           {"text", decision.text},
           {"request_id", situation.request_id == 0 ? json(nullptr) : json(situation.request_id)},
           {"shipment_id", nullptr}};
  switch (decision.kind) {
    case CancelDecision::Kind::wait:
      break;
    case CancelDecision::Kind::ask_carrier:
      row["shipment_id"] = situation.shipment_id;
      break;
    case CancelDecision::Kind::already_so:
      row["shipment_id"] = situation.shipment_id;
      row["state"] = "cancelled";
      break;
    case CancelDecision::Kind::stop_request:
      row["state"] = "cancelled";
      break;
    case CancelDecision::Kind::refused:
      row["state"] = "refused";
      break;
  }
  return row;
}

/// Of those that are not at the carrier yet.
void take_up_pending(Session& session, std::span<const std::string> cancelling, Instant now, std::size_t limit,
                     CancelsTakenUp& taken) {
  json rows = json::array();
  std::vector<std::int64_t> stopped;
  for (const CancelSituation& situation : read_situations(session, limit)) {
    CancelDecision decision = decide(situation, cancelling);
    if (decision.kind == CancelDecision::Kind::stop_request) {
      if (session.execute(stop_request_sql, {{"id", situation.request_id}, {"now", now}}) != 0)
        stopped.push_back(situation.request_id);
      else
        decision = {};
    }
    taken.some_wait |= decision.kind == CancelDecision::Kind::wait;
    taken.settled += decision.kind != CancelDecision::Kind::wait && decision.kind != CancelDecision::Kind::ask_carrier;
    rows.push_back(decided_row(situation, decision));
  }
  if (rows.empty()) return;
  session.execute(decide_sql, {{"decisions", to_parameter(rows)}, {"now", now}});
  insert_request_transitions(session, stopped, now);
}

/// The pauses grow with what has passed: 10 s, then as long again, 10 min at most.
Instant next_look(Instant unclear_at, Instant now) {
  return now +
         std::clamp<std::chrono::microseconds>(now - unclear_at, std::chrono::seconds{10}, std::chrono::minutes{10});
}

/// Of those whose call ended without a clear answer.
void look_at_unknown(Session& session, std::span<const std::string> tracking, Instant now, std::size_t limit,
                     CancelsTakenUp& taken) {
  json rows = json::array();
  std::int64_t cancel_id = 0, shipment_id = 0;
  std::string carrier, status;
  std::optional<Instant> unclear_at;
  session.query(
      looks_sql, {{"now", now}, {"limit", limit}}, {&cancel_id, &shipment_id, &carrier, &status, &unclear_at}, [&] {
        json row{{"id", cancel_id}, {"state", "unknown"}, {"code", ""}, {"text", ""}, {"retry_at", nullptr}};
        const auto stands = status_from(status);
        const bool is_followed = std::ranges::find(tracking, carrier) != tracking.end();
        if (stands == Status::cancelled) {
          row["state"] = "cancelled";
        } else if (stands && is_terminal(*stands)) {
          row.update({{"state", "refused"}, {"code", "already_ended"}, {"text", "the shipment is " + status}});
        } else if (!is_followed || now >= unclear_at.value_or(now) + cancel_looking_time) {
          row.update({{"state", "needs_operator"},
                      {"text", is_followed ? "a day later the carrier still shows it as " + status
                                           : "its carrier is not asked about shipments"}});
        } else {
          row["retry_at"] = to_micros(next_look(unclear_at.value_or(now), now));
          taken.to_look_at.push_back({shipment_id, carrier});
        }
        taken.settled += row["state"] != "unknown";
        rows.push_back(std::move(row));
      });
  if (!rows.empty()) session.execute(looked_sql, {{"looks", to_parameter(rows)}, {"now", now}});
}

const char* state_of(Kind kind) {
  switch (kind) {
    case Kind::cancelled:
      return "cancelled";
    case Kind::refused:
      return "refused";
    case Kind::unsent:
      return "pending";
    case Kind::unknown:
      return "unknown";
    case Kind::needs_operator:
      return "needs_operator";
  }
  std::unreachable();
}

/// What the carrier has agreed to is an event of the shipment like those that it tells by itself later. It comes after
/// all that is known, though one of the two clocks may say otherwise; and behind the carrier's list, which decides
/// about what is told of today without an hour, known already or not. (That a parcel was delivered stands all the
/// same.)
DbResult<void> cancel_shipment(Session& session, std::int64_t shipment_id, const std::string& remito,
                               const ApplyRules& rules, Instant now) {
  std::optional<Instant> last_event;
  session.query_row(last_event_sql, {{"shipment_id", shipment_id}}, {&last_event});
  TrackingEvent event;
  event.code = "cancel_request";
  event.text = "Cancelado a pedido";
  event.status = Status::cancelled;
  event.occurred_at = OccurredAt{.at = last_event ? std::max(now, *last_event + std::chrono::seconds{1}) : now,
                                 .zone = ZoneSource::offset};  // not one that a carrier showed without a time
  event.position = std::numeric_limits<std::uint32_t>::max();
  const PolledReport report{.shipment_id = shipment_id,
                            .report = {.remito = remito, .kind = Report::Kind::events, .events = {event}},
                            .is_our_doing = true};
  const auto applied = apply_reports(session, rules, std::span{&report, 1}, now);
  if (!applied) return std::unexpected(applied.error());
  return {};
}

}  // namespace

DbResult<CancelsTakenUp> take_up_cancels(Session& session, std::span<const std::string> cancelling,
                                         std::span<const std::string> tracking, Instant now, std::size_t limit) {
  CancelsTakenUp taken;
  take_up_pending(session, cancelling, now, limit, taken);
  look_at_unknown(session, tracking, now, limit, taken);
  const auto given_up = session.execute(give_up_sql, {{"cancelling", texts_parameter(cancelling)}});
  const auto closed = session.execute(close_sql, {{"now", now}}) + session.execute(close_waiting_sql, {{"now", now}});
  taken.settled += static_cast<std::size_t>(given_up + closed);
  session.query_row(next_due_sql, {}, {&taken.next_due});
  std::string carrier;
  if (taken.next_due && *taken.next_due <= now)
    session.query(carriers_due_sql, {{"now", now}}, {&carrier}, [&] { taken.due.insert(carrier); });
  return taken;
}

DbResult<std::vector<CancelRequest>> claim_cancels(Session& session, std::string_view carrier, Instant now,
                                                   Instant lease_expires_at, std::size_t limit) {
  std::vector<CancelRequest> claimed;
  CancelRequest row;
  session.query(claim_sql,
                {{"carrier", carrier}, {"now", now}, {"lease_expires_at", lease_expires_at}, {"limit", limit}},
                {&row.cancel_id, &row.request_key, &row.order_number, &row.parcel_group, &row.carrier, &row.remito,
                 &row.client_ref, &row.shipment_id, &row.attempts, &row.fencing_token, &row.accepted_at},
                [&] { claimed.push_back(row); });
  std::ranges::sort(claimed, {}, &CancelRequest::cancel_id);
  return claimed;
}

DbResult<bool> settle_cancel(Session& session, const CancelOutcome& outcome, const ApplyRules& rules, Instant now) {
  const bool is_due_again = outcome.kind == Kind::unsent || outcome.kind == Kind::unknown;
  std::int64_t shipment_id = 0;
  std::string remito;
  const bool ours = session.query_row(settle_sql,
                                      {{"id", outcome.cancel_id},
                                       {"fencing_token", outcome.fencing_token},
                                       {"state", state_of(outcome.kind)},
                                       {"code", storable(outcome.code)},
                                       {"text", storable(outcome.text)},
                                       {"retry_at", is_due_again ? std::optional(outcome.retry_at) : std::nullopt},
                                       {"now", now}},
                                      {&shipment_id, &remito});
  if (!ours || outcome.kind != Kind::cancelled) return ours;
  if (auto done = cancel_shipment(session, shipment_id, remito, rules, now); !done)
    return std::unexpected(done.error());
  return true;
}

DbResult<std::size_t> mark_interrupted_cancels(Session& session, Instant now) {
  return static_cast<std::size_t>(session.execute(mark_interrupted_sql, {{"now", now}}));
}

DbResult<std::size_t> give_up_unheard_cancels(Session& session, std::span<const std::int64_t> working_on, Instant now) {
  return static_cast<std::size_t>(
      session.execute(give_up_claims_sql, {{"now", now}, {"working_on", ids_parameter(working_on)}}));
}

DbResult<std::vector<CancelForPeople>> cancels_for_people(Session& session) {
  std::vector<CancelForPeople> cancels;
  CancelForPeople row;
  session.query(for_people_sql, {}, {&row.request_key, &row.order_number, &row.carrier, &row.remito, &row.refusal_text},
                [&] { cancels.push_back(row); });
  return cancels;
}

}  // namespace remitod::db
