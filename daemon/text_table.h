// JSON answers as a person reads them in a terminal: values made printable, and tables.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace remitod::daemon {

/// A value as plain text, "-" where there is none: what comes from carriers is made printable, so that it cannot steer
/// the terminal.
std::string shown(const nlohmann::json& object, std::string_view key);
/// The word under `key` with its Spanish label, which stands under `label_key`: "delivered (Entregado)".
std::string shown_with_label(const nlohmann::json& object, std::string_view key, std::string_view label_key = "label");

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// Nothing where there are only the heads.
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace remitod::daemon
