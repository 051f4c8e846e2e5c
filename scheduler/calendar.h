// The local clock of a carrier and the days on which its country rests: what windows, blackouts and the model of
// publications count in.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"

namespace date {
class time_zone;
}

namespace remitod::scheduler {

/// A day that comes every year, at a date or so many days from Easter Sunday, from a year on.
struct YearlyHoliday {
  unsigned month = 0;  ///< 0: counted from Easter
  unsigned day = 0;
  int days_from_easter = 0;
  int since = 0;  ///< the first year; 0: always
};

/// Named lists that are in the program: "peru". Empty where there is none of that name. calendar_holidays.cpp has their
/// sources.
std::span<const YearlyHoliday> built_in_holidays(std::string_view name);
std::span<const std::string_view> built_in_holiday_names();

/// Of the Gregorian calendar.
std::chrono::local_days easter_sunday(int year);

/// Immutable; any thread.
class Calendar {
 public:
  /// `zone` is an IANA name. Each holiday is a built-in list ("peru"), a date of every year ("08-15") or a single one
  /// ("2026-12-24"). The error says which is wrong, and what was expected.
  static std::expected<Calendar, std::string> make(std::string_view zone, std::span<const std::string> holidays);

  struct Local {
    std::chrono::local_days day{};
    std::chrono::microseconds time{};  ///< since midnight by the clock on the wall, 0 to 24 h
    Instant clock_change{};            ///< up to here, exclusively, the wall runs like UTC
  };
  Local local(Instant at) const;
  bool is_holiday(std::chrono::local_days day) const;

 private:
  explicit Calendar(const date::time_zone& zone) : zone_(&zone) {}
  bool add_holiday(std::string_view text);

  const date::time_zone* zone_;  ///< of the program's table of zones, which lives as long as it
  std::vector<YearlyHoliday> yearly_;
  std::vector<std::chrono::local_days> single_;  ///< sorted
};

/// "2026-12-24", if that is a date that exists.
std::optional<std::chrono::local_days> parse_date(std::string_view text);

}  // namespace remitod::scheduler
