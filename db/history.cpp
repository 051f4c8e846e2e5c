#include "db/history.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace remitod::db {
namespace {

using std::chrono::hours;

/// How far down the carrier's list, and how far along. Compared in this order.
using Progress = std::pair<std::uint32_t, int>;

/// What an entry is sorted by.
struct SortKey {
  Instant anchor{};   ///< start of the day where dates without hours share it; else the time itself
  Progress reached;   ///< on its day: the furthest of all that happened until then
  Progress progress;  ///< its own
  bool date_only = false;
  Instant at{};
  std::size_t entry = 0;
};

Instant claimed_at(const KnownEvent& known) {
  return known.event.occurred_at ? known.event.occurred_at->at : known.detected_at;
}

bool is_date_only(const KnownEvent& known) {
  return known.event.occurred_at && known.event.occurred_at->date_only;
}

/// The days that some event names without an hour, ascending.
std::vector<Instant> dated_days(const History& history) {
  std::vector<Instant> days;
  for (const HistoryEntry& entry : history)
    if (is_date_only(entry.known)) days.push_back(claimed_at(entry.known));
  std::ranges::sort(days);
  return days;
}

/// The latest of `days` that holds `at`, or `at` where none does.
Instant anchor_of(Instant at, const std::vector<Instant>& days) {
  const auto after = std::ranges::upper_bound(days, at);
  if (after == days.begin()) return at;
  const Instant day = *std::prev(after);
  return at - day < hours{24} ? day : at;
}

/// Timed events stay in the order of their times whatever the list says: each reaches at least as far as those before.
void carry_forward(std::vector<SortKey>& keys, const History& history) {
  std::ranges::sort(keys, {}, [&](const SortKey& key) {
    return std::tuple(key.at, key.progress, std::string_view(history[key.entry].key));
  });
  std::map<Instant, Progress> furthest;
  for (SortKey& key : keys) {
    key.reached = key.progress;
    if (key.date_only) continue;
    Progress& until_then = furthest[key.anchor];
    key.reached = until_then = std::max(until_then, key.progress);
  }
}

}  // namespace

int rank(Status status) {
  static constexpr std::array<int, status_count> ranks{
      0,   // registered
      1,   // picked_up
      2,   // in_transit
      4,   // out_for_delivery
      5,   // available_for_pickup
      6,   // attempt_failed
      7,   // delivered
      8,   // returning
      9,   // returned
      3,   // exception
      10,  // cancelled
      11,  // expired
      12,  // unmapped
  };
  return ranks[static_cast<std::size_t>(status)];
}

void sort_canonically(History& history) {
  const std::vector<Instant> days = dated_days(history);
  std::vector<SortKey> keys;
  keys.reserve(history.size());
  for (std::size_t i = 0; i < history.size(); ++i) {
    const KnownEvent& known = history[i].known;
    keys.push_back({.anchor = anchor_of(claimed_at(known), days),
                    .reached = {},
                    .progress = {known.event.position, rank(known.event.status)},
                    .date_only = is_date_only(known),
                    .at = claimed_at(known),
                    .entry = i});
  }
  carry_forward(keys, history);
  std::ranges::sort(keys, {}, [&](const SortKey& key) {
    return std::tuple(key.anchor, key.reached, key.date_only, key.at, key.progress,
                      std::string_view(history[key.entry].key));
  });

  History sorted;
  sorted.reserve(history.size());
  for (const SortKey& key : keys) sorted.push_back(std::move(history[key.entry]));
  history = std::move(sorted);
}

}  // namespace remitod::db
