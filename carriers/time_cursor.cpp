#include "carriers/time_cursor.h"

#include <algorithm>
#include <array>
#include <string>

#include "carriers/text_fold.h"

namespace remitod::carriers {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

/// English, Spanish (both spellings of September), French, German, Portuguese; folded, each name once.
constexpr std::array<std::array<std::string_view, 6>, 12> month_names{{
    {"january", "enero", "janvier", "januar", "janeiro"},
    {"february", "febrero", "fevrier", "februar", "fevereiro"},
    {"march", "marzo", "mars", "marz", "maerz", "marco"},
    {"april", "abril", "avril"},
    {"may", "mayo", "mai", "maio"},
    {"june", "junio", "juin", "juni", "junho"},
    {"july", "julio", "juillet", "juli", "julho"},
    {"august", "agosto", "aout"},
    {"september", "septiembre", "setiembre", "septembre", "setembro"},
    {"october", "octubre", "octobre", "oktober", "outubro"},
    {"november", "noviembre", "novembre", "novembro"},
    {"december", "diciembre", "decembre", "dezember", "dezembro"},
}};

std::optional<int> month_of(std::string_view word) {
  const std::string folded = fold(word);
  if (folded.size() < 3) return std::nullopt;
  std::optional<int> month;
  for (std::size_t i = 0; i < month_names.size(); ++i) {
    const auto begins = [&](std::string_view name) { return name.starts_with(folded); };
    if (std::ranges::none_of(month_names[i], begins)) continue;
    if (month) return std::nullopt;
    month = static_cast<int>(i) + 1;
  }
  return month;
}

}  // namespace

bool TimeCursor::take(char wanted) {
  if (left_.empty() || lower(left_.front()) != lower(wanted)) return false;
  left_.remove_prefix(1);
  return true;
}

bool TimeCursor::take_any(std::string_view wanted) {
  return !left_.empty() && wanted.contains(left_.front()) && take(left_.front());
}

void TimeCursor::skip_blanks() {
  while (take_any(" \t\r\n") || take_text("\u00a0") || take_text("\u202f")) {
  }
}

std::string_view TimeCursor::run(bool (*belongs)(char)) {
  const auto end = std::ranges::find_if_not(left_, belongs);
  const std::string_view found = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
  left_.remove_prefix(found.size());
  return found;
}

std::string_view TimeCursor::word() {
  return run(is_letter);
}

std::string_view TimeCursor::zone_word() {
  return run([](char c) { return is_letter(c) || c == '/' || c == '_'; });
}

std::optional<int> TimeCursor::number(std::size_t digits_min, std::size_t digits_max) {
  int value = 0;
  std::size_t length = 0;
  for (; length < std::min(digits_max, left_.size()) && is_digit(left_[length]); ++length)
    value = 10 * value + (left_[length] - '0');
  if (length < digits_min) return std::nullopt;
  left_.remove_prefix(length);
  return value;
}

microseconds TimeCursor::fraction(std::string_view marks) {
  if (left_.size() < 2 || !marks.contains(left_[0]) || !is_digit(left_[1])) return {};
  left_.remove_prefix(1);
  return fraction_digits().value_or(microseconds{});
}

std::optional<microseconds> TimeCursor::fraction_digits() {
  microseconds value{};
  microseconds unit{100'000};
  const std::string_view digits = run(is_digit);
  for (const char digit : digits) {
    value += unit * (digit - '0');
    unit /= 10;
  }
  return digits.empty() ? std::nullopt : std::optional(value);
}

std::optional<minutes> TimeCursor::offset() {
  if (take('Z')) return minutes{0};
  const bool named = take_text("UTC") || take_text("GMT");
  const bool negative = left_.starts_with('-');
  if (!take_any("+-")) return named ? std::optional(minutes{0}) : std::nullopt;
  const auto whole_hours = number(1, 2);
  const bool colon = take(':');
  const auto rest = number(2, 2);
  if (!whole_hours || *whole_hours > 23 || (colon && !rest) || rest.value_or(0) > 59) return std::nullopt;
  const minutes value = hours{*whole_hours} + minutes{rest.value_or(0)};
  return negative ? -value : value;
}

std::optional<bool> TimeCursor::afternoon() {
  const bool is_afternoon = left_.starts_with('p') || left_.starts_with('P');
  if (!take_any("apAP")) return std::nullopt;
  take('.');
  skip_blanks();
  if (!take_any("mM")) return std::nullopt;
  take('.');
  return is_afternoon;
}

bool TimeCursor::take_text(std::string_view wanted) {
  if (!left_.starts_with(wanted)) return false;
  left_.remove_prefix(wanted.size());
  return true;
}

std::optional<int> TimeCursor::month() {
  return month_of(word());
}

}  // namespace remitod::carriers
