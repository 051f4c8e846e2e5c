// Reports in, events, transitions and statuses out: three reads for a batch, and one write per table that changes.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include "db/json_rows.h"
#include "db/known_shipments.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

using nlohmann::json;

constexpr Sql write_events_sql{R"(
    insert into tracking_events (shipment_id, event_key, code, text, status, reason, occurred_at, zone_source,
                                 date_only, resolved_by_rule, place, position, baseline, detected_at)
    select value ->> 'shipment_id', value ->> 'event_key', value ->> 'code', value ->> 'text', value ->> 'status',
           value ->> 'reason', value ->> 'occurred_at', value ->> 'zone_source', value ->> 'date_only',
           value ->> 'resolved_by_rule', value ->> 'place', value ->> 'position', value ->> 'baseline',
           value ->> 'detected_at'
    from json_each(:events) where true
    on conflict (shipment_id, event_key) do update
    set text = excluded.text, status = excluded.status, reason = excluded.reason, position = excluded.position)",
                               R"(
    insert into tracking_events (shipment_id, event_key, code, text, status, reason, occurred_at, zone_source,
                                 date_only, resolved_by_rule, place, position, baseline, detected_at)
    select shipment_id, event_key, code, text, status, reason, occurred_at, zone_source, date_only, resolved_by_rule,
           place, position, baseline, detected_at
    from jsonb_to_recordset(:events::jsonb) as e (shipment_id bigint, event_key text, code text, text text, status text,
           reason text, occurred_at bigint, zone_source text, date_only boolean, resolved_by_rule boolean, place text,
           position bigint, baseline boolean, detected_at bigint)
    on conflict (shipment_id, event_key) do update
    set text = excluded.text, status = excluded.status, reason = excluded.reason, position = excluded.position)"};

// In the order in which they are to be emitted: it becomes the order of the ids. What was said once is left alone.
constexpr Sql write_transitions_sql{R"(
    insert into transitions (subject, shipment_id, request_id, order_number, parcel_group, carrier, remito, cycle,
                             event_key, from_status, to_status, reason, attempt, code, text, place, occurred_at,
                             zone_source, date_only, detected_at, inferred, late, correction, backfill, shadow,
                             created_at)
    select 'shipment', s.id, s.request_id, s.order_number, s.parcel_group, s.carrier, s.remito, s.cycle,
           t.value ->> 'event_key', t.value ->> 'from', t.value ->> 'to', t.value ->> 'reason', t.value ->> 'attempt',
           t.value ->> 'code', t.value ->> 'text', t.value ->> 'place', t.value ->> 'occurred_at',
           t.value ->> 'zone_source', t.value ->> 'date_only', :now, t.value ->> 'inferred', t.value ->> 'late',
           t.value ->> 'correction', t.value ->> 'backfill', :shadow, :now
    from json_each(:transitions) t join shipments s on s.id = t.value ->> 'shipment_id' where true
    order by t.key
    on conflict do nothing)",
                                    R"(
    insert into transitions (subject, shipment_id, request_id, order_number, parcel_group, carrier, remito, cycle,
                             event_key, from_status, to_status, reason, attempt, code, text, place, occurred_at,
                             zone_source, date_only, detected_at, inferred, late, correction, backfill, shadow,
                             created_at)
    select 'shipment', s.id, s.request_id, s.order_number, s.parcel_group, s.carrier, s.remito, s.cycle,
           t.event_key, t."from", t."to", t.reason, t.attempt, t.code, t.text, t.place, t.occurred_at, t.zone_source,
           t.date_only, :now::bigint, t.inferred, t.late, t.correction, t.backfill, :shadow::bigint <> 0, :now::bigint
    from rows from (jsonb_to_recordset(:transitions::jsonb) as (shipment_id bigint, event_key text, "from" text,
           "to" text, reason text, attempt integer, code text, text text, place text, occurred_at bigint,
           zone_source text, date_only boolean, inferred boolean, late boolean, correction boolean, backfill boolean))
         with ordinality as t (shipment_id, event_key, "from", "to", reason, attempt, code, text, place, occurred_at,
           zone_source, date_only, inferred, late, correction, backfill, ordinal)
    join shipments s on s.id = t.shipment_id
    order by t.ordinal
    on conflict do nothing)"};

constexpr Sql write_shipments_sql{R"(
    update shipments
    set status = r.status, reason = r.reason, status_at = r.status_at, attempts_failed = r.attempts_failed,
        terminal_at = r.terminal_at, detected_at = case when r.new_status then :now else detected_at end,
        baseline_at = case when r.is_answer and baseline and baseline_at is null then :now else baseline_at end
    from (select value ->> 'id' as id, value ->> 'status' as status, value ->> 'reason' as reason,
                 value ->> 'status_at' as status_at, value ->> 'attempts_failed' as attempts_failed,
                 value ->> 'terminal_at' as terminal_at, value ->> 'new_status' as new_status,
                 value ->> 'is_answer' as is_answer
          from json_each(:shipments)) as r
    where shipments.id = r.id)",
                                  R"(
    update shipments
    set status = r.status, reason = r.reason, status_at = r.status_at, attempts_failed = r.attempts_failed,
        terminal_at = r.terminal_at, detected_at = case when r.new_status then :now::bigint else detected_at end,
        baseline_at = case when r.is_answer and baseline and baseline_at is null then :now::bigint
                           else baseline_at end
    from jsonb_to_recordset(:shipments::jsonb) as r (id bigint, status text, reason text, status_at bigint,
           attempts_failed integer, terminal_at bigint, new_status boolean, is_answer boolean)
    where shipments.id = r.id)"};

constexpr Sql count_unmapped_sql{R"(
    insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at)
    select :carrier, value ->> 'code', value ->> 'text', value ->> 'seen', :now, :now from json_each(:codes) where true
    on conflict (carrier, code) do update
    set seen = unmapped_codes.seen + excluded.seen, text = excluded.text, last_seen_at = excluded.last_seen_at)",
                                 R"(
    insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at)
    select :carrier::text, code, text, seen, :now::bigint, :now::bigint
    from jsonb_to_recordset(:codes::jsonb) as c (code text, text text, seen bigint)
    on conflict (carrier, code) do update
    set seen = unmapped_codes.seen + excluded.seen, text = excluded.text, last_seen_at = excluded.last_seen_at)"};

/// Everything a batch writes, as the rows of one statement each. Of a shipment that is reported twice the later word
/// counts, once.
struct Writes {
  std::map<std::pair<std::int64_t, std::string>, json> events;  ///< by shipment and key
  json transitions = json::array();
  std::vector<PreviewedTransition> previewed;  ///< the same transitions, for who only wants to see them
  std::map<std::int64_t, json> shipments;
  struct UnmappedCode {
    std::string text;
    std::int64_t seen = 0;
  };
  std::map<std::string, UnmappedCode> unmapped;  ///< by code
};

json instant_json(std::optional<Instant> instant) {
  return instant ? json(to_micros(*instant)) : json(nullptr);
}

/// The columns that events and transitions share.
json occurrence_json(const std::optional<OccurredAt>& occurred) {
  return {{"occurred_at", occurred ? json(to_micros(occurred->at)) : json(nullptr)},
          {"zone_source", occurred ? name(occurred->zone) : ""},
          {"date_only", occurred && occurred->date_only}};
}

json event_json(std::int64_t shipment_id, const std::string& key, const KnownEvent& known) {
  const TrackingEvent& event = known.event;
  json row = occurrence_json(event.occurred_at);
  row.update({{"shipment_id", shipment_id},
              {"event_key", key},
              {"code", event.code},
              {"text", event.text},
              {"status", name(event.status)},
              {"reason", name(event.reason)},
              {"resolved_by_rule", event.occurred_at && event.occurred_at->resolved_by_rule},
              {"place", event.place},
              {"position", event.position},
              {"baseline", known.baseline},
              {"detected_at", to_micros(known.detected_at)}});
  return row;
}

json transition_json(std::int64_t shipment_id, const ShipmentTransition& transition) {
  json row = occurrence_json(transition.occurred_at);
  row.update({{"shipment_id", shipment_id},
              {"event_key", transition.event_key},
              {"from", name(transition.from)},
              {"to", name(transition.to)},
              {"reason", name(transition.reason)},
              {"attempt", transition.attempt},
              {"code", transition.code},
              {"text", transition.text},
              {"place", transition.place},
              {"inferred", transition.inferred},
              {"late", transition.late},
              {"correction", transition.correction},
              {"backfill", transition.backfill}});
  return row;
}

/// A zero character is nothing that PostgreSQL can store; left in, it would look like a change at every poll.
Report without_zeros(const Report& report) {
  Report result = report;
  for (TrackingEvent& event : result.events)
    for (std::string* text : {&event.code, &event.text, &event.place}) *text = storable(*text);
  return result;
}

/// The tail of a terminal shipment begins when we learn that it is terminal: a carrier that publishes late corrects
/// late, too.
std::optional<Instant> terminal_since(const StoredShipment& shipment, Status status, Instant now) {
  if (!is_terminal(status)) return std::nullopt;
  if (shipment.terminal_at && shipment.known.status == status) return shipment.terminal_at;
  return now;
}

void note_events(std::int64_t shipment_id, const Reconciled& outcome, StoredShipment& shipment, Writes& writes) {
  for (const KnownEvent& event : outcome.new_events) {
    std::string key = event_key(event.event);
    json row = event_json(shipment_id, key, event);
    writes.events.insert_or_assign({shipment_id, std::move(key)}, std::move(row));
    shipment.known.events.push_back(event);
    if (event.event.status != Status::unmapped) continue;
    Writes::UnmappedCode& code = writes.unmapped[event.event.code];
    code.text = event.event.text;
    ++code.seen;
  }
  for (const KnownEvent& event : outcome.updated_events) {
    std::string key = event_key(event.event);
    const auto known =
        std::ranges::find(shipment.known.events, key, [](const KnownEvent& stored) { return event_key(stored.event); });
    if (known != shipment.known.events.end()) *known = event;
    json row = event_json(shipment_id, key, event);
    writes.events.insert_or_assign({shipment_id, std::move(key)}, std::move(row));
  }
}

void note_transitions(std::int64_t shipment_id, const Reconciled& outcome, StoredShipment& shipment, Writes& writes) {
  for (const ShipmentTransition& transition : outcome.transitions) {
    writes.transitions.push_back(transition_json(shipment_id, transition));
    writes.previewed.push_back({shipment_id, shipment.remito, transition.event_key, transition.from, transition.to,
                                transition.occurred_at ? std::optional(transition.occurred_at->at) : std::nullopt,
                                transition.late});
    shipment.known.emitted.push_back({transition.event_key, transition.to, transition.inferred});
  }
}

void note_status(const PolledReport& polled, const Reconciled& outcome, StoredShipment& shipment, Writes& writes,
                 Instant now) {
  KnownShipment& known = shipment.known;
  const std::optional<Instant> status_at =
      outcome.status_at ? std::optional(outcome.status_at->at) : std::optional<Instant>();
  const std::optional<Instant> terminal_at = terminal_since(shipment, outcome.status, now);
  const bool new_status = outcome.status != known.status;
  const bool ends_baseline = known.baseline && !polled.is_our_doing;
  const bool same = !new_status && outcome.reason == known.reason && outcome.attempts_failed == known.attempts_failed &&
                    status_at == shipment.status_at && terminal_at == shipment.terminal_at && !ends_baseline;
  if (same) return;
  json& row = writes.shipments[polled.shipment_id];
  const bool status_written = row.is_object() && row.at("new_status").get<bool>();
  const bool answer_written = row.is_object() && row.at("is_answer").get<bool>();
  row = {{"id", polled.shipment_id},
         {"status", name(outcome.status)},
         {"reason", name(outcome.reason)},
         {"status_at", instant_json(status_at)},
         {"attempts_failed", outcome.attempts_failed},
         {"terminal_at", instant_json(terminal_at)},
         {"new_status", new_status || status_written},
         {"is_answer", !polled.is_our_doing || answer_written}};
  known.status = outcome.status;
  known.reason = outcome.reason;
  known.attempts_failed = outcome.attempts_failed;
  if (ends_baseline) known.baseline = false;
  shipment.status_at = status_at;
  shipment.terminal_at = terminal_at;
}

AppliedReport apply(const ApplyRules& rules, const PolledReport& polled, StoredShipment& shipment, Writes& writes,
                    Instant now) {
  AppliedReport applied{.shipment_id = polled.shipment_id};
  // What is read again is of its own time.
  const bool is_anothers = shipment.number_is_anothers && !polled.received_at;
  if (tells_events(polled.report.kind) && !shipment.erased && !is_anothers) {
    ReconcileRules reconcile_rules = rules.reconcile;
    reconcile_rules.read_again = polled.received_at.has_value();
    // By the clock, of what is read again, too: it may have happened since. What is our own doing has happened, even
    // where it is dated behind an event of the future.
    if (!polled.is_our_doing) reconcile_rules.future_after = now + event_ahead_max;
    reconcile_rules.leaves_out_future = rules.is_asked;
    const bool history_is_to_come = shipment.known.baseline;
    if (polled.is_our_doing) shipment.known.baseline = false;  // that is news, whatever the carrier has said so far
    const Reconciled outcome =
        reconcile(shipment.known, without_zeros(polled.report), reconcile_rules, polled.received_at.value_or(now));
    shipment.known.baseline = history_is_to_come;
    note_events(polled.shipment_id, outcome, shipment, writes);
    note_transitions(polled.shipment_id, outcome, shipment, writes);
    note_status(polled, outcome, shipment, writes, now);
    applied.new_events = outcome.new_events.size();
    applied.updated_events = outcome.updated_events.size();
    applied.transitions = outcome.transitions.size();
    applied.noise = outcome.noise;
    applied.too_old = outcome.too_old;
    applied.ahead = outcome.ahead;
    applied.over_limit = outcome.over_limit;
    for (const KnownEvent& known : outcome.new_events)
      if (known.event.status == Status::unmapped) applied.unmapped.push_back(known.event);
  }
  applied.status = shipment.known.status;
  applied.leaves_lane = shipment.ended_at || (shipment.terminal_at && now >= *shipment.terminal_at + rules.tail);
  return applied;
}

template <class Map>
json values_of(const Map& map) {
  json rows = json::array();
  for (const auto& [key, row] : map) rows.push_back(row);
  return rows;
}

void write(Session& session, const ApplyRules& rules, const Writes& writes, Instant now) {
  if (!writes.events.empty()) session.execute(write_events_sql, {{"events", to_parameter(values_of(writes.events))}});
  if (!writes.transitions.empty())
    session.execute(write_transitions_sql,
                    {{"transitions", to_parameter(writes.transitions)}, {"shadow", rules.shadow}, {"now", now}});
  if (!writes.shipments.empty())
    session.execute(write_shipments_sql, {{"shipments", to_parameter(values_of(writes.shipments))}, {"now", now}});
  if (!writes.unmapped.empty()) {
    json codes = json::array();
    for (const auto& [code, seen] : writes.unmapped)
      codes.push_back({{"code", code}, {"text", seen.text}, {"seen", seen.seen}});
    session.execute(count_unmapped_sql, {{"carrier", rules.carrier}, {"codes", to_parameter(codes)}, {"now", now}});
  }
}

std::vector<AppliedReport> apply_all(Session& session, const ApplyRules& rules, std::span<const PolledReport> reports,
                                     Writes& writes, Instant now) {
  std::vector<std::int64_t> ids;
  for (const PolledReport& report : reports) ids.push_back(report.shipment_id);
  std::map<std::int64_t, StoredShipment> shipments = lock_known_shipments(session, ids_parameter(ids));

  std::vector<AppliedReport> applied;
  for (const PolledReport& report : reports) {
    const auto shipment = shipments.find(report.shipment_id);
    if (shipment == shipments.end())
      applied.push_back({.shipment_id = report.shipment_id, .leaves_lane = true});
    else
      applied.push_back(apply(rules, report, shipment->second, writes, now));
  }
  return applied;
}

}  // namespace

DbResult<std::vector<AppliedReport>> apply_reports(Session& session, const ApplyRules& rules,
                                                   std::span<const PolledReport> reports, Instant now) {
  if (reports.empty()) return {};
  Writes writes;
  std::vector<AppliedReport> applied = apply_all(session, rules, reports, writes, now);
  write(session, rules, writes, now);
  return applied;
}

DbResult<PreviewedReports> preview_reports(Session& session, const ApplyRules& rules,
                                           std::span<const PolledReport> reports, Instant now) {
  if (reports.empty()) return {};
  Writes writes;
  std::vector<AppliedReport> applied = apply_all(session, rules, reports, writes, now);
  return PreviewedReports{std::move(applied), std::move(writes.previewed)};
}

}  // namespace remitod::db
