// Arithmetic in a request template, {{#number}}ceiling({{weight_kg}} * 1000){{/number}}: carriers want grams,
// millimetres, volumes and totals where an order has kilograms and centimetres of each parcel. Pure. Private to
// carriers/.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// XPath arithmetic over decimal numbers: + - * div mod, parentheses, round, ceiling, floor; at most 4096 bytes. The
/// result is a decimal without exponent, zero or more and below 10^12, with exactly `places` (0 to 6, halves
/// rounded up), or as many as it has, rounded to six. The error says what is wrong.
std::expected<std::string, std::string> evaluate_number(std::string_view expression,
                                                        std::optional<int> places = std::nullopt);

}  // namespace remitod::carriers
