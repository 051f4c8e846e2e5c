#include "carriers/query.h"

#include <algorithm>
#include <array>

#include "carriers/charset.h"

namespace remitod::carriers {

namespace {

bool is_white_space(std::string_view character) {
  if (character.size() == 1) return character[0] == ' ' || (character[0] >= '\t' && character[0] <= '\r');
  return character == "\u00A0" || character == "\u0085";
}

bool is_control_character(std::string_view character) {
  if (character.size() == 1) return static_cast<unsigned char>(character[0]) < 0x20 || character[0] == '\x7F';
  return character.size() == 2 && character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;
}

/// Printable ASCII with single blanks inside: nearly every field is, and stays as it is.
bool is_tidy_ascii(std::string_view text) {
  bool blank_before = true;
  for (const char c : text) {
    const bool blank = c == ' ';
    if ((blank && blank_before) || c < ' ' || c == '\x7F') return false;  // bytes from 0x80 on are less than ' ', too
    blank_before = blank;
  }
  return !blank_before || text.empty();
}

}  // namespace

bool holds(const Query& query, const pugi::xpath_node& node) {
  return query.compiled.evaluate_boolean(node);
}

pugi::xpath_node_set select(const Query& query, const pugi::xpath_node& node) {
  pugi::xpath_node_set nodes = query.compiled.evaluate_node_set(node);
  nodes.sort();  // a union comes unsorted
  return nodes;
}

std::string read(const Query& query, const pugi::xpath_node& node, std::size_t bytes_max) {
  std::array<char, 512> buffer;  // nearly every field fits: no allocation but the string that is kept
  const std::size_t size = query.compiled.evaluate_string(buffer.data(), buffer.size(), node);
  if (size <= buffer.size()) return tidy({buffer.data(), size - 1}, bytes_max);
  return tidy(query.compiled.evaluate_string(node), bytes_max);
}

std::string tidy(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max && is_tidy_ascii(text)) return std::string{text};
  std::string line;
  line.reserve(std::min(text.size(), bytes_max));
  bool blank_before = false;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text, 0);
    const std::string_view character = length == 0 ? "?" : text.substr(0, length);
    text.remove_prefix(character.size());
    if (is_white_space(character)) {
      blank_before = !line.empty();
      continue;
    }
    if (is_control_character(character)) continue;
    if (line.size() + (blank_before ? 1 : 0) + character.size() > bytes_max) break;
    if (blank_before) line += ' ';
    blank_before = false;
    line += character;
  }
  return line;
}

}  // namespace remitod::carriers
