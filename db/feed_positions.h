// Up to when the feeds of carriers have been asked for what changed, over a restart.
#pragma once

#include <optional>
#include <string_view>

#include "carriers/tracking.h"
#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

/// Nothing: it was never asked.
DbResult<std::optional<Instant>> load_feed_position(Session& session, std::string_view carrier);
/// In the transaction of the last report of what was told up to then: then nothing of it is lost, whatever happens.
DbResult<void> save_feed_position(Session& session, std::string_view carrier, Instant asked_until);

}  // namespace remitod::db
