// What an adaptive lane has learned, as bytes for the database, in two parts: waits that ended a while ago, written
// seldom, and what changes with every minute.
//
//   earlier   adaptive_state.h
//   recent    byte     version, 1
//             varint   how many waits `earlier` has: of another number these are not the recent ones
//             varint   bytes of the adaptive state; then it (the waits since, and the rest as of now)
//             varint   a number that tells one way to state a budget from another
//             budget   started (byte), next period (varint), 4 + 6 · (1 + periods) doubles, periods before them
//             (varint) varint   since when the carrier is taken for one that publishes in batches
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "scheduler/adaptive_schedule.h"
#include "scheduler/budget.h"

namespace remitod::scheduler {

struct RecentLessons {
  std::size_t earlier_waits = 0;
  AdaptiveState state;
  std::uint64_t budget_stated = 0;
  Budget::State budget;
  Second batches_since = 0;  ///< LaneLearning has it
  friend bool operator==(const RecentLessons&, const RecentLessons&) = default;
};
std::string serialise(const RecentLessons& lessons);
/// Nothing where the bytes are not what serialise() makes.
std::optional<RecentLessons> parse_recent_lessons(std::string_view bytes);

/// Differs where a budget is stated otherwise: what was owed to that one is not owed to this one.
std::uint64_t number_of(const ScheduleConfig::Budget& budget);

}  // namespace remitod::scheduler
