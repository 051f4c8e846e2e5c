// Local time as publication sees it: which kind of day it is for the carrier, and where in its week a moment lies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "scheduler/calendar.h"
#include "scheduler/moments.h"

namespace remitod::scheduler {

inline constexpr Second minute_s = 60;
inline constexpr Second hour_s = 3600;
inline constexpr Second day_s = 86400;
inline constexpr Second slot_s = 600;                              ///< resolution of what is learned
inline constexpr std::size_t slots_per_day = day_s / slot_s;       ///< 144
inline constexpr Second step_s = 300;                              ///< resolution of what is planned
inline constexpr std::size_t steps_per_week = 7 * day_s / step_s;  ///< 2016

/// Days that carriers tell apart. A public holiday is a Sunday.
enum class DayType : std::uint8_t { monday_to_thursday, friday, saturday, sunday };
inline constexpr std::size_t day_types = 4;
/// A slot of a day of a type: what a publication rate is kept for.
inline constexpr std::size_t slot_classes = day_types * slots_per_day;

/// A Calendar made fast: the model asks for millions of moments. Immutable; any thread.
class AdaptiveCalendar {
 public:
  /// UTC, without holidays.
  AdaptiveCalendar() = default;
  /// Knows the clock changes and holidays of `calendar` from `from` to `to`, and goes on with the last clock after
  /// that.
  AdaptiveCalendar(const Calendar& calendar, Second from, Second to);

  std::int64_t local(Second moment) const { return std::int64_t{moment} + offset(moment); }
  /// `local_day`: days since 1970-01-01 by the clock on the wall.
  DayType day_type(std::int64_t local_day) const;
  /// 0 to slot_classes - 1.
  std::size_t slot_class(Second moment) const;
  /// 0 to steps_per_week - 1, Monday 00:00 local first. On a holiday: the same time of a Sunday.
  std::size_t week_step(Second moment) const;
  /// Seconds into the step in which `moment` lies.
  Second into_step(Second moment) const { return static_cast<Second>(local(moment) % step_s); }

 private:
  struct Offset {
    Second from = 0;
    std::int32_t seconds = 0;  ///< east of UTC
  };
  std::int32_t offset(Second moment) const;

  std::vector<Offset> offsets_;         ///< sorted; none: UTC
  std::vector<std::int64_t> holidays_;  ///< local days, sorted
};

/// The slot class of a step of a week without holidays.
std::size_t slot_class_of_step(std::size_t week_step);

}  // namespace remitod::scheduler
