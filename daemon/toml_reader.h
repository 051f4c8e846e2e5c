// Reads the keys of one TOML table with their types and ranges, and collects what is wrong with file, line and key.
#pragma once

#include <toml++/toml.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.h"

namespace remitod::daemon {

class TomlReader {
 public:
  /// `path` is the dotted name of the table, for messages; empty for the root.
  TomlReader(const toml::table& table, std::string file, std::string path, std::vector<ConfigError>& errors);

  std::optional<std::string> text(std::string_view key);
  std::optional<double> number(std::string_view key, double above, double at_most);
  std::optional<int> whole(std::string_view key, int at_least, int at_most);
  /// "30 s", "10 min", "48 h".
  std::optional<std::chrono::seconds> duration(std::string_view key, std::chrono::seconds at_least,
                                               std::chrono::seconds at_most);
  std::vector<std::string> texts(std::string_view key);
  const toml::table* table(std::string_view key);
  /// An error for every key that none of the calls above asked for, with the nearest word that would have been right.
  void refuse_others();
  void error(std::string_view key, std::string message);
  int line() const;

 private:
  const toml::node* find(std::string_view key);
  const toml::table& table_;
  std::string file_;
  std::string path_;
  std::vector<ConfigError>& errors_;
  std::vector<std::string> asked_;
};

}  // namespace remitod::daemon
