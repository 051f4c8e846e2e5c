// A shipment that remembers what reconcile() says of it, as the store does, and all that was told of it.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/tracking.h"
#include "db/reconcile.h"

namespace remitod::db {

/// An hour of a day of May 2026, in Lima, where local midnight is 05:00 UTC.
inline Instant moment(int day, int hour, int minute = 0) {
  using namespace std::chrono;
  return Instant{sys_days{year{2026} / May / 1} + days{day} + hours{5 + hour} + minutes{minute}};
}

inline OccurredAt timed(int day, int hour, int minute = 0) {
  return {.at = moment(day, hour, minute), .zone = ZoneSource::profile};
}

inline OccurredAt dated(int day) {
  return {.at = moment(day, 0), .zone = ZoneSource::profile, .date_only = true};
}

/// An event whose code is the name of its status.
inline TrackingEvent event(Status status, std::optional<OccurredAt> occurred_at, Reason reason = Reason::none) {
  TrackingEvent event;
  event.code = name(status);
  event.text = label(status);
  event.status = status;
  event.reason = reason;
  event.occurred_at = occurred_at;
  event.place = "Lima";
  return event;
}

/// A history as the carrier lists it; positions are those of the list.
inline Report history_report(std::vector<TrackingEvent> events) {
  for (std::uint32_t i = 0; i < events.size(); ++i) events[i].position = i;
  return {.remito = "0001", .kind = Report::Kind::events, .events = std::move(events)};
}

inline Report snapshot_report(TrackingEvent event) {
  return {.remito = "0001", .kind = Report::Kind::snapshot, .events = {std::move(event)}};
}

inline Report not_found_yet() {
  return {.remito = "0001", .kind = Report::Kind::not_found_yet, .events = {}};
}

struct FollowedShipment {
  KnownShipment known;
  std::vector<ShipmentTransition> told;  ///< all, in the order in which they were emitted
  Instant now = moment(20, 0);           ///< of the next report; an hour later for each one
  ReconcileRules rules;

  Reconciled apply(const Report& report) {
    const Reconciled result = reconcile(known, report, rules, now);
    now += std::chrono::hours{1};
    known.events.insert(known.events.end(), result.new_events.begin(), result.new_events.end());
    for (const KnownEvent& updated : result.updated_events) stored(event_key(updated.event)) = updated;
    for (const ShipmentTransition& transition : result.transitions)
      known.emitted.push_back({transition.event_key, transition.to, transition.inferred});
    told.insert(told.end(), result.transitions.begin(), result.transitions.end());
    known.status = result.status;
    known.reason = result.reason;
    known.attempts_failed = result.attempts_failed;
    if (tells_events(report.kind)) known.baseline = false;
    return result;
  }

  Reconciled apply(std::vector<TrackingEvent> events) { return apply(history_report(std::move(events))); }

  KnownEvent& stored(const std::string& key) {
    return *std::ranges::find(known.events, key, [](const KnownEvent& each) { return event_key(each.event); });
  }

  /// What is stored, without when each event was seen: that alone may differ between two orders of the reports.
  std::map<std::string, TrackingEvent> stored_events() const {
    std::map<std::string, TrackingEvent> events;
    for (const KnownEvent& each : known.events) events.emplace(event_key(each.event), each.event);
    return events;
  }
};

inline bool changes_nothing(const Reconciled& result) {
  return result.new_events.empty() && result.updated_events.empty() && result.transitions.empty();
}

/// "registered>in_transit (inferred), in_transit>attempt_failed 1": what a test compares.
inline std::string spell(const std::vector<ShipmentTransition>& transitions) {
  std::string text;
  for (const ShipmentTransition& transition : transitions) {
    if (!text.empty()) text += ", ";
    text += std::string(name(transition.from)) + ">" + std::string(name(transition.to));
    if (transition.attempt != 0) text += " " + std::to_string(transition.attempt);
    if (transition.inferred) text += " inferred";
    if (transition.late) text += " late";
    if (transition.correction) text += " correction";
  }
  return text;
}

}  // namespace remitod::db

namespace remitod {
inline void PrintTo(Status status, std::ostream* out) {
  *out << name(status);
}
inline void PrintTo(Reason reason, std::ostream* out) {
  *out << name(reason);
}
}  // namespace remitod
