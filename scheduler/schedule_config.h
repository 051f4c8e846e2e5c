// How the shipments of a carrier are to be asked about, as an installation states it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace remitod::scheduler {

enum class Mode : std::uint8_t {
  hourly,    ///< the legacy pull: every open shipment once an hour, spread by a stable phase (README.md: the rule)
  fixed,     ///< the same with another interval
  adaptive,  ///< when it is worth most, within a budget: learned from when the carrier publishes
};

struct ScheduleConfig {
  Mode mode = Mode::hourly;
  std::chrono::seconds interval{3600};        ///< of hourly and fixed: from one poll of a shipment to the next
  std::chrono::seconds max_interval{86'400};  ///< of adaptive: nobody waits longer, whatever was learned

  /// Of adaptive: at most one of these; none: as much as the hourly pull.
  struct Budget {
    std::optional<double> share_of_hourly;       ///< "hourly/4": 0.25, in (0, 1]
    std::optional<std::int64_t> requests_a_day;  ///< at least 1
    /// Between publication and poll, on average: as many requests as that takes.
    std::optional<std::chrono::seconds> target_delay;
  };
  Budget budget;
};

}  // namespace remitod::scheduler
