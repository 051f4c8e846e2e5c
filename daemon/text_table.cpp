#include "daemon/text_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "daemon/log.h"

namespace remitod::daemon {
namespace {

// UTF-8 characters, which is near enough to columns for Spanish.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string shown(const nlohmann::json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "-";
  if (found->is_string())
    return found->get_ref<const std::string&>().empty() ? "-" : printable(found->get_ref<const std::string&>());
  return found->dump();
}

std::string shown_with_label(const nlohmann::json& object, std::string_view key, std::string_view label_key) {
  const std::string text = shown(object, key);
  const std::string spanish = shown(object, label_key);
  return spanish == "-" ? text : text + " (" + spanish + ")";
}

void TextTable::print(std::ostream& out) const {
  if (rows_.size() == 1) return;
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(i + 1 == row.size() ? 0 : widths[i] - width(row[i]) + 2, ' ');
    out << "  " << line << '\n';
  }
}

}  // namespace remitod::daemon
