#include "carriers/xpath_cost.h"

#include <algorithm>
#include <array>

namespace remitod::carriers {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view without_blanks_behind(std::string_view text) {
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::string_view without_blanks_before(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

/// Does a path begin after this text, so that its '/' is the document's root?
bool begins_path(std::string_view before) {
  const std::string_view text = without_blanks_behind(before);
  if (text.empty() || std::string_view("([,|=<>+").contains(text.back())) return true;
  constexpr std::array<std::string_view, 4> operators{" and", " or", " div", " mod"};
  return text.size() < before.size() &&
         std::ranges::any_of(operators, [&](std::string_view word) { return text.ends_with(word); });
}

/// The steps of a path from its first character on, predicates included.
std::string_view path_at(std::string_view text) {
  std::size_t end = 0;
  int depth = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    if (c == '[') ++depth;
    if (depth == 0 && !is_name_character(c) && !std::string_view("/@*:").contains(c)) break;
    if (c == ']') --depth;
  }
  return text.substr(0, end);
}

bool descends(std::string_view path) {
  int depth = 0;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (path[i] == '[') ++depth;
    if (path[i] == ']') --depth;
    if (depth == 0 && path.substr(i, 2) == "//") return true;
  }
  return false;
}

/// The axis that the text begins with, its colons included, if it is one that goes over neighbours.
std::size_t neighbour_axis(std::string_view text) {
  for (const std::string_view axis : {"preceding-sibling::", "following-sibling::", "preceding::", "following::"})
    if (text.starts_with(axis)) return axis.size();
  return 0;
}

/// Is only asked whether there is such a neighbour, or for the nearest?
bool stops_at_first(std::string_view before, std::string_view after) {
  before = without_blanks_behind(before);
  after = without_blanks_before(after);
  if (after.starts_with("[1]")) return true;
  const bool asks_whether =
      before.empty() || before.ends_with('[') || before.ends_with("not(") || before.ends_with("boolean(");
  return asks_whether && (after.empty() || after.starts_with(']') || after.starts_with(')'));
}

}  // namespace

std::optional<std::string> quadratic_part(std::string_view xpath, bool per_node) {
  int predicates = 0;
  for (std::size_t i = 0; i < xpath.size(); ++i) {
    const char c = xpath[i];
    if (c == '\'' || c == '"') {
      i = std::min(xpath.find(c, i + 1), xpath.size());
      continue;
    }
    if (c == '[') ++predicates;
    if (c == ']') --predicates;
    if (!per_node && predicates == 0) continue;
    const std::string_view before = xpath.substr(0, i);
    if (c == '/' && begins_path(before)) {
      const std::string_view path = path_at(xpath.substr(i));
      if (descends(path)) return std::string(path);
    }
    const bool name_begins = i == 0 || !is_name_character(xpath[i - 1]);
    const std::size_t axis = name_begins ? neighbour_axis(xpath.substr(i)) : 0;
    if (axis == 0) continue;
    std::size_t end = i + axis;
    while (end < xpath.size() && (is_name_character(xpath[end]) || xpath[end] == '*')) ++end;
    if (!stops_at_first(before, xpath.substr(end))) return std::string(xpath.substr(i, end - i));
  }
  return std::nullopt;
}

}  // namespace remitod::carriers
