// Rows of remito_requests and cancel_requests as a platform inserts them, for those who ask through the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "db/stores.h"

namespace remitod::db {

/// The columns that a platform may write.
struct PlatformRequest {
  std::string request_key;
  std::string order_number;
  int parcel_group = 1;
  std::string carrier;
  std::string service{};
  std::string payload = "{}";  ///< JSON text
  std::optional<Instant> requested_at{};
};

/// Inserts those whose key is new, and says of each whether it was. What is there stays as it is.
DbResult<std::vector<bool>> insert_remito_requests(Session& session, std::span<const PlatformRequest> requests,
                                                   Instant now);
/// What became of the requests with these keys, in the order of their ids.
DbResult<std::vector<RequestView>> view_requests_by_key(Session& session, std::span<const std::string> request_keys);

}  // namespace remitod::db
