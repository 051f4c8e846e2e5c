// Ranges of numbers that a carrier gives ahead, as texts: a number may have leading zeros, letters in front, and more
// digits than any integer holds. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace remitod::db {

/// From `first` to `last`, both included: "RA000400001" to "RA000400500".
struct NumberRange {
  std::string first, last;
  friend bool operator==(const NumberRange&, const NumberRange&) = default;
};

inline constexpr std::size_t range_number_size_max = 40;
inline constexpr std::int64_t range_numbers_max = 10'000'000;

/// How many numbers the range has, 1 to range_numbers_max; or what is wrong with it, in words for ops. First and last
/// are equally long, of visible ASCII characters, and differ only in the digits at their end.
std::expected<std::int64_t, std::string> count_numbers(const NumberRange& range);

/// The number `offset` places after `first`, as long as `first`. The offset lies inside of a counted range.
std::string number_at(std::string_view first, std::int64_t offset);

}  // namespace remitod::db
