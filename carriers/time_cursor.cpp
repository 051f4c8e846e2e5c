#include "carriers/time_cursor.h"

#include <algorithm>
#include <array>
#include <string>

namespace remitod::carriers {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<int> month_of(std::string_view word) {
  struct Names {
    std::string_view english, spanish, variant;
  };
  constexpr std::array<Names, 12> months{{{"january", "enero", ""},
                                          {"february", "febrero", ""},
                                          {"march", "marzo", ""},
                                          {"april", "abril", ""},
                                          {"may", "mayo", ""},
                                          {"june", "junio", ""},
                                          {"july", "julio", ""},
                                          {"august", "agosto", ""},
                                          {"september", "septiembre", "setiembre"},
                                          {"october", "octubre", ""},
                                          {"november", "noviembre", ""},
                                          {"december", "diciembre", ""}}};
  if (word.empty()) return std::nullopt;
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto names = [&](std::string_view name) {
    return lower == name || ((lower.size() == 3 || lower == "sept") && name.starts_with(lower));
  };
  for (std::size_t i = 0; i < months.size(); ++i)
    if (names(months[i].english) || names(months[i].spanish) || names(months[i].variant))
      return static_cast<int>(i) + 1;
  return std::nullopt;
}

}  // namespace

bool TimeCursor::take(char wanted) {
  if (!left_.starts_with(wanted)) return false;
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

std::string_view TimeCursor::word() {
  const auto end = std::ranges::find_if_not(left_, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  });
  const std::string_view letters = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
  left_.remove_prefix(letters.size());
  return letters;
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
  microseconds value{};
  microseconds unit{100'000};
  left_.remove_prefix(1);
  for (; !left_.empty() && is_digit(left_[0]); left_.remove_prefix(1), unit /= 10) value += unit * (left_[0] - '0');
  return value;
}

std::optional<minutes> TimeCursor::offset() {
  if (take_any("Zz")) return minutes{0};
  const bool negative = left_.starts_with('-');
  if (!take_any("+-")) return std::nullopt;
  const auto whole_hours = number(2, 2);
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
