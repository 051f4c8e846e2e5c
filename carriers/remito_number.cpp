#include "carriers/remito_number.h"

#include <algorithm>

#include "carriers/template_render.h"

namespace remitod::carriers {
namespace {

int digit_sum(int number) {
  int sum = 0;
  for (; number != 0; number /= 10) sum += number % 10;
  return sum;
}

}  // namespace

std::optional<std::string> check_digit(const CheckDigit& rule, std::string_view serial) {
  std::string digits;
  std::ranges::copy_if(serial, std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  if (!rule.from_left) std::ranges::reverse(digits);
  int remainder = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int product = (digits[i] - '0') * rule.weights[i % rule.weights.size()];
    remainder = (remainder + (rule.adds_digits ? digit_sum(product) : product)) % rule.modulus;
  }
  const int result = rule.is_remainder ? remainder : (rule.modulus - remainder) % rule.modulus;
  std::string written = std::to_string(result);
  const auto other = std::ranges::find(rule.values, written, &std::pair<std::string, std::string>::first);
  if (other != rule.values.end()) return other->second;
  if (written.size() > 1) return std::nullopt;
  return written;
}

std::optional<std::string> remito_of(const RemitoNumber& rule, std::string_view serial) {
  JsonValue data = rule.constants;
  data.members.insert_or_assign("serial", JsonValue::of_text(std::string(serial)));
  if (rule.check_digit) {
    std::optional<std::string> digit = check_digit(*rule.check_digit, serial);
    if (!digit) return std::nullopt;
    data.members.insert_or_assign("check_digit", JsonValue::of_text(*std::move(digit)));
  }
  auto remito = render(rule.text, data, {Part::body, Escape::none, ""});
  return remito ? std::optional(*std::move(remito)) : std::nullopt;
}

}  // namespace remitod::carriers
