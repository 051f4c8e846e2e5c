// The values of MIME's header fields (RFC 2045): `text/xml; charset="utf-8"`. Private to carriers/.
#pragma once

#include <string_view>

namespace remitod::carriers {

bool equal_ignoring_case(std::string_view left, std::string_view right);
bool starts_ignoring_case(std::string_view text, std::string_view prefix);

/// What stands before the parameters: "text/xml".
std::string_view media_type(std::string_view value);
/// A parameter's value without its quotes; "" where there is none. Escapes in quoted values are left as written.
std::string_view header_parameter(std::string_view value, std::string_view name);

}  // namespace remitod::carriers
