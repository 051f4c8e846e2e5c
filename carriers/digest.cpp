#include "carriers/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

namespace remitod::carriers {
namespace {

using DigestBytes = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const EVP_MD* algorithm(Digest digest) {
  switch (digest) {
    case Digest::md5:
      return EVP_md5();
    case Digest::sha1:
      return EVP_sha1();
    case Digest::sha256:
      return EVP_sha256();
    case Digest::sha512:
      return EVP_sha512();
  }
  std::abort();
}

// libcrypto speaks in unsigned char, we in char.
const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string to_string(const DigestBytes& bytes, unsigned count) {
  return {reinterpret_cast<const char*>(bytes.data()), count};
}

}  // namespace

std::string hash(Digest digest, std::string_view bytes) {
  DigestBytes result{};
  unsigned count = 0;
  // Fails where the system's policy forbids the algorithm (md5 under FIPS): a wrong signature would be worse.
  if (EVP_Digest(bytes.data(), bytes.size(), result.data(), &count, algorithm(digest), nullptr) != 1) std::abort();
  return to_string(result, count);
}

std::string hmac(Digest digest, std::string_view key, std::string_view bytes) {
  DigestBytes result{};
  unsigned count = 0;
  if (!HMAC(algorithm(digest), key.data(), static_cast<int>(key.size()), unsigned_bytes(bytes), bytes.size(),
            result.data(), &count))
    std::abort();
  return to_string(result, count);
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 0x0F];
  }
  return text;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with a zero byte
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), unsigned_bytes(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string to_base64_url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  text.resize(std::min(text.find('='), text.size()));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string plain(text.size() / 4 * 3 + 3, '\0');
  EVP_ENCODE_CTX* const context = EVP_ENCODE_CTX_new();
  if (context == nullptr) throw std::bad_alloc();
  EVP_DecodeInit(context);
  int written = 0;
  int rest = 0;
  auto* const out = reinterpret_cast<unsigned char*>(plain.data());
  const auto* const in = reinterpret_cast<const unsigned char*>(text.data());
  const bool valid = EVP_DecodeUpdate(context, out, &written, in, static_cast<int>(text.size())) >= 0 &&
                     EVP_DecodeFinal(context, out + written, &rest) >= 0;
  EVP_ENCODE_CTX_free(context);
  if (!valid) return std::nullopt;
  plain.resize(static_cast<std::size_t>(written) + static_cast<std::size_t>(rest));
  return plain;
}

}  // namespace remitod::carriers
