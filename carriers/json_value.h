// A JSON value whose numbers keep the digits they were written with: 25.90 stays 25.90. The payload of a request is
// read into one, and templates are filled from one.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace remitod::carriers {

struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, number, text, array, object };
  Kind kind = Kind::null;
  std::string text;              ///< of a text, the digits of a number, "true" or "false"
  std::vector<JsonValue> items;  ///< of an array
  std::map<std::string, JsonValue, std::less<>> members;

  static JsonValue of_text(std::string text);
  static JsonValue of_object();
  /// The member, or nullptr (as for anything that is no object).
  const JsonValue* find(std::string_view member) const;
  /// null, a blank text, an array or object without content.
  bool is_empty() const;
};

/// At most 16 levels deep, no key twice in an object. Control characters in texts other than tab and line breaks become
/// blanks: no carrier takes them, and XML cannot hold them. Errors say where, and quote nothing: the text may hold
/// personal data.
std::expected<JsonValue, std::string> parse_json(std::string_view text);
/// Back again, on one line.
std::string to_json_text(const JsonValue& value);

}  // namespace remitod::carriers
