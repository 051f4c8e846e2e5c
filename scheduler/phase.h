// The stable phase: which second of every interval belongs to a shipment.
//
// As in Prometheus, the offset is a hash of the target modulo the interval: the load spreads evenly, nothing has to be
// stored, and a restart asks each shipment at the very second at which it would have been asked anyway.
#pragma once

#include <cstdint>

#include "scheduler/moments.h"

namespace remitod::scheduler {

/// Spreads any 64 bits over 64 bits, one to one (the finaliser of splitmix64). Never to be changed: phases follow it.
std::uint64_t mix(std::uint64_t bits);

/// In [0, interval). The shipment's points are the seconds s with s mod interval = phase.
Second phase(std::int64_t shipment_id, Second interval);

/// The shipment's first point after `moment` (never `moment` itself).
Second next_point(Second moment, std::int64_t shipment_id, Second interval);

}  // namespace remitod::scheduler
