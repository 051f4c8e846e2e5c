// The functions of templates: {{#sha256}}...{{/sha256}}, {{#now}}%F{{/now}} and the like. README.md of this folder
// lists them. Pure. Private to carriers/.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "carriers/tracking.h"

namespace remitod::carriers {

/// The moments that functions write.
struct TemplateTimes {
  Instant now{};
  Instant since{}, until{};  ///< the window of a feed
  Instant registered{};      ///< of the shipment
  std::string_view zone;     ///< the carrier's
};

/// Where a function has a meaning. The loader puts it among a template's names only there.
enum class FunctionScope : unsigned char { everywhere, shipment, window, hmac };

struct FunctionRow {
  std::string_view name;
  FunctionScope scope = FunctionScope::everywhere;
  bool takes_key = false;     ///< needs {{#key}}...{{/key}} inside
  bool gives_bytes = false;   ///< no text: may stand only inside another function
  bool gives_digest = false;  ///< of which its content cannot be read
  bool takes_format = false;  ///< its content is the format of a time
  bool takes_count = false;   ///< any number from 1 to 999 may stand for the one in its name
};

/// A function is named by its place in here.
std::span<const FunctionRow> template_functions();
std::optional<unsigned> find_function(std::string_view name);
/// The name in the table: "first_30" of "first_12". A name that is no function's stays.
std::string_view listed_name(std::string_view name);
/// Of a function that takes a count, what stands before the count in its name, "first_"; of others "".
std::string_view counted_stem(const FunctionRow& row);
/// {{#key}}: its content becomes the key of the function around it.
unsigned key_function();

/// What a function that takes a count is applied to.
std::string counted_content(std::string_view count, std::string_view content);

/// The error says what is wrong with the content: no format of a time, no calculation.
std::expected<std::string, std::string> apply_function(unsigned function, std::string_view content,
                                                       std::string_view key, const TemplateTimes& times);

}  // namespace remitod::carriers
