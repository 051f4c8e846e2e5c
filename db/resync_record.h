// What is recorded of a resync, for whoever waits for the end of one that a daemon before this one has begun.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

struct ResyncRecord {
  std::string target;
  bool finished = false;
  std::int64_t shipments = 0;  ///< once it is finished
  std::string error;           ///< likewise
};

/// Nothing: there is none with this id.
DbResult<std::optional<ResyncRecord>> find_resync_record(Session& session, std::int64_t resync_id);

}  // namespace remitod::db
