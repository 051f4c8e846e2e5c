// The canonical history of a shipment: its events in the one order that every order of the same reports leads to.
// Private to db/.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/reconcile.h"

namespace remitod::db {

/// What a report did to an event.
enum class Novelty : std::uint8_t {
  settled,    ///< known, and it means what it meant
  reworded,   ///< known; text, reason or position changed
  explained,  ///< known; its status changed, as a better profile makes it
  fresh,
};

struct HistoryEntry {
  KnownEvent known;
  std::string key;  ///< event_key of the event
  Novelty novelty = Novelty::settled;
};
using History = std::vector<HistoryEntry>;

/// It was known before this report, and meant what it means.
inline bool was_known(const HistoryEntry& entry) {
  return entry.novelty == Novelty::settled || entry.novelty == Novelty::reworded;
}

/// Sorts by time, then position in the carrier's list, then rank of the status, then key.
///
/// A day without an hour has no place of its own among the times of that day, so there the carrier's list decides: the
/// event comes after the last timed one of its day that the list has before it. Days are the 24 hours from the local
/// midnight that the event names, which needs no zone. Two timed events never change places for it; within one day of
/// dates only, it is the list's order.
///
/// A total order as long as the keys differ.
void sort_canonically(History& history);

/// How far along a status is, to order what the carrier puts at one time and one position.
int rank(Status status);

/// Runs of blanks and control characters become one space; none at the ends.
std::string collapse_blanks(std::string_view text);

}  // namespace remitod::db
