// How a webhook proves that it is ours: https://www.standardwebhooks.com, symmetric signatures (v1). Pure; any thread.
#pragma once

#include <chrono>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace remitod::daemon {

/// The bytes of a secret "whsec_BASE64", 24 to 64 of them; or what was expected.
std::expected<std::string, std::string> parse_webhook_secret(std::string_view text);

/// The header webhook-signature: for each key "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY", separated
/// by blanks. A receiver is content with one that it can verify, so that secrets are changed without a gap: first the
/// new one joins, then the receiver learns it, then the old one goes.
std::string webhook_signature(std::span<const std::string> keys, std::string_view id,
                              std::chrono::sys_seconds timestamp, std::string_view body);

}  // namespace remitod::daemon
