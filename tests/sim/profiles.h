// The profiles of a simulation: built-in ones, and its own for what none of those has.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "carriers/profile.h"

namespace remitod::sim {

/// So long a terminal shipment is asked about: shorter than the profiles say, so that it passes within a run.
inline constexpr std::chrono::hours tail{12};

/// With an invented account. Loaded once.
std::shared_ptr<const carriers::Profile> sim_profile(const std::string& carrier);

}  // namespace remitod::sim
