#include "scheduler/compact_bytes.h"

#include <bit>
#include <cmath>

namespace remitod::scheduler {

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_double(std::string& out, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

std::uint64_t ByteReader::varint(std::uint64_t most) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    if (bytes_.empty()) break;
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      if (value <= most) return value;
      break;
    }
  }
  ok_ = false;
  return 0;
}

double ByteReader::number() {
  if (bytes_.size() < 8) {
    ok_ = false;
    return 0;
  }
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i) bits |= std::uint64_t{static_cast<std::uint8_t>(bytes_[i])} << (8 * i);
  bytes_.remove_prefix(8);
  const auto value = std::bit_cast<double>(bits);
  if (!std::isfinite(value)) ok_ = false;
  return value;
}

std::string_view ByteReader::bytes(std::uint64_t count) {
  if (count > bytes_.size()) {
    ok_ = false;
    return {};
  }
  const std::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

}  // namespace remitod::scheduler
