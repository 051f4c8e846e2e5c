#include "scheduler/limits_hours.h"

#include <algorithm>
#include <array>
#include <utility>

namespace remitod::scheduler {
namespace {

using std::chrono::days, std::chrono::local_days, std::chrono::minutes;

constexpr std::array<std::string_view, 8> day_names{"mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"};
constexpr minutes whole_day{24 * 60};
constexpr days looked_ahead{731};

// ------------------------------------------------------------------ as it is written

/// The text up to `separator`, which is cut off with it; all of it where there is none.
std::string_view cut(std::string_view& text, std::string_view separator) {
  const std::size_t at = std::min(text.find(separator), text.size());
  const std::string_view head = text.substr(0, at);
  text.remove_prefix(std::min(at + separator.size(), text.size()));
  return head;
}

std::optional<std::size_t> day_number(std::string_view name) {
  const auto found = std::ranges::find(day_names, name);
  if (found == day_names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - day_names.begin());
}

std::optional<std::bitset<8>> parse_days(std::string_view text) {
  std::bitset<8> meant;
  if (text == "daily") return meant.set();
  if (text.ends_with(',')) return std::nullopt;
  while (!text.empty()) {
    std::string_view to = cut(text, ",");
    const bool is_range = to.contains('-');
    const auto first = day_number(cut(to, "-"));
    const auto last = is_range ? day_number(to) : first;
    if (!first || !last || (is_range && std::max(*first, *last) == HoursRule::holiday)) return std::nullopt;
    meant.set(*first);
    for (std::size_t day = *first; day != *last; meant.set(day)) day = (day + 1) % 7;
  }
  return meant.any() ? std::optional(meant) : std::nullopt;
}

std::optional<int> two_digits(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 2 || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  return (text[0] - '0') * 10 + (text[1] - '0');
}

std::optional<minutes> parse_time(std::string_view text) {
  const auto hour = two_digits(cut(text, ":")), minute = two_digits(text);
  if (!hour || !minute || *minute > 59) return std::nullopt;
  const minutes time = std::chrono::hours{*hour} + minutes{*minute};
  return time <= whole_day ? std::optional(time) : std::nullopt;
}

bool read_times(std::string_view text, HoursRule& rule) {
  const auto from = parse_time(cut(text, "-")), to = parse_time(text);
  if (!from || !to || *from == whole_day || *from == *to) return false;
  rule.from = *from;
  rule.to = *to;
  return true;
}

bool read_days(std::string_view text, HoursRule& rule) {
  if (const auto meant = parse_days(text)) {
    rule.days = *meant;
    return true;
  }
  const bool is_range = text.contains("..");
  const auto first = parse_date(cut(text, ".."));
  const auto last = is_range ? parse_date(text) : first;
  if (!first || !last || *last < *first) return false;
  rule.days.reset();
  rule.first = *first;
  rule.last = *last;
  return true;
}

// ------------------------------------------------------------------ what it means

struct Day {
  local_days date{};
  std::bitset<8> as_window, as_blackout;
};

Day day_of(const Calendar& calendar, local_days date) {
  Day day{.date = date, .as_window = {}, .as_blackout = {}};
  day.as_blackout.set(std::chrono::weekday{date}.iso_encoding() - 1);
  const bool is_holiday = calendar.is_holiday(date);
  if (is_holiday)
    day.as_window.set(HoursRule::holiday);
  else
    day.as_window = day.as_blackout;
  if (is_holiday) day.as_blackout.set(HoursRule::holiday);
  return day;
}

bool means(const HoursRule& rule, local_days date, std::bitset<8> kinds) {
  if (rule.days.any()) return (rule.days & kinds).any();
  return rule.first <= date && date <= rule.last;
}

bool wraps(const HoursRule& rule) {
  return rule.to <= rule.from;
}

using Kinds = std::bitset<8> Day::*;

bool holds(const HoursRule& rule, const Day& today, const Day& yesterday, Kinds kinds, std::chrono::microseconds time) {
  if (means(rule, today.date, today.*kinds) && time >= rule.from && (wraps(rule) || time < rule.to)) return true;
  return wraps(rule) && means(rule, yesterday.date, yesterday.*kinds) && time < rule.to;
}

}  // namespace

std::expected<HoursRule, std::string> HoursRule::parse(std::string_view text) {
  const std::string_view whole = text;
  HoursRule rule;
  rule.days.set();
  const std::string_view first = cut(text, " ");
  const bool is_right = text.empty() && !whole.ends_with(' ') ? read_days(first, rule) || read_times(first, rule)
                                                              : read_days(first, rule) && read_times(text, rule);
  if (is_right) return rule;
  return std::unexpected("\"" + std::string(whole.substr(0, 60)) +
                         "\": expected days, times or both, as in \"mon-fri 08:00-18:00\", \"sat,holiday\", "
                         "\"22:00-05:30\", \"2026-12-24 13:00-24:00\" or \"2026-12-31..2027-01-02\"");
}

OpenHours::OpenHours(Calendar calendar, std::vector<HoursRule> windows, std::vector<HoursRule> blackouts)
    : calendar_(std::move(calendar)), windows_(std::move(windows)), blackouts_(std::move(blackouts)) {}

OpenHours::Span OpenHours::at(Instant now) const {
  const Calendar::Local local = calendar_.local(now);
  const Day today = day_of(calendar_, local.day), yesterday = day_of(calendar_, local.day - days{1});
  std::chrono::microseconds change = whole_day;
  const auto any_holds = [&](const std::vector<HoursRule>& rules, Kinds kinds) {
    bool found = false;
    for (const HoursRule& rule : rules) {
      found = found || holds(rule, today, yesterday, kinds, local.time);
      for (const minutes edge : {rule.from, rule.to})
        if (edge > local.time) change = std::min<std::chrono::microseconds>(change, edge);
    }
    return found;
  };
  const bool in_window = any_holds(windows_, &Day::as_window) || windows_.empty();
  const bool in_blackout = any_holds(blackouts_, &Day::as_blackout);
  return {in_window && !in_blackout, std::min(now + (change - local.time), local.clock_change)};
}

std::optional<Instant> OpenHours::next_open(Instant now) const {
  const Instant end = now + looked_ahead;
  for (Instant moment = now; moment < end;) {
    const Span span = at(moment);
    if (span.open) return moment;
    moment = span.until;
  }
  return std::nullopt;
}

}  // namespace remitod::scheduler
