#include "carriers/time_format.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "carriers/time_cursor.h"

namespace remitod::carriers {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// What stands in a text, each at most once.
struct Fields {
  std::optional<int> year, month, day, hour, hour12, minute, second;
  microseconds fraction{};
  std::optional<bool> afternoon;
  std::optional<minutes> offset;
  std::string_view zone;

  /// Nothing where they make no moment.
  std::optional<WrittenTime> combined() const {
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    const std::optional<int> hour24 = hour_of_24();
    if (!hour24 || minute.value_or(0) > 59 || second.value_or(0) > 59) return std::nullopt;
    const microseconds time = hours{*hour24} + minutes{minute.value_or(0)} + seconds{second.value_or(0)} + fraction;
    if (time > std::chrono::days{1}) return std::nullopt;  // 24:00 is the last moment of a day
    return WrittenTime{.local = std::chrono::local_days{date} + time, .offset = offset, .zone = zone};
  }

 private:
  std::optional<int> hour_of_24() const {
    if (hour12) {
      if (hour || !afternoon || *hour12 < 1 || *hour12 > 12) return std::nullopt;
      return *hour12 % 12 + (*afternoon ? 12 : 0);
    }
    if (!afternoon || !hour) return hour.value_or(0);
    if (*hour > 12) return *afternoon ? hour : std::nullopt;  // "14:03 PM" says it twice
    return *hour % 12 + (*afternoon ? 12 : 0);
  }
};

std::optional<WrittenTime> read_iso(std::string_view text) {
  TimeCursor cursor(text);
  Fields fields;
  const auto part = [&](std::optional<int>& field, std::size_t digits) {
    field = cursor.number(digits, digits);
    return field.has_value();
  };
  if (!part(fields.year, 4) || !cursor.take('-') || !part(fields.month, 2) || !cursor.take('-') || !part(fields.day, 2))
    return std::nullopt;
  const bool date_only = cursor.at_end();
  if (!date_only) {
    if (!cursor.take_any("Tt ") || !part(fields.hour, 2) || !cursor.take(':') || !part(fields.minute, 2))
      return std::nullopt;
    if (cursor.take(':')) {
      if (!part(fields.second, 2)) return std::nullopt;
      fields.fraction = cursor.fraction(".,");
    }
    if (!cursor.at_end()) {
      cursor.take(' ');
      fields.offset = cursor.offset();
      if (!fields.offset || !cursor.at_end()) return std::nullopt;
    }
  }
  std::optional<WrittenTime> time = fields.combined();
  if (time) time->date_only = date_only;
  return time;
}

/// `unit` is what the whole number counts.
std::optional<WrittenTime> read_epoch(std::string_view text, microseconds unit) {
  constexpr std::size_t digits_max = 15;
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (whole.empty() || whole.size() > digits_max || !std::ranges::all_of(whole, is_digit)) return std::nullopt;
  std::int64_t value = 0;
  for (const char digit : whole) value = 10 * value + (digit - '0');
  if (value > microseconds::max() / unit) return std::nullopt;
  TimeCursor rest(text.substr(point));
  const microseconds fraction = rest.fraction(".") / (seconds{1} / unit);
  if (!rest.at_end()) return std::nullopt;
  return WrittenTime{.local = std::chrono::local_time<microseconds>{unit * value + fraction}, .offset = minutes{0}};
}

/// "/Date(1541763000000-0300)/": the number counts from the epoch in UTC, whatever offset is shown behind it.
std::optional<WrittenTime> read_json_date(std::string_view text) {
  constexpr std::string_view opening = "/Date(", closing = ")/";
  if (!text.starts_with(opening) || !text.ends_with(closing)) return std::nullopt;
  text.remove_prefix(opening.size());
  text.remove_suffix(closing.size());
  const std::size_t sign = std::min(text.find_first_of("+-"), text.size());
  TimeCursor offset(text.substr(sign));
  if (sign < text.size() && (!offset.offset() || !offset.at_end())) return std::nullopt;
  return read_epoch(text.substr(0, sign), std::chrono::milliseconds{1});
}

/// Does a number without separators stand at `at` in the pattern?
bool is_number(std::string_view pattern, std::size_t at) {
  constexpr std::string_view numbers = "YymdHIMSf";
  return at + 1 < pattern.size() && pattern[at] == '%' && numbers.contains(pattern[at + 1]);
}

/// `closed`: digits of other numbers stand beside, so that every digit has to be there.
bool read_field(TimeCursor& cursor, char specifier, bool closed, Fields& fields) {
  const auto number = [&](std::optional<int>& field, std::size_t digits) {
    field = cursor.number(closed ? digits : 1, digits);
    return field.has_value();
  };
  switch (specifier) {
    case 'Y':
      return number(fields.year, 4);
    case 'y':
      if (!number(fields.year, 2)) return false;
      *fields.year += *fields.year >= 69 ? 1900 : 2000;
      return true;
    case 'm':
      return number(fields.month, 2);
    case 'd':
      return number(fields.day, 2);
    case 'H':
      return number(fields.hour, 2);
    case 'I':
      return number(fields.hour12, 2);
    case 'M':
      return number(fields.minute, 2);
    case 'S':
      if (!number(fields.second, 2)) return false;
      fields.fraction = cursor.fraction(".,");
      return true;
    case 'f': {
      const std::optional<microseconds> digits = cursor.fraction_digits();
      fields.fraction = digits.value_or(microseconds{});
      return digits.has_value();
    }
    case 'p':
      return (fields.afternoon = cursor.afternoon()).has_value();
    case 'b':
      return (fields.month = cursor.month()).has_value();
    case 'a':
      return !cursor.word().empty();
    case 'z':
      return (fields.offset = cursor.offset()).has_value();
    case 'Z':
      fields.zone = cursor.zone_word();
      return !fields.zone.empty();
    case '%':
      return cursor.take('%');
    default:
      return false;
  }
}

// Not date::from_stream: version 3.0.1 reads an uninitialised variable where %S meets something else than a number, and
// it wants a stream, which makes a time cost 700 ns; a batch has thousands, read whenever its envelope changed.
std::optional<WrittenTime> read_pattern(std::string_view text, std::string_view pattern) {
  TimeCursor cursor(text);
  Fields fields;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%') {
      const bool closed = is_number(pattern, i + 2) || (i >= 2 && is_number(pattern, i - 2));
      if (!read_field(cursor, pattern[++i], closed, fields)) return std::nullopt;
      if (pattern[i] == 'b' && !pattern.substr(i + 1).starts_with('.')) cursor.take('.');  // "sept."
    } else if (pattern[i] == ' ') {
      cursor.skip_blanks();
    } else if (!cursor.take(pattern[i])) {
      return std::nullopt;
    }
  }
  return cursor.at_end() ? fields.combined() : std::nullopt;
}

struct Composite {
  std::string_view name;
  std::string_view parts;
};
constexpr std::array<Composite, 11> composites{{{"%T", "%H:%M:%S"},
                                                {"%X", "%H:%M:%S"},
                                                {"%R", "%H:%M"},
                                                {"%r", "%I:%M:%S %p"},
                                                {"%F", "%Y-%m-%d"},
                                                {"%D", "%m/%d/%y"},
                                                {"%e", "%d"},
                                                {"%B", "%b"},
                                                {"%h", "%b"},
                                                {"%A", "%a"},
                                                {"%Ez", "%z"}}};

std::string spelled_out(std::string_view format) {
  std::string pattern;
  while (!format.empty()) {
    const auto composite =
        std::ranges::find_if(composites, [&](const Composite& each) { return format.starts_with(each.name); });
    const std::size_t length = composite != composites.end() ? composite->name.size() : format.starts_with("%") ? 2 : 1;
    pattern += composite != composites.end() ? composite->parts : format.substr(0, length);
    format.remove_prefix(std::min(length, format.size()));
  }
  return pattern;
}

/// The first specifier of `pattern` that read_field does not know; empty if it knows all.
std::string_view unknown_specifier(std::string_view pattern) {
  constexpr std::string_view known = "YymdbaHIMSfpzZ%";
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] == '%' && (++i == pattern.size() || !known.contains(pattern[i]))) return pattern.substr(i - 1, 2);
  return {};
}

/// Does any of `specifiers` stand in `pattern`?
bool has_any(std::string_view pattern, std::string_view specifiers) {
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i)
    if (pattern[i] == '%' && specifiers.contains(pattern[++i])) return true;
  return false;
}

/// Does a pattern hold all that a moment needs, and nothing twice?
bool tells_moment(std::string_view pattern) {
  const auto count = [&](std::string_view specifiers) {
    std::size_t found = 0;
    for (std::size_t i = 0; i + 1 < pattern.size(); ++i)
      if (pattern[i] == '%' && specifiers.contains(pattern[++i])) ++found;
    return found;
  };
  const bool whole_date = count("Yy") == 1 && count("mb") == 1 && count("d") == 1;
  const bool hours_first = count("M") <= count("HI") && count("S") <= count("M") && count("f") <= count("S");
  const bool afternoon = count("I") <= count("p") && count("p") <= count("HI");
  return whole_date && hours_first && afternoon && count("HI") <= 1 && count("z") <= 1 && count("Z") <= 1;
}

}  // namespace

std::expected<TimeFormat, std::string> TimeFormat::make(std::string text) {
  TimeFormat format;
  format.text_ = std::move(text);
  if (format.text_ == "iso") format.kind_ = Kind::iso;
  if (format.text_ == "epoch_s") format.kind_ = Kind::epoch_seconds;
  if (format.text_ == "epoch_ms") format.kind_ = Kind::epoch_milliseconds;
  if (format.text_ == "json_date") format.kind_ = Kind::json_date;
  if (format.kind_ != Kind::pattern) return format;

  format.pattern_ = spelled_out(format.text_);
  if (const std::string_view unknown = unknown_specifier(format.pattern_); !unknown.empty())
    return std::unexpected("time format '" + format.text_ + "': '" + std::string(unknown) + "' cannot be read");
  format.date_only_ = !has_any(format.pattern_, "HI");

  if (!tells_moment(format.pattern_))
    return std::unexpected("time format '" + format.text_ +
                           "' does not tell a moment: it needs a whole date, "
                           "hours before minutes, and %p with %I");
  return format;
}

std::optional<WrittenTime> TimeFormat::read(std::string_view text) const {
  switch (kind_) {
    case Kind::iso:
      return read_iso(text);
    case Kind::epoch_seconds:
      return read_epoch(text, seconds{1});
    case Kind::epoch_milliseconds:
      return read_epoch(text, std::chrono::milliseconds{1});
    case Kind::json_date:
      return read_json_date(text);
    case Kind::pattern:
      break;
  }
  std::optional<WrittenTime> time = read_pattern(text, pattern_);
  if (time) time->date_only = date_only_;
  return time;
}

}  // namespace remitod::carriers
