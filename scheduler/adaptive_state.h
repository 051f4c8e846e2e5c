// What a carrier's adaptive schedule has learned, in about seven bytes for each wait, so that a restart goes on with
// it.
//
//   byte     version, 1
//   varint   number of waits; then, in the order in which they ended:
//     varint   status
//     varint   end (seconds since the epoch), zigzag-coded difference to the one before
//     varint   seconds from the last look in vain to the end
//     varint   seconds from the entry to the last look in vain
//   varint   number of scores; then 8 bytes each, little-endian IEEE 754
//   8 + 8    price of a poll, price of a request
//   varint   last batch, in seconds since the epoch
//   varint   the next one may come from then on
//
// Varints are little-endian groups of seven bits, as in Protocol Buffers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "scheduler/adaptive_schedule.h"

namespace remitod::scheduler {

std::string serialise(const AdaptiveState& state);
/// Nothing where the bytes are not what serialise() makes. Allocates no more than a small multiple of `bytes`.
std::optional<AdaptiveState> parse_adaptive_state(std::string_view bytes);

}  // namespace remitod::scheduler
