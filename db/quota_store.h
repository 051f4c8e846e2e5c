// Quotas of requests over a restart. How they count is scheduler/quota.h's business; here they are rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

struct RequestQuota {
  std::string period;         ///< "hour" or "day"
  std::int64_t revision = 0;  ///< as it was read; 0: there is no row yet
  struct Slot {
    Instant from{};
    std::int64_t requests = 0;
    friend bool operator==(const Slot&, const Slot&) = default;
  };
  std::vector<Slot> slots;
};

/// Those of one carrier. A row that cannot be read comes back as if more than any quota had been reserved when it was
/// written: then nothing is sent for as long as that counts, rather than too much.
DbResult<std::vector<RequestQuota>> load_request_quotas(Session& session, std::string_view carrier);

/// Writes each with the revision after its own. False where a row has another revision by now: somebody else reserved,
/// and not all of these were written.
DbResult<bool> save_request_quotas(Session& session, std::string_view carrier, std::span<const RequestQuota> quotas,
                                   Instant now);

}  // namespace remitod::db
