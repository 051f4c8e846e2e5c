// The remito that is made of a number given ahead: the carrier's range counts, and around it stand a prefix, a suffix
// and a check digit. Private to carriers/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/json_value.h"

namespace remitod::carriers {

/// [create.range.check_digit]: each digit of the serial times its weight, summed up, divided by the modulus. Characters
/// that are no digits are passed over.
struct CheckDigit {
  int modulus = 10;
  std::vector<int> weights;   ///< repeated where the serial is longer; not empty
  bool from_left = false;     ///< the first weight is the first digit's; else the last digit's
  bool adds_digits = false;   ///< of a product its digits are added (Luhn)
  bool is_remainder = false;  ///< else what is missing to the next multiple of the modulus
  std::vector<std::pair<std::string, std::string>> values;  ///< results that are written otherwise: {"10", "0"}
};

/// What stands for the serial; nothing where the result has two digits and no value of its own: carriers leave such
/// numbers out.
std::optional<std::string> check_digit(const CheckDigit& rule, std::string_view serial);

struct RemitoNumber {
  std::string text = "{{serial}}";  ///< a template over serial, check_digit and settings; it has passed check_template
  std::optional<CheckDigit> check_digit;
  JsonValue constants = JsonValue::of_object();
};

/// The remito of a serial; nothing where the serial has none.
std::optional<std::string> remito_of(const RemitoNumber& rule, std::string_view serial);

}  // namespace remitod::carriers
