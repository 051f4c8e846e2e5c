// Reads one table of a TOML file and remembers everything that is wrong with it. The keys that are asked for are the
// keys that exist: what is left over afterwards is a typing error.
#pragma once

#include <toml++/impl/forward_declarations.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "carriers/profile.h"

namespace remitod::carriers {

/// The errors of one file.
class ErrorLog {
 public:
  explicit ErrorLog(std::string file) : file_(std::move(file)) {}
  void add(int line, std::string key, std::string message);
  void add(ProfileError error) { errors_.push_back(std::move(error)); }  ///< of another file that belongs to it
  bool empty() const { return errors_.empty(); }
  std::size_t size() const { return errors_.size(); }
  std::vector<ProfileError> take();  ///< by file and line

  /// Every key that was looked for, whether it is there or not: "limits.batch_max", "track.status.0.code".
  const std::set<std::string>& keys_known() const { return keys_known_; }
  void note_key(std::string path) { keys_known_.insert(std::move(path)); }

 private:
  std::string file_;
  std::set<std::string> keys_known_;
  std::vector<ProfileError> errors_;
};

struct TomlValue;

/// A getter returns nothing where the key is absent or wrong; a wrong one has been reported by then. Valid as long as
/// the parsed file and the log are.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string path, ErrorLog& errors);

  bool has(std::string_view key);
  std::vector<std::string> keys() const;  ///< all that there are, sorted
  std::optional<std::string> text(std::string_view key);
  std::optional<std::string> required_text(std::string_view key);  ///< not blank
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<double> number(std::string_view key, double min, double max);
  /// "500 ms", "30 s", "10 min", "48 h", "60 d"; more than zero, at most ten years.
  std::optional<std::chrono::milliseconds> duration(std::string_view key);
  std::optional<std::chrono::hours> hours(std::string_view key);      ///< a duration of whole hours
  std::optional<std::chrono::seconds> seconds(std::string_view key);  ///< a duration of whole seconds
  std::optional<std::chrono::seconds> seconds(std::string_view key, std::chrono::seconds min, std::chrono::seconds max);
  std::vector<std::chrono::milliseconds> durations(std::string_view key);  ///< a list of such
  /// The place of the text in `words`.
  std::optional<std::size_t> choice(std::string_view key, std::span<const std::string> words);
  std::vector<std::string> texts(std::string_view key);
  /// A text, or a list of them.
  std::vector<std::string> text_or_texts(std::string_view key);
  std::vector<int> integers(std::string_view key, int min, int max);
  std::vector<std::pair<std::string, std::string>> text_table(std::string_view key);
  /// A text, a table, or a list of these; wherever a list's item is neither, the key has been reported.
  std::optional<TomlValue> any(std::string_view key);
  std::optional<TableReader> table(std::string_view key);
  std::vector<TableReader> tables(std::string_view key);

  /// To be called when all keys have been asked for.
  void refuse_other_keys();

  /// Reports at the line of the key, or of the table where the key is absent. `line_offset` counts lines of its value.
  void error(std::string_view key, std::string message, int line_offset = 0);
  std::string path_of(std::string_view key) const;
  int line_of(std::string_view key) const;  ///< 0 where the key is absent

 private:
  const toml::node* find(std::string_view key);
  template <class T>
  std::optional<T> value(std::string_view key, std::string_view expected);
  void wrong_type(std::string_view key, const toml::node& node, std::string_view expected);
  std::optional<TomlValue> any(std::string_view key, const toml::node& node, const std::string& item);

  const toml::table* table_;
  std::string path_;
  ErrorLog* errors_;
  std::set<std::string, std::less<>> asked_;
};

/// What stands under a key that may be written in several ways.
struct TomlValue {
  std::variant<std::string, std::vector<TomlValue>, TableReader> content;
};

}  // namespace remitod::carriers
