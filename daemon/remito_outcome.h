// What the parts of the remito worker share: a claimed request as the carriers' functions want it, and its outcome.
#pragma once

#include <algorithm>
#include <chrono>

#include "carriers/request.h"
#include "db/stores.h"

namespace remitod::daemon {

/// Views into the request, which outlives it.
inline carriers::CreateOrder order_of(const db::RemitoRequest& request) {
  return {request.order_number, request.parcel_group, request.service,
          request.client_ref,   request.payload,      request.proposed_remito};
}

inline db::RequestOutcome outcome_of(const db::RemitoRequest& request, db::RequestOutcome::Kind kind) {
  db::RequestOutcome outcome;
  outcome.request_id = request.request_id;
  outcome.fencing_token = request.fencing_token;
  outcome.kind = kind;
  return outcome;
}

/// How long a carrier that could not be reached is left alone: 5 s after the first time, doubled up to 10 min.
inline std::chrono::seconds unsent_pause(int times) {
  const int doublings = std::clamp(times - 1, 0, 10);
  return std::min(std::chrono::seconds{5} * (1 << doublings), std::chrono::seconds{600});
}

}  // namespace remitod::daemon
