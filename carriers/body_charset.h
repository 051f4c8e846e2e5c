// The charset that a request's body leaves in. Templates and orders are UTF-8; many an old carrier wants ISO-8859-1.
// Private to carriers/.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "carriers/escape.h"
#include "carriers/json_value.h"
#include "carriers/transport.h"

namespace remitod::carriers {

/// Why no body can leave in it; empty: one can. It has to contain ASCII: all that is not a letter of somebody's name is
/// written in that, and the percent signs and references that stand for such letters, too.
std::string body_charset_problem(const std::string& charset);

/// `body` in a charset that has no such problem. What the charset lacks is written as the format has it: a reference in
/// XML, an escape in JSON. Of a form (Escape::url) the percent-encoded bytes become those of the charset, as far as
/// they are UTF-8 now. The error is the character that cannot be written, or a byte that is no UTF-8.
std::expected<std::string, std::string> to_charset(std::string_view body, const std::string& charset, Escape escape);

/// The words for such an error: "holds 'Ž' (U+017D), which ISO-8859-1 does not have".
std::string lacking(std::string_view character, std::string_view charset);

/// Where in an order the character stands, "recipient.name"; empty: nowhere.
std::string place_of(const JsonValue& order, std::string_view character);

/// The body in UTF-8, for people and for comparisons.
std::string readable_body(const HttpRequest& request);

/// What is written in `charset` can be read as `other`, whatever letters it holds.
bool is_readable_as(const std::string& charset, const std::string& other);

/// Each byte is a character, and some are beyond ASCII.
bool is_single_byte(const std::string& charset);

}  // namespace remitod::carriers
