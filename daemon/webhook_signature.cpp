#include "daemon/webhook_signature.h"

#include "carriers/digest.h"
#include "db/packing.h"

namespace remitod::daemon {
namespace {

constexpr std::string_view prefix = "whsec_";
constexpr std::size_t key_bytes_min = 24, key_bytes_max = 64;  // what the specification asks of secrets

}  // namespace

std::expected<std::string, std::string> parse_webhook_secret(std::string_view text) {
  const std::unexpected<std::string> wrong("expected \"whsec_\" and the base64 of 24 to 64 random bytes");
  if (!text.starts_with(prefix)) return wrong;
  auto key = db::from_base64(text.substr(prefix.size()));
  if (!key || key->size() < key_bytes_min || key->size() > key_bytes_max) return wrong;
  return std::move(*key);
}

std::string webhook_signature(std::span<const std::string> keys, std::string_view id,
                              std::chrono::sys_seconds timestamp, std::string_view body) {
  std::string content(id);
  content += '.' + std::to_string(timestamp.time_since_epoch().count()) + '.';
  content += body;
  std::string signatures;
  for (const std::string& key : keys) {
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + carriers::to_base64(carriers::hmac(carriers::Digest::sha256, key, content));
  }
  return signatures;
}

}  // namespace remitod::daemon
