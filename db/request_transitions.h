// The transitions of remito requests, which request_store.cpp and settle_requests.cpp write with the change itself.
#pragma once

#include <cstdint>
#include <span>

#include "carriers/tracking.h"

namespace remitod::db {

class Session;

/// One transition for each of these requests, from what their rows say now: `ready_to_ship` if granted,
/// `remito_refused` if refused, `cancelled` if cancelled, none otherwise.
void insert_request_transitions(Session& session, std::span<const std::int64_t> request_ids, Instant now);

}  // namespace remitod::db
