#include "db/reconcile.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "db/emission.h"
#include "db/fold.h"
#include "db/history.h"

namespace remitod::db {
namespace {

History remembered(const KnownShipment& known) {
  History history;
  history.reserve(known.events.size());
  for (const KnownEvent& event : known.events)
    history.push_back({.known = event, .key = event_key(event.event), .novelty = Novelty::settled});
  return history;
}

// ---------------------------------------------------------------- events without a time

/// Was its time the moment at which we first saw it, for want of any other?
bool is_observed(const KnownEvent& known) {
  const std::optional<OccurredAt>& occurred_at = known.event.occurred_at;
  return occurred_at && occurred_at->zone == ZoneSource::assumed && !occurred_at->date_only &&
         occurred_at->at == known.detected_at;
}

/// The same state still, though the profile may have learned or unlearned its code since.
bool shows_same_state(const TrackingEvent& last, const TrackingEvent& now) {
  return last.code == now.code &&
         (last.status == now.status || last.status == Status::unmapped || now.status == Status::unmapped);
}

/// The observed event that `event`, which has no time, only repeats; one first seen after `until` is none.
const TrackingEvent* repeated_by(const TrackingEvent& event, Report::Kind kind, const History& history,
                                 std::optional<Instant> until) {
  const bool snapshot = kind == Report::Kind::snapshot;
  const HistoryEntry* latest = nullptr;
  for (const HistoryEntry& entry : history) {
    const TrackingEvent& seen = entry.known.event;
    if (!is_observed(entry.known) || (until && entry.known.detected_at > *until)) continue;
    if (!snapshot && (seen.code != event.code || seen.place != event.place)) continue;
    if (latest == nullptr ||
        std::tie(entry.known.detected_at, entry.key) > std::tie(latest->known.detected_at, latest->key))
      latest = &entry;
  }
  if (latest == nullptr || (snapshot && !shows_same_state(latest->known.event, event))) return nullptr;
  return &latest->known.event;
}

// ---------------------------------------------------------------- what a report brings

TrackingEvent normalised(TrackingEvent event, Report::Kind kind, const History& history, const ReconcileRules& rules,
                         Instant now) {
  event.code = collapse_blanks(event.code);
  event.place = collapse_blanks(event.place);
  if (event.occurred_at) return event;
  // A clock that was set back is no reason to take what was seen for unseen: only a report of another time is.
  const std::optional<Instant> until = rules.read_again ? std::optional(now) : std::nullopt;
  if (const TrackingEvent* const seen = repeated_by(event, kind, history, until)) {
    event.occurred_at = seen->occurred_at;
    event.place = seen->place;
  } else {
    event.occurred_at = OccurredAt{.at = now, .zone = ZoneSource::assumed};
  }
  return event;
}

/// Of the same event twice in one report, the line that the carrier has last counts, in whatever order we got them.
bool supersedes(const TrackingEvent& line, const TrackingEvent& other) {
  const auto standing = [](const TrackingEvent& event) {
    return std::tuple(event.position, rank(event.status), event.reason, std::string_view(event.text));
  };
  return standing(line) > standing(other);
}

bool is_too_old(const TrackingEvent& event, const std::string& key, const KnownShipment& known,
                const ReconcileRules& rules) {
  const auto length = event.occurred_at->date_only ? std::chrono::hours{24} : std::chrono::hours{0};
  const Instant end = event.occurred_at->at + length;
  if (known.number_free_since && (end < *known.number_free_since || known.events_of_use_before.contains(key)))
    return true;
  return known.registered_at && end < *known.registered_at - rules.registration_grace;
}

/// The events of a report as if they were all new: each once, none of an earlier cycle, in canonical order, bounded.
History taken_from(const Report& report, const History& history, const KnownShipment& known,
                   const ReconcileRules& rules, Instant now, Reconciled& result) {
  if (!tells_events(report.kind)) return {};
  std::map<std::string, TrackingEvent> once;
  for (const TrackingEvent& line : report.events) {
    TrackingEvent event = normalised(line, report.kind, history, rules, now);
    const auto [place, is_first] = once.try_emplace(event_key(event), event);
    if (!is_first && supersedes(event, place->second)) place->second = std::move(event);
  }

  History taken;
  for (auto& [key, event] : once) {
    if (is_too_old(event, key, known, rules))
      ++result.too_old;
    else
      taken.push_back({.known = {.event = std::move(event), .detected_at = now, .baseline = known.baseline},
                       .key = key,
                       .novelty = Novelty::fresh});
  }
  sort_canonically(taken);
  if (taken.size() > report_events_max) {
    const std::size_t excess = taken.size() - report_events_max;
    taken.erase(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(excess));
    result.over_limit += excess;
  }
  return taken;
}

// ---------------------------------------------------------------- known x taken

/// An answer that is read again may have an older wording than what is known: what the carrier said last stands, and
/// only what nobody understood is explained.
void update(HistoryEntry& entry, const TrackingEvent& line, const ReconcileRules& rules) {
  TrackingEvent& event = entry.known.event;
  const TrackingEvent before = event;
  const bool older_wording = rules.read_again && line.text != event.text;
  if (!older_wording) event.text = line.text;
  if (!older_wording || event.status == Status::unmapped) {
    event.status = line.status;
    event.reason = line.reason;
  }
  event.position = std::max(event.position, line.position);
  if (event.status != before.status)
    entry.novelty = Novelty::explained;
  else if (event != before)
    entry.novelty = Novelty::reworded;
}

void add(History& history, HistoryEntry entry, const ReconcileRules& rules, Reconciled& result) {
  const bool is_ahead = rules.future_after && entry.known.event.occurred_at->at > *rules.future_after;
  if (is_ahead) ++result.ahead;
  if (is_ahead && rules.leaves_out_future) return;
  if (history.size() < shipment_events_max)
    history.push_back(std::move(entry));
  else
    ++result.over_limit;
}

/// Newest first, so that the limit of a shipment hits what matters least.
void merge(History& history, History taken, const ReconcileRules& rules, Reconciled& result) {
  std::unordered_map<std::string, std::size_t> known_at;
  for (std::size_t i = 0; i < history.size(); ++i) known_at.emplace(history[i].key, i);
  for (HistoryEntry& entry : taken | std::views::reverse) {
    if (const auto found = known_at.find(entry.key); found != known_at.end())
      update(history[found->second], entry.known.event, rules);
    else
      add(history, std::move(entry), rules, result);
  }
}

/// Where our having given the shipment up stands in its history: after the last event that was known, and meant what
/// it means, when we did.
std::optional<std::size_t> expired_before(const KnownShipment& known, const History& history) {
  if (known.status != Status::expired) return std::nullopt;
  std::size_t before = 0;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (was_known(history[i])) before = i + 1;
  return before;
}

void collect_events(const History& history, const Folded& folded, Reconciled& result) {
  for (const HistoryEntry& entry : history) {
    if (entry.novelty == Novelty::settled) continue;
    const bool fresh = entry.novelty == Novelty::fresh;
    (fresh ? result.new_events : result.updated_events).push_back(entry.known);
    if (fresh && entry.known.event.status == Status::unmapped) ++result.unmapped;
  }
  result.noise = static_cast<std::size_t>(
      std::ranges::count_if(folded.noise, [&](std::size_t entry) { return history[entry].novelty == Novelty::fresh; }));
}

/// What a baseline tells where it is to be told at all.
std::vector<ShipmentTransition> backfill_transitions(const KnownShipment& known, History history,
                                                     const Folded& folded) {
  for (HistoryEntry& entry : history) entry.known.baseline = false;
  std::vector<ShipmentTransition> transitions = untold_transitions(known, history, folded);
  // What lies after something told (a cancellation of ours) is no history.
  for (ShipmentTransition& transition : transitions) transition.backfill = known.emitted.empty() || transition.late;
  return transitions;
}

}  // namespace

std::size_t events_ahead(const Report& report, Instant now) {
  return static_cast<std::size_t>(std::ranges::count_if(report.events, [now](const TrackingEvent& event) {
    return event.occurred_at && event.occurred_at->at > now + event_ahead_max;
  }));
}

Reconciled reconcile(const KnownShipment& known, const Report& report, const ReconcileRules& rules, Instant now) {
  Reconciled result;
  History history = remembered(known);
  merge(history, taken_from(report, history, known, rules, now, result), rules, result);
  sort_canonically(history);

  const Folded folded = fold(history, expired_before(known, history));
  result.status = folded.status;
  result.reason = folded.reason;
  result.status_at = folded.status_at;
  result.attempts_failed = folded.attempts_failed;
  collect_events(history, folded, result);
  if (known.baseline && known.backfill)
    result.transitions = backfill_transitions(known, std::move(history), folded);
  else if (!known.baseline || !known.emitted.empty())
    result.transitions = untold_transitions(known, history, folded);
  return result;
}

}  // namespace remitod::db
