// What adaptive schedules have learned, over a restart. To the database they are bytes; the lane knows what they mean.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carriers/tracking.h"
#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

struct LearnedSchedule {
  std::string carrier;
  std::optional<std::string> earlier;  ///< to be saved: absent where it is as it was saved last
  std::string recent;
};

/// Both parts in the caller's one transaction: they belong together.
DbResult<void> save_learned_schedule(Session& session, const LearnedSchedule& learned, Instant now);
/// Of every carrier. A part that is damaged comes back empty.
DbResult<std::vector<LearnedSchedule>> load_learned_schedules(Session& session);

}  // namespace remitod::db
