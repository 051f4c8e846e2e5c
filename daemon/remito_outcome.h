// What the parts of the remito worker share: a claimed request as the carriers' functions want it, and its outcome.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

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

/// How long it is until the queue is looked through again while something in it is due: for what comes free at its
/// carrier; where all such carriers rest, for what else may become due.
inline std::chrono::milliseconds look_again(const std::set<std::string>& waiting, Instant now,
                                            const std::function<Instant(std::string_view)>& rests_until) {
  using namespace std::chrono_literals;
  const bool all_rest = !waiting.empty() && std::ranges::all_of(waiting, [&](const std::string& carrier) {
    return rests_until(carrier) > now + 2s;
  });
  return all_rest ? 2000ms : 200ms;
}

/// How long a request waits that the carrier puts off: as it says, but a clock of its own that is wrong by days would
/// keep it from being tried again before a person decides.
inline std::chrono::seconds put_off_pause(std::optional<std::chrono::seconds> retry_after) {
  constexpr std::chrono::seconds most = std::chrono::hours{6};
  return std::min(retry_after.value_or(std::chrono::seconds{0}), most);
}

}  // namespace remitod::daemon
