// The keys of a profile that hold an XPath or a field. Private to carriers/; README.md tells how fields are written.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/field.h"
#include "carriers/table_reader.h"

namespace remitod::carriers {

enum class Yields : std::uint8_t { value, nodes };

/// What is told of a {{variable}} in an XPath. Nobody would fill it in: it would be compared as it is, and never found.
bool holds_variable(std::string_view xpath);
inline constexpr std::string_view no_template = "'{{...}}' is for requests: an XPath is not a template";

/// Each returns nothing where the key is absent or wrong; a wrong one has been reported by then.
std::optional<Query> read_query(TableReader& reader, std::string_view key, Yields yields = Yields::value);
std::optional<Query> require_query(TableReader& reader, std::string_view key);
/// One group at most where `is_capture`.
std::unique_ptr<RE2> read_pattern(TableReader& reader, std::string_view key, bool is_capture = false);

using NoValue = std::shared_ptr<const std::vector<std::string>>;
/// The key no_value of an answer; null where it is absent.
NoValue read_no_value(TableReader& answer);
std::optional<Field> read_field(TableReader& reader, std::string_view key, const NoValue& no_value);

}  // namespace remitod::carriers
