// What an adaptive lane is told besides its limits.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "scheduler/calendar.h"
#include "scheduler/publication_model_hints.h"
#include "scheduler/schedule_config.h"

namespace remitod::scheduler {

struct AdaptiveConfig {
  std::shared_ptr<const Calendar> calendar;  ///< the carrier's clock and holidays; absent: UTC, without holidays
  ScheduleConfig::Budget budget;
  std::chrono::seconds max_interval{86'400};  ///< nobody waits longer, whatever was learned
  std::vector<PublicationHint> hints;         ///< what ops know of when the carrier publishes
};

}  // namespace remitod::scheduler
