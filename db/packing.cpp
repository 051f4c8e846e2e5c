#include "db/packing.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <cstdlib>

namespace remitod::db {
namespace {

const unsigned char* as_unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* as_unsigned(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  // OpenSSL writes a final zero, for which a string has room behind its end.
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  EVP_EncodeBlock(as_unsigned(text), as_unsigned(bytes), static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return std::string{};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(as_unsigned(bytes), as_unsigned(text), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  // EVP_DecodeBlock counts the padding as zero bytes.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

std::string pack(std::string_view bytes) {
  uLongf length = compressBound(bytes.size());
  std::string compressed(length, '\0');
  // Out of memory is the only way to fail with a buffer of compressBound.
  if (compress(as_unsigned(compressed), &length, as_unsigned(bytes), bytes.size()) != Z_OK) std::abort();
  return to_base64(std::string_view(compressed).substr(0, length));
}

std::optional<std::string> unpack(std::string_view text, std::size_t bytes_max) {
  const std::optional<std::string> compressed = from_base64(text);
  if (!compressed) return std::nullopt;
  std::string bytes(bytes_max, '\0');
  uLongf length = bytes.size();
  if (uncompress(as_unsigned(bytes), &length, as_unsigned(*compressed), compressed->size()) != Z_OK)
    return std::nullopt;
  bytes.resize(length);
  return bytes;
}

}  // namespace remitod::db
