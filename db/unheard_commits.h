// What was written by a transaction of which nobody knows whether it was committed: a connection can be lost with the
// COMMIT on its way. Whoever asked for it sees an error, does the same again, and finds nothing left to be done; what
// it had done is found here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "db/stores.h"

namespace remitod::db {

/// Open shipments that were taken in then or later.
DbResult<std::vector<OpenShipment>> shipments_accepted_since(Session& session, Instant since);
/// Remito requests that are `sending`, though their lease has run out and nobody works on them: the claim was
/// committed, and who claimed them did not hear of it, or is gone. They become `unknown`. Those in `working_on` wait
/// for their settlement. Returns which.
DbResult<std::vector<std::int64_t>> give_up_unheard_claims(Session& session, std::span<const std::int64_t> working_on,
                                                           Instant now);
/// Shipments of the carrier that ended then or later.
DbResult<std::vector<std::int64_t>> shipments_ended_since(Session& session, std::string_view carrier, Instant since);

}  // namespace remitod::db
