// Known x report -> new events, transitions, status. A pure function; any thread.
//
// WHAT IS STORED depends only on the set of reports, not on their order or repetition.
//   - An event is the same event when its code, time and place are the same (event_key). Wording never counts. What a
//     carrier may change about an event (text, status, reason) is that of the report applied last; its position in the
//     carrier's list is the highest ever seen.
//   - An event from before the registration (less a grace) belongs to an earlier use of the number and is ignored. Of a
//     day without an hour the end counts. Where the carrier gave a cancelled shipment's number again, so does all from
//     before that one's end, and what that one knew, without any grace; of one that has arrived, all from before its
//     end or the grant, whichever was sooner.
//   - An event without a time takes the moment at which it was first seen, zone assumed. A snapshot without a time is a
//     new event only when its status or code differs from the last one's (a code that only became known or unknown to
//     the profile is the same event). In a history the first sighting of a code at a place stands for all of them. For
//     such events, and only for them, the order of the reports is the order of what happened.
//   - At most 500 events of a report are taken (the newest) and at most 2,000 kept of a shipment. Past these limits the
//     order of reports may matter.
//
// WHAT IT MEANS is a fold over the canonical history (history.h) that starts at `registered` and asks a table of
// verdicts (fold.h) about each event. Status, reason and number of attempts always come from the whole fold.
//
// WHAT IS TOLD are the steps of the fold that were not told before; nothing is told twice or taken back.
//   - Steps that an import's first report (the baseline) explains count as told. Only where the import asks for it are
//     they told, marked as backfill.
//   - A step that lies before something already told is late. It is told when it is a failed attempt, or a status that
//     the shipment was never told to have; else it is only stored.
//   - A step that changes the present status is always told, as the last one and not as late, wherever it lies and
//     whatever caused it: with what is not late, a consumer arrives at the present status. (The exception: an event
//     that changed its meaning or its place in the history, or that turns up in the past, can make an old step, told
//     long ago, the present one again.)
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carriers/tracking.h"

namespace remitod::db {

/// An event as stored. `baseline` events are history from before we followed the shipment: they move the status
/// silently.
struct KnownEvent {
  TrackingEvent event;  ///< its occurred_at is always set
  Instant detected_at{};
  bool baseline = false;
  friend bool operator==(const KnownEvent&, const KnownEvent&) = default;
};

/// What was already emitted of a shipment: enough to never say it twice.
struct EmittedStep {
  std::string event_key;  ///< of the event that caused it
  Status status = Status::registered;
  bool inferred = false;
  friend auto operator<=>(const EmittedStep&, const EmittedStep&) = default;
};

/// All that is known of a shipment before a report is applied.
struct KnownShipment {
  std::optional<Instant> registered_at;  ///< absent for imports that do not say
  bool baseline = false;  ///< the next report is history, not news (an import that the carrier has not answered yet)
  bool backfill = false;  ///< such history is told all the same, marked as what it is
  Status status = Status::registered;
  Reason reason = Reason::none;
  int attempts_failed = 0;
  std::vector<KnownEvent> events;  ///< in any order
  std::vector<EmittedStep> emitted;
  /// Where another shipment had this number before which was cancelled, or arrived and the number was granted anew:
  /// until when, and, of one that was cancelled, the keys of its events.
  std::optional<Instant> number_free_since = {};
  std::set<std::string> events_of_use_before = {};
};

struct ReconcileRules {
  std::chrono::hours registration_grace{48};
  /// `now` is when the report came, and that may be long ago: an event without a time is compared with what had been
  /// seen by then, and an older wording of a known event explains it at most.
  bool read_again = false;
  /// What the carrier dates later has not happened yet. Absent: all of it has.
  std::optional<Instant> future_after = {};
  bool leaves_out_future = true;
};

/// An event may be so far ahead of our clock: one of the two is wrong then. Beyond it the carrier tells of what it
/// plans, or its profile states the wrong zone.
inline constexpr std::chrono::hours event_ahead_max{2};
/// How many events of a report lie further ahead of `now`.
std::size_t events_ahead(const Report& report, Instant now);

inline constexpr std::size_t report_events_max = 500;
inline constexpr std::size_t shipment_events_max = 2000;

/// A change of a shipment that is to be emitted.
struct ShipmentTransition {
  std::string event_key;  ///< of the event that caused it; with `to` and `inferred` it names the transition
  Status from = Status::registered;
  Status to = Status::registered;
  Reason reason = Reason::none;
  int attempt = 0;  ///< 1, 2, ... for attempt_failed as far as known now; else 0
  std::string code;
  std::string text;
  std::string place;
  std::optional<OccurredAt> occurred_at;
  bool inferred = false;    ///< the carrier never said it, but what followed implies it
  bool late = false;        ///< fills in the past of something already emitted; the present status is not this one
  bool correction = false;  ///< takes back a terminal status
  bool backfill = false;    ///< history that an import brought
  friend bool operator==(const ShipmentTransition&, const ShipmentTransition&) = default;
};

struct Reconciled {
  std::vector<KnownEvent> new_events;  ///< in canonical order, code and place with their blanks collapsed
  /// Known events whose mutable parts (text, status, reason, position) the report changed.
  std::vector<KnownEvent> updated_events;
  std::vector<ShipmentTransition> transitions;  ///< in the order in which they are to be emitted
  Status status = Status::registered;
  Reason reason = Reason::none;
  /// Of the event that gave the status. Absent: nothing has happened yet, or the shipment expired (our own decision).
  std::optional<OccurredAt> status_at;
  int attempts_failed = 0;
  std::size_t noise = 0;       ///< new events that claim another status than the rules let them
  std::size_t too_old = 0;     ///< events of an earlier use of the number: ignored
  std::size_t ahead = 0;       ///< new events after ReconcileRules::future_after
  std::size_t over_limit = 0;  ///< events past report_events_max or shipment_events_max: ignored
  std::size_t unmapped = 0;    ///< new events with a code that the profile does not know
};

/// Identity of an event: code, normalised time and place; never the wording. At most 200 bytes, printable; "-" stands
/// for a time that is absent.
std::string event_key(const TrackingEvent& event);

/// `known.baseline` makes the report's events the baseline and gives no transitions, or with `known.backfill` those of
/// history; where something was told all the same (a cancellation of ours), also what changes the present status since.
/// A report of not_found_yet or gone, or one that says nothing new, changes nothing.
Reconciled reconcile(const KnownShipment& known, const Report& report, const ReconcileRules& rules, Instant now);

}  // namespace remitod::db
