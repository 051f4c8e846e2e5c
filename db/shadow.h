// What two systems made of the same shipments: ours, and the one before it, whose word the platform puts into
// legacy_statuses. For --compare-shadow. Each function runs inside the transaction of its caller.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "db/executor.h"

namespace remitod::db {

/// One system saw a shipment reach a status.
struct SeenStatus {
  std::string remito;
  std::string status;  ///< ours: a word of carriers/tracking.h; the other's may be any
  std::optional<Instant> occurred_at;
  Instant seen_at{};
};

/// The transitions of the carrier's shipments, told or in shadow, since then, without inferred ones and history. At
/// most `limit`, the oldest first.
DbResult<std::vector<SeenStatus>> load_our_statuses(Session& session, std::string_view carrier, Instant since,
                                                    std::size_t limit);
DbResult<std::vector<SeenStatus>> load_legacy_statuses(Session& session, std::string_view carrier, Instant since,
                                                       std::size_t limit);

}  // namespace remitod::db
