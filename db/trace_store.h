// What carriers published, as far as we know: the traces that --backtest reads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

/// A status that a shipment got, with when that was detected: it was published at some moment between the poll before
/// and this one, which is the latest that it can be. Steps that the carrier never said (inferred) are none, and history
/// from before we followed the shipment neither.
struct PublishedStatus {
  std::int64_t id = 0;  ///< of the transition
  std::int64_t shipment_id = 0;
  std::string carrier;
  Instant created{};  ///< from when on the shipment was followed
  Instant published{};
  std::string status;
  bool last = false;  ///< so far nothing came after it
};

/// Of shipments that were followed from `since` on, of this carrier or, where it is empty, of all; by id, after
/// `after_id`; at most `limit`.
DbResult<std::vector<PublishedStatus>> load_published_statuses(Session& session, std::string_view carrier,
                                                               Instant since, std::int64_t after_id, std::size_t limit);

}  // namespace remitod::db
