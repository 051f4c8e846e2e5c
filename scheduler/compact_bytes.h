// Compact bytes, written and read: varints (little-endian groups of seven bits, as in Protocol Buffers) and IEEE 754
// doubles, little-endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace remitod::scheduler {

void put_varint(std::string& out, std::uint64_t value);
void put_double(std::string& out, double value);

/// Takes from the front; once something was wrong it gives zeros and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t varint(std::uint64_t most);
  double number();  ///< finite
  /// The next so many bytes.
  std::string_view bytes(std::uint64_t count);

  std::size_t left() const { return bytes_.size(); }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace remitod::scheduler
