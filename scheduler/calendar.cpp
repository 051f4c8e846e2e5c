#include "scheduler/calendar.h"

#include <date/tz.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace remitod::scheduler {
namespace {

using std::chrono::local_days, std::chrono::year_month_day;

std::optional<unsigned> digits(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<year_month_day> date_of(unsigned year, std::string_view month_and_day) {
  if (month_and_day.size() != 5 || month_and_day[2] != '-') return std::nullopt;
  const auto month = digits(month_and_day.substr(0, 2)), day = digits(month_and_day.substr(3));
  if (!month || !day) return std::nullopt;
  const year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(*month),
                            std::chrono::day(*day)};
  return date.ok() ? std::optional(date) : std::nullopt;
}

std::string expected_holiday(std::string_view found) {
  std::string names;
  for (const std::string_view name : built_in_holiday_names()) names += "\"" + std::string(name) + "\", ";
  return "\"" + std::string(found.substr(0, 60)) + "\": expected " + names +
         "a date of every year (\"08-15\") or a date (\"2026-12-24\")";
}

bool falls_on(const YearlyHoliday& holiday, local_days day, year_month_day date) {
  const int year = static_cast<int>(date.year());
  if (year < holiday.since) return false;
  if (holiday.month == 0) return day == easter_sunday(year) + std::chrono::days{holiday.days_from_easter};
  return unsigned{date.month()} == holiday.month && unsigned{date.day()} == holiday.day;
}

}  // namespace

std::optional<local_days> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4));
  const auto date = year ? date_of(*year, text.substr(5)) : std::nullopt;
  return date ? std::optional<local_days>(*date) : std::nullopt;
}

std::expected<Calendar, std::string> Calendar::make(std::string_view zone, std::span<const std::string> holidays) {
  const date::time_zone* found = nullptr;
  try {
    found = date::locate_zone(zone);
  } catch (const std::runtime_error&) {
    return std::unexpected("\"" + std::string(zone.substr(0, 60)) +
                           "\" is not an IANA time zone such as \"America/Lima\"");
  }
  Calendar calendar(*found);
  for (const std::string& holiday : holidays)
    if (!calendar.add_holiday(holiday)) return std::unexpected(expected_holiday(holiday));
  std::ranges::sort(calendar.single_);
  return calendar;
}

bool Calendar::add_holiday(std::string_view text) {
  constexpr unsigned leap_year = 2024;  // so that 02-29 is a date
  if (const auto list = built_in_holidays(text); !list.empty()) {
    yearly_.insert(yearly_.end(), list.begin(), list.end());
  } else if (const auto single = parse_date(text)) {
    single_.push_back(*single);
  } else if (const auto yearly = date_of(leap_year, text)) {
    yearly_.push_back({.month = unsigned{yearly->month()}, .day = unsigned{yearly->day()}});
  } else {
    return false;
  }
  return true;
}

Calendar::Local Calendar::local(Instant at) const {
  const date::sys_info info = zone_->get_info(at);
  const std::chrono::local_time<std::chrono::microseconds> wall{at.time_since_epoch() + info.offset};
  const local_days day = std::chrono::floor<std::chrono::days>(wall);
  return {day, wall - day, info.end};
}

bool Calendar::is_holiday(local_days day) const {
  if (std::ranges::binary_search(single_, day)) return true;
  const year_month_day date{day};
  return std::ranges::any_of(yearly_, [&](const YearlyHoliday& holiday) { return falls_on(holiday, day, date); });
}

}  // namespace remitod::scheduler
