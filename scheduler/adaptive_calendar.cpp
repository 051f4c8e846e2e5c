#include "scheduler/adaptive_calendar.h"

#include <algorithm>

namespace remitod::scheduler {
namespace {

/// 1970-01-01 was a Thursday; Monday is 0.
std::int64_t weekday(std::int64_t local_day) {
  return (local_day + 3) % 7;
}

DayType type_of_weekday(std::int64_t weekday) {
  if (weekday < 4) return DayType::monday_to_thursday;
  if (weekday == 4) return DayType::friday;
  return weekday == 5 ? DayType::saturday : DayType::sunday;
}

std::int64_t local_seconds(const Calendar::Local& local) {
  return std::int64_t{local.day.time_since_epoch().count()} * day_s +
         std::chrono::floor<std::chrono::seconds>(local.time).count();
}

}  // namespace

AdaptiveCalendar::AdaptiveCalendar(const Calendar& calendar, Second from, Second to) {
  for (Second at = from; at < to;) {
    const Calendar::Local local = calendar.local(to_instant(at));
    offsets_.push_back({at, static_cast<std::int32_t>(local_seconds(local) - std::int64_t{at})});
    const Second change = to_second(local.clock_change);
    if (change <= at) break;
    at = change;
  }
  const std::int64_t last = local(to) / day_s;
  for (std::int64_t day = local(from) / day_s; day <= last; ++day)
    if (calendar.is_holiday(std::chrono::local_days{std::chrono::days{day}})) holidays_.push_back(day);
}

std::int32_t AdaptiveCalendar::offset(Second moment) const {
  if (offsets_.empty()) return 0;
  const auto next = std::ranges::upper_bound(offsets_, moment, {}, &Offset::from);
  return next == offsets_.begin() ? offsets_.front().seconds : std::prev(next)->seconds;
}

DayType AdaptiveCalendar::day_type(std::int64_t local_day) const {
  if (std::ranges::binary_search(holidays_, local_day)) return DayType::sunday;
  return type_of_weekday(weekday(local_day));
}

std::size_t AdaptiveCalendar::slot_class(Second moment) const {
  const std::int64_t at = local(moment);
  return static_cast<std::size_t>(day_type(at / day_s)) * slots_per_day + static_cast<std::size_t>(at % day_s / slot_s);
}

std::size_t AdaptiveCalendar::week_step(Second moment) const {
  const std::int64_t at = local(moment);
  const std::int64_t day = at / day_s;
  const std::int64_t weekday_meant = day_type(day) == DayType::sunday ? 6 : weekday(day);
  return static_cast<std::size_t>((weekday_meant * day_s + at % day_s) / step_s);
}

std::size_t slot_class_of_step(std::size_t week_step) {
  constexpr std::size_t steps_per_day = day_s / step_s;
  const DayType type = type_of_weekday(static_cast<std::int64_t>(week_step / steps_per_day));
  return static_cast<std::size_t>(type) * slots_per_day + week_step % steps_per_day * step_s / slot_s;
}

}  // namespace remitod::scheduler
