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

/// The letter of variable number `index`.
constexpr char letter_of(unsigned index) {
  return static_cast<char>('a' + index);
}
constexpr unsigned index_of(char letter) {
  return static_cast<unsigned>(letter - 'a');
}

std::string hole(unsigned variable);

/// Escapes the text around the marks, and notes in every hole that its value is to be escaped likewise.
std::string escape_around(std::string_view text, Escape escape);

}  // namespace remitod::carriers::mark
