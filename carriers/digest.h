// Hashes, HMAC and their spellings, for signed requests. OpenSSL's libcrypto does the work. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// md5 and sha1 are no protection any more, but carriers ask for them.
enum class Digest : std::uint8_t { md5, sha1, sha256, sha512 };

/// The bytes of the hash; spell them with to_hex or to_base64.
std::string hash(Digest digest, std::string_view bytes);
std::string hmac(Digest digest, std::string_view key, std::string_view bytes);

std::string to_hex(std::string_view bytes);  ///< lower case
std::string to_base64(std::string_view bytes);
/// RFC 4648's alphabet for URLs, without padding.
std::string to_base64_url(std::string_view bytes);
/// The bytes that are spelt so, line breaks between or not; nothing where it is no base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace remitod::carriers
