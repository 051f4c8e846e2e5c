#include "carriers/template_marks.h"

#include <algorithm>
#include <cstdlib>

namespace remitod::carriers::mark {

std::string hole(unsigned variable) {
  return {hole_begin, letter_of(variable), hole_end};
}

std::string escape_around(std::string_view text, Escape escape) {
  if (escape == Escape::none) return std::string(text);
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find_first_of("\x01\x03\x04\x05\x06"), text.size());
    append_escaped(escaped, text.substr(0, plain), escape);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t end = text.front() == hole_begin ? text.find(hole_end) : std::string_view::npos;
    if (end ==
        std::string_view::npos) {  // the mark of a section, or a setting with such a byte, which the loader refuses
      escaped += text.front();
      text.remove_prefix(1);
      continue;
    }
    escaped += text.substr(0, end);
    escaped += letter_of(static_cast<unsigned>(escape));
    escaped += hole_end;
    text.remove_prefix(end + 1);
  }
  return escaped;
}

}  // namespace remitod::carriers::mark
