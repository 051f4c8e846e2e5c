// Known x report -> new events, transitions, status. A pure function: DESIGN of this folder in README.md.
//
// Stored events and the status depend only on the set of reports, not on their order or repetition. The canonical
// history is the events sorted by (occurred_at, position in the carrier's list, rank of the status, content); the
// canonical transitions are a fold over it. What is emitted is what the fold gives and was not emitted before; it is
// never retracted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carriers/tracking.h"

namespace remitod::db {

/// An event as stored. `baseline` events are history from before we followed the shipment: they move the status
/// silently.
struct KnownEvent {
  TrackingEvent event;
  Instant detected_at{};
  bool baseline = false;
  friend bool operator==(const KnownEvent&, const KnownEvent&) = default;
};

/// What was already emitted of a shipment: enough to never say it twice.
struct EmittedStep {
  std::string event_key;  ///< of the event that caused it
  Status status = Status::registered;
  bool inferred = false;
};

/// All that is known of a shipment before a report is applied.
struct KnownShipment {
  std::optional<Instant> registered_at;  ///< absent for imports that do not say
  bool baseline = false;  ///< the next report is history, not news (an import that has not been asked about yet)
  Status status = Status::registered;
  Reason reason = Reason::none;
  int attempts_failed = 0;
  std::vector<KnownEvent> events;  ///< in any order
  std::vector<EmittedStep> emitted;
};

struct ReconcileRules {
  std::chrono::hours registration_grace{48};
};

/// A change of a shipment that is to be emitted.
struct ShipmentTransition {
  std::string event_key;
  Status from = Status::registered;
  Status to = Status::registered;
  Reason reason = Reason::none;
  int attempt = 0;  ///< 1, 2, ... for attempt_failed; else 0
  std::string code;
  std::string text;
  std::string place;
  std::optional<OccurredAt> occurred_at;
  bool inferred = false;    ///< the carrier never said it, but what followed implies it
  bool late = false;        ///< became known after something that happened later was emitted
  bool correction = false;  ///< takes back a terminal status
  friend bool operator==(const ShipmentTransition&, const ShipmentTransition&) = default;
};

struct Reconciled {
  std::vector<KnownEvent> new_events;
  /// Known events whose mutable parts (text, status, reason, position) the report changed.
  std::vector<KnownEvent> updated_events;
  std::vector<ShipmentTransition> transitions;  ///< in the order in which they are to be emitted
  Status status = Status::registered;
  Reason reason = Reason::none;
  std::optional<OccurredAt> status_at;
  int attempts_failed = 0;
  std::size_t noise = 0;     ///< new events that the rules store but do not let change the status
  std::size_t too_old = 0;   ///< events of an earlier use of the number: ignored
  std::size_t unmapped = 0;  ///< new events with a code that the profile does not know
};

/// Identity of an event: code, normalised time and place; never the wording. At most 200 bytes, printable.
std::string event_key(const TrackingEvent& event);

Reconciled reconcile(const KnownShipment& known, const Report& report, const ReconcileRules& rules, Instant now);

}  // namespace remitod::db
