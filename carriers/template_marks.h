// Private characters that stand in a rendered text for what is not known yet: template.h says why. They are controls
// that neither templates nor values may hold, so that nothing can be taken for one by accident.
#pragma once

#include <string>
#include <string_view>

#include "carriers/escape.h"

namespace remitod::carriers::mark {

inline constexpr char hole_begin = '\x01';  ///< then the variable's letter, then one letter for each escape to come
inline constexpr char hole_end = '\x02';
inline constexpr char items_begin = '\x03';
inline constexpr char items_end = '\x04';
inline constexpr char between_begin = '\x05';  ///< {{#comma}}
inline constexpr char between_end = '\x06';
inline constexpr char function_begin = '\x07';  ///< then the function's letter
inline constexpr char function_end = '\x0E';    ///< then one letter for each escape of the result, then hole_end
inline constexpr char next_page_begin = '\x0F';
inline constexpr char next_page_end = '\x10';
inline constexpr std::string_view all = "\x01\x02\x03\x04\x05\x06\x07\x0E\x0F\x10";
/// Those that begin something, or end a section.
inline constexpr std::string_view boundaries = "\x01\x03\x04\x05\x06\x07\x0E\x0F\x10";

/// The letter of variable or function number `index`, and of an escape. Fewer than 70 of each.
constexpr char letter_of(unsigned index) {
  return static_cast<char>('0' + index);
}
constexpr unsigned index_of(char letter) {
  return static_cast<unsigned>(letter - '0');
}

std::string hole(unsigned variable);
/// `content` as what the function is applied to.
std::string application(unsigned function, std::string_view content);
/// Behind the function that begins at `begin`, those inside it passed over.
std::size_t end_of_application(std::string_view text, std::size_t begin);

/// Escapes the text around the marks, and notes in every hole and every function that its value is to be escaped
/// likewise.
std::string escape_around(std::string_view text, Escape escape);

}  // namespace remitod::carriers::mark
