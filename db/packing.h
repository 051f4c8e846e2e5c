// Bytes that are no text (raw answers in any character set, a lane's checkpoint) as text columns.
//
// Base64 in a text column, because SOCI's blobs need a row of their own to be written through on PostgreSQL and a
// statement of their own each, while text travels with all the other columns in one set-based JSON parameter, alike on
// both engines. It costs a third of the size, after compression.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace remitod::db {

std::string to_base64(std::string_view bytes);
/// Empty on anything that to_base64 does not write.
std::optional<std::string> from_base64(std::string_view text);

/// zlib, then base64.
std::string pack(std::string_view bytes);
/// Empty if it was not packed by us, is damaged, or would unpack to more than `bytes_max`.
std::optional<std::string> unpack(std::string_view text, std::size_t bytes_max);

}  // namespace remitod::db
