// When each shipment was last asked, in about three bytes each.
//
//   byte     version, 1
//   varint   number of entries
//   varint   the newest moment, in seconds since the epoch
//   then, by ascending id:
//   varint   id: the first one zigzag-coded, then the difference to the one before, less one
//   varint   seconds before the newest moment
//
// Varints are little-endian groups of seven bits, as in Protocol Buffers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/lane.h"
#include "scheduler/moments.h"

namespace remitod::scheduler {

struct AskedAt {
  std::int64_t shipment_id = 0;
  Second asked = 0;
};

/// Sorts. Ids are distinct.
std::string encode_checkpoint(std::vector<AskedAt> entries);
/// Nothing where the bytes are not what encode_checkpoint makes. Allocates no more than a small multiple of `bytes`.
std::optional<std::vector<Lane::Asked>> decode_checkpoint(std::string_view bytes);

}  // namespace remitod::scheduler
