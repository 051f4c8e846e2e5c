// A string that a profile reads from an answer: an XPath, or several that stand in for each other or are joined, with a
// part captured out of it. Private to carriers/.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carriers/query.h"

namespace remitod::carriers {

struct Field {
  std::string name;                 ///< its XPaths, for messages: "Fecha, Hora"
  std::optional<Query> query;       ///< absent: what `parts` give
  std::vector<Field> parts;         ///< the first that is not empty, or all of them joined
  std::optional<std::string> with;  ///< stands between the parts that are joined
  /// Over the tidied text: its group, or the whole match where it has none. No match: empty.
  std::unique_ptr<RE2> pattern;
  std::vector<std::pair<std::string, std::string>> values;  ///< whole texts that become others
  /// What the carrier writes where it has nothing to say: such a text of a query is empty. Shared by all fields of an
  /// answer; null: none.
  std::shared_ptr<const std::vector<std::string>> no_value;
};

/// The text of a field at a node, one tidied line of at most `bytes_max` bytes.
std::string read(const Field& field, const pugi::xpath_node& node, std::size_t bytes_max);
/// "" where the field is absent.
std::string read(const std::optional<Field>& field, const pugi::xpath_node& node, std::size_t bytes_max);

}  // namespace remitod::carriers
