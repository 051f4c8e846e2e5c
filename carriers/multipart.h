// Multipart answers (MIME, RFC 2046): a label beside its data, SOAP with attachments. Private to carriers/.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "carriers/answer.h"

namespace remitod::carriers {

/// The part of an answer that is read.
struct Part {
  std::string_view content_type;
  std::string_view written;              ///< as it stands in the answer
  std::optional<std::string> decoded{};  ///< where it stands there in base64 or quoted-printable
  std::string_view body() const { return decoded ? std::string_view(*decoded) : written; }
};

/// The whole answer where it is not multipart, whatever its Content-Type says: gateways rewrite it, so the first line
/// may give it away too. `wanted` is the part's media type, Content-ID without its brackets, or name; "": the first.
std::expected<Part, DecodeError> choose_part(std::string_view body, std::string_view content_type,
                                             std::string_view wanted);

}  // namespace remitod::carriers
