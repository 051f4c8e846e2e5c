#include "carriers/number_expression.h"

#include <re2/re2.h>
#include <pugixml.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace remitod::carriers {

namespace {

constexpr std::size_t bytes_max = 4096;
constexpr double number_max = 1e12;
constexpr int places_max = 6;

/// Nothing that would look at a document, and no text: a value that is no number is an error and not a path.
bool is_arithmetic(std::string_view expression) {
  static const RE2 arithmetic{R"((?:[0-9.+*()\s-]|\b(?:div|mod|round|ceiling|floor)\b)*)"};
  return RE2::FullMatch(expression, arithmetic);
}

/// In fixed notation, without zeros at its end.
std::string decimal(double number) {
  std::array<char, 32> digits;
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed, places_max);
  std::string_view text{digits.data(), end};
  text = text.substr(0, text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.remove_suffix(1);
  return std::string{text};
}

/// With exactly so many places. Money is rounded half up, also where the double lies a little below the half.
std::string decimal(double number, int places) {
  std::int64_t unit = 1;
  for (int i = places; i < places_max; ++i) unit *= 10;
  const std::int64_t rounded = (std::llround(number * 1e6) + unit / 2) / unit;
  std::string digits = std::to_string(rounded);
  const auto after_point = static_cast<std::size_t>(places);
  if (digits.size() <= after_point) digits.insert(0, after_point + 1 - digits.size(), '0');
  if (places != 0) digits.insert(digits.size() - after_point, 1, '.');
  return digits;
}

}  // namespace

std::expected<std::string, std::string> evaluate_number(std::string_view expression, std::optional<int> places) {
  const std::string wrong = "'" + std::string{expression.substr(0, 100)} + "' ";
  if (expression.size() > bytes_max || !is_arithmetic(expression)) {
    return std::unexpected(wrong + "is not arithmetic: numbers, + - * div mod ( ) round ceiling floor");
  }
  try {
    const pugi::xpath_query query{std::string{expression}.c_str()};
    const double number = query.evaluate_number(pugi::xpath_node{});
    if (!std::isfinite(number) || number < 0 || number >= number_max) {
      return std::unexpected(wrong + "gives no number from zero on and below 10^12");
    }
    return places ? decimal(number, *places) : decimal(number);
  } catch (const pugi::xpath_exception& error) {
    return std::unexpected(wrong + "is not arithmetic: " + error.what());
  }
}

}  // namespace remitod::carriers
