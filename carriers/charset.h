// Which charset an answer is written in, and its text in UTF-8. Private to carriers/, but for utf8_sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "carriers/answer.h"

namespace remitod::carriers {

bool is_utf8_name(std::string_view charset);

/// Latin-1 or windows-1252, whatever they call it: every text is one in such a charset, so that nothing but its look
/// tells that it is written in another. Who states the one mostly reads the other.
bool takes_all_bytes(std::string_view charset);

/// The encoding that `<?xml ... ?>` names, or nothing. `body` is in some charset that contains ASCII.
std::string_view charset_of_xml(std::string_view body);

/// Of one valid UTF-8 character.
std::uint32_t code_point(std::string_view character);

/// Bytes of the valid UTF-8 character at `at` (1 to 4); 0 where there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t at);

/// Where the first byte stands that is no part of valid UTF-8; npos if all of it is valid.
std::size_t find_invalid_utf8(std::string_view text);

/// The text of an answer as valid UTF-8 without its BOM, read in the first of these charsets: BOM (or the NUL bytes
/// that give UTF-16 away), Content-Type, declaration of XML or EDIFACT, options.charset, UTF-8; and as UTF-8
/// where it is that wholly, and the charset is Latin-1 or windows-1252. The result points into
/// `body` where that is UTF-8 already, else into `converted`.
std::expected<std::string_view, DecodeError> utf8_text(std::string_view body, std::string_view content_type,
                                                       const DecodeOptions& options, std::string& converted);

}  // namespace remitod::carriers
