#include "scheduler/checkpoint.h"

#include <algorithm>
#include <limits>

#include "scheduler/compact_bytes.h"

namespace remitod::scheduler {
namespace {

constexpr char version = 1;

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

/// The id that comes `difference` after `id`, unless there is none.
std::optional<std::int64_t> id_after(std::int64_t id, std::uint64_t difference) {
  const std::uint64_t room =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - static_cast<std::uint64_t>(id);
  if (difference > room) return std::nullopt;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(id) + difference);
}

}  // namespace

std::string encode_checkpoint(std::vector<AskedAt> entries) {
  std::ranges::sort(entries, {}, &AskedAt::shipment_id);
  Second newest = 0;
  for (const AskedAt& entry : entries) newest = std::max(newest, entry.asked);

  std::string out;
  out.reserve(16 + entries.size() * 4);
  out.push_back(version);
  put_varint(out, entries.size());
  put_varint(out, newest);
  std::int64_t before = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::int64_t id = entries[i].shipment_id;
    put_varint(out, i == 0 ? zigzag(id) : static_cast<std::uint64_t>(id) - static_cast<std::uint64_t>(before) - 1);
    put_varint(out, newest - entries[i].asked);
    before = id;
  }
  return out;
}

std::optional<std::vector<Lane::Asked>> decode_checkpoint(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != version) return std::nullopt;
  bytes.remove_prefix(1);
  const std::optional<std::uint64_t> count = take_varint(bytes);
  const std::optional<std::uint64_t> newest = take_varint(bytes);
  if (!count || !newest || *newest > std::numeric_limits<Second>::max()) return std::nullopt;
  if (*count > bytes.size() / 2) return std::nullopt;  // an entry has two bytes at least

  std::vector<Lane::Asked> entries;
  entries.reserve(*count);
  for (std::uint64_t i = 0; i < *count; ++i) {
    const std::optional<std::uint64_t> step = take_varint(bytes);
    const std::optional<std::uint64_t> age = take_varint(bytes);
    if (!step || !age || *age > *newest) return std::nullopt;
    std::optional<std::int64_t> id = unzigzag(*step);
    if (i != 0) {
      if (*step == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
      id = id_after(entries.back().shipment_id, *step + 1);
    }
    if (!id) return std::nullopt;
    entries.push_back({*id, to_instant(static_cast<Second>(*newest - *age))});
  }
  if (!bytes.empty()) return std::nullopt;
  return entries;
}

}  // namespace remitod::scheduler
