#include "db/number_range.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace remitod::db {
namespace {

constexpr std::ptrdiff_t varying_digits_max = 18;  // fits an integer; far more than range_numbers_max needs

bool is_visible(char character) {
  return character > ' ' && character < '\x7F';
}
bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

std::unexpected<std::string> wrong(const NumberRange& range, std::string_view why) {
  return std::unexpected(range.first.substr(0, range_number_size_max) + " to " +
                         range.last.substr(0, range_number_size_max) + ": " + std::string(why));
}

std::int64_t value_of(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

std::expected<std::int64_t, std::string> count_numbers(const NumberRange& range) {
  const auto& [first, last] = range;
  if (first.empty() || first.size() != last.size()) return wrong(range, "first and last have to be equally long");
  if (first.size() > range_number_size_max) return wrong(range, "a number of over 40 characters");
  if (!std::ranges::all_of(first + last, is_visible))
    return wrong(range, "a number holds a blank or a character beyond ASCII");
  if (first == last) return 1;

  const auto [first_differs, last_differs] = std::ranges::mismatch(first, last);
  if (!std::all_of(first_differs, first.end(), is_digit) || !std::all_of(last_differs, last.end(), is_digit))
    return wrong(range, "first and last may differ only in the digits at their end");
  if (*first_differs > *last_differs) return wrong(range, "the first comes after the last");
  if (first.end() - first_differs > varying_digits_max) return wrong(range, "too many numbers");
  const std::int64_t numbers = value_of({last_differs, last.end()}) - value_of({first_differs, first.end()}) + 1;
  if (numbers > range_numbers_max) return wrong(range, "over " + std::to_string(range_numbers_max) + " numbers");
  return numbers;
}

std::string number_at(std::string_view first, std::int64_t offset) {
  std::string number(first);
  for (auto digit = number.rbegin(); offset != 0 && digit != number.rend() && is_digit(*digit); ++digit) {
    const std::int64_t sum = *digit - '0' + offset;
    *digit = static_cast<char>('0' + sum % 10);
    offset = sum / 10;
  }
  return number;
}

}  // namespace remitod::db
