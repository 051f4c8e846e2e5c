// Requests whose call ended without a clear answer (state `unknown`): what is to be done about each is decided
// elsewhere and written by settle_requests; here it is taken up. Each claim has a fencing token of its own.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/stores.h"

namespace remitod::db {

/// When the next step of an unknown request of any carrier is due, or long ago where it is not decided yet. Absent:
/// none is unknown.
DbResult<std::optional<Instant>> next_unclear_due(Session& session);

/// Those of the carrier whose next step is not decided yet. At most `limit`.
DbResult<std::vector<RemitoRequest>> claim_undecided(Session& session, std::string_view carrier, std::size_t limit);

/// Those that are to be looked up now: looks + 1, and the next look at `lease_expires_at` if this one never ends. FOR
/// UPDATE SKIP LOCKED on PostgreSQL, as the next.
DbResult<std::vector<RemitoRequest>> claim_finds(Session& session, std::string_view carrier, Instant now,
                                                 Instant lease_expires_at, std::size_t limit);

/// Those that are to be sent again now: as claim_requests, `sending`.
DbResult<std::vector<RemitoRequest>> claim_resends(Session& session, std::string_view carrier, Instant now,
                                                   Instant lease_expires_at, std::size_t limit);

/// Those whose carrier is none of these (it was taken out of the configuration) become `needs_operator`. Returns how
/// many.
DbResult<std::size_t> give_up_unclear(Session& session, std::span<const std::string> known_carriers);

}  // namespace remitod::db
