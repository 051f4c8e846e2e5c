// Escaping of values by where they stand: XML text, a JSON string, a part of a URL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// `url` is percent-encoding of all but RFC 3986's unreserved characters: right in a path, a query and a form body.
enum class Escape : std::uint8_t { xml, json, url, none };

void append_escaped(std::string& out, std::string_view text, Escape escape);

/// Where the first character stands, from `at` on, that path and query of a URL hold percent-encoded only (RFC 3986); a
/// '%' that begins no such encoding is one, and '#', which ends them. npos: there is none.
std::size_t find_unencoded(std::string_view url, std::size_t at = 0);

/// C0 controls and DEL. In a header or a URL they would end it and begin something of the sender's own.
bool has_control_characters(std::string_view text);

/// Nothing but blanks, tabs and line breaks.
bool is_blank(std::string_view text);

}  // namespace remitod::carriers
