#include "carriers/excerpt.h"

#include <algorithm>

#include "carriers/charset.h"

namespace remitod::carriers {
namespace {

/// C0, DEL and C1 (U+0080 to U+009F), which terminals obey.
bool is_control(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  return character.size() == 2 && byte(0) == 0xc2 && byte(1) < 0xa0;
}

std::string hex(char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  return {'\\', 'x', digits[value >> 4], digits[value & 15]};
}

}  // namespace

std::string excerpt(std::string_view text, std::size_t offset, std::size_t bytes_max) {
  offset = std::min(offset, text.size());
  std::string shown = offset > 0 ? "..." : "";
  const std::size_t limit = shown.size() + bytes_max;
  while (offset < text.size()) {
    const std::size_t length = utf8_sequence(text, offset);
    const std::string_view character = text.substr(offset, std::max<std::size_t>(length, 1));
    offset += character.size();
    const bool is_blank = length != 0 && (is_control(character) || character == " ");
    if (is_blank && shown.ends_with(' ')) continue;
    const std::string next = length == 0 ? hex(character[0]) : is_blank ? std::string(1, ' ') : std::string(character);
    if (shown.size() + next.size() > limit) return shown + "...";
    shown += next;
  }
  return shown;
}

}  // namespace remitod::carriers
