#include "carriers/media_type.h"

#include <algorithm>

namespace remitod::carriers {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(blanks), text.size());
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
  return equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string_view media_type(std::string_view value) {
  return trimmed(value.substr(0, value.find(';')));
}

std::string_view header_parameter(std::string_view value, std::string_view name) {
  for (std::size_t at = 0; at + name.size() < value.size(); ++at) {
    const bool begins_word = at == 0 || std::string_view("; \t\r\n,").contains(value[at - 1]);
    if (!begins_word || value[at + name.size()] != '=' || !starts_ignoring_case(value.substr(at), name)) continue;
    std::string_view found = trimmed(value.substr(at + name.size() + 1));
    if (found.starts_with('"') || found.starts_with('\'')) {
      const char quote = found.front();
      found.remove_prefix(1);
      return trimmed(found.substr(0, found.find(quote)));
    }
    return trimmed(found.substr(0, found.find_first_of("\"'; ,\t\r\n")));
  }
  return {};
}

}  // namespace remitod::carriers
