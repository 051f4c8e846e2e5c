#include "carriers/profile_lines.h"

#include <toml++/toml.h>

namespace remitod::carriers {
namespace {

using Lines = std::map<std::string, int, std::less<>>;

void collect(const toml::node& node, const std::string& path, Lines& lines) {
  lines.emplace(path, static_cast<int>(node.source().begin.line));
  const std::string inside = path.empty() ? "" : path + ".";
  if (const toml::table* table = node.as_table()) {
    for (const auto& [key, value] : *table) collect(value, inside + std::string(key.str()), lines);
  } else if (const toml::array* list = node.as_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) collect((*list)[i], inside + std::to_string(i + 1), lines);
  }
}

}  // namespace

ProfileLines::ProfileLines(std::string_view toml) {
  try {
    collect(toml::parse(toml), "", lines_);
  } catch (const toml::parse_error&) {
  }
}

int ProfileLines::of(std::string_view path) const {
  const auto line = lines_.find(path);
  return line == lines_.end() ? 0 : line->second;
}

}  // namespace remitod::carriers
