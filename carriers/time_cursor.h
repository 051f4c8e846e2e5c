// The pieces that times are written in, read one after the other. Private to carriers/.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace remitod::carriers {

/// Reads a text from left to right. What answers false or nothing has not matched, and the text as a whole does not.
class TimeCursor {
 public:
  explicit TimeCursor(std::string_view text) : left_(text) {}
  bool at_end() const { return left_.empty(); }

  /// Letters of ASCII in either case.
  bool take(char wanted);
  bool take_any(std::string_view wanted);
  /// Also the no-break blanks that ICU puts before AM and PM.
  void skip_blanks();
  /// A run of letters, possibly empty; beyond ASCII all count as letters.
  std::string_view word();
  std::optional<int> number(std::size_t digits_min, std::size_t digits_max);
  /// One of `marks` and digits, as many as there are; zero where that does not stand here. Cut off at microseconds.
  std::chrono::microseconds fraction(std::string_view marks);
  /// The digits of a fraction without its mark, one at least.
  std::optional<std::chrono::microseconds> fraction_digits();
  /// A run of what the names of zones are written with: letters, '/', '_'.
  std::string_view zone_word();
  /// From UTC: "Z", "UTC", "GMT", "-03:00", "-0300", "-03", "-3", "GMT-3".
  std::optional<std::chrono::minutes> offset();
  /// "AM", "pm", "a.m.", "p. m.": true for the afternoon. In Spanish, .NET writes the dots and a (no-break) blank.
  std::optional<bool> afternoon();
  /// A word that names a month in English, Spanish, French, German or Portuguese, in whole or by its beginning: three
  /// letters at least, and more where three are two months' ("juin", "juil").
  std::optional<int> month();

 private:
  bool take_text(std::string_view wanted);
  std::string_view run(bool (*belongs)(char));
  std::string_view left_;
};

}  // namespace remitod::carriers
