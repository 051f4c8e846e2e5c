// When a carrier may be asked at all: windows in which it may and blackouts in which it may not, in its local time.
#pragma once

#include <bitset>
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "scheduler/calendar.h"

namespace remitod::scheduler {

/// Days and the part of each that is meant. As it is written:
///
///   rule  = [days] [times]                       one of them at least
///   days  = "daily" | day {"," day} | DATE [".." DATE]
///   day   = NAME ["-" NAME] | "holiday"          NAME: mon tue wed thu fri sat sun; "sat-mon" goes over the Sunday
///   times = HH:MM "-" HH:MM                      to 24:00; where the end is not after the beginning, into the next day
///
/// Without days every day is meant, without times all of it. What goes into the next day belongs to the day on which it
/// begins.
struct HoursRule {
  static constexpr std::size_t holiday = 7;  ///< after Monday (0) to Sunday (6)
  std::bitset<8> days;
  std::chrono::local_days first{}, last{};  ///< dates; only where no `days` are meant
  std::chrono::minutes from{0}, to{24 * 60};

  /// The error says what was expected.
  static std::expected<HoursRule, std::string> parse(std::string_view text);
  friend bool operator==(const HoursRule&, const HoursRule&) = default;
};

/// A holiday has windows of its own ("holiday 09:00-12:00", "daily"); those of its weekday do not hold. Blackouts of
/// its weekday do: where two readings are possible, nothing is sent. Immutable; any thread.
class OpenHours {
 public:
  /// Without windows it is always open, but for blackouts.
  OpenHours(Calendar calendar, std::vector<HoursRule> windows, std::vector<HoursRule> blackouts);

  struct Span {
    bool open = true;
    Instant until{};  ///< up to here, exclusively, nothing changes; it may go on likewise
  };
  /// At `now` and for a while. Costs a look at every rule: to be kept until `until`.
  Span at(Instant now) const;
  /// The first moment from `now` on that is open; nothing: none within two years.
  std::optional<Instant> next_open(Instant now) const;

  const Calendar& calendar() const { return calendar_; }

 private:
  Calendar calendar_;
  std::vector<HoursRule> windows_, blackouts_;
};

}  // namespace remitod::scheduler
