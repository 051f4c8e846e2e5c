// Moments of a lane: whole seconds in four bytes, because a lane keeps two for every open shipment.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "carriers/tracking.h"

namespace remitod::scheduler {

/// Seconds since the epoch, until 2106. Zero is no moment: "never asked", "due before everything else".
using Second = std::uint32_t;

/// Rounded down, and cut to what a Second can say: 1 to 2^32 - 1.
inline Second to_second(Instant instant) {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
  return static_cast<Second>(std::clamp<std::int64_t>(seconds, 1, std::numeric_limits<Second>::max()));
}

inline Instant to_instant(Second second) {
  return Instant{std::chrono::seconds{second}};
}

/// `moment` later by `seconds`, cut at the end of time.
inline Second later(Second moment, Second seconds) {
  return moment > std::numeric_limits<Second>::max() - seconds ? std::numeric_limits<Second>::max() : moment + seconds;
}

}  // namespace remitod::scheduler
