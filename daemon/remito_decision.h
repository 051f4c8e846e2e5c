// What is to be done about a remito request after what has just become known of it. Pure: the one place that decides
// whether a request is sent again.
//
// The rule behind it: a second, paid shipment is worse than a late remito. A request whose call may have made a
// shipment is sent again only when the carrier has shown that it made none (a miss in its own search, after it promises
// to show what it made), or when it promises to make one shipment for one key, and the key is still remembered. Else a
// person decides.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "carriers/promises.h"
#include "db/stores.h"

namespace remitod::daemon {

/// What has become known of a claimed request.
struct RemitoNews {
  enum class Kind : std::uint8_t {
    // Of a call.
    granted,         ///< `remito`
    refused,         ///< `code` and `text`, as the carrier puts it
    number_refused,  ///< likewise, because of the number that it was given
    accepted,        ///< the carrier decides later; `remito` where it is known
    impossible,      ///< cannot be sent as it is; nothing was
    unsent,          ///< provably not sent; `retry_at` where that is known
    put_off,         ///< the carrier promises that it made nothing, and takes it later; likewise
    unclear,         ///< the carrier may have made a shipment or not
    interrupted,     ///< the program was gone when the call ended, or the profile was read anew since
    due_again,       ///< what was to be sent again has its turn, which may have come late
    not_confirmed,   ///< accepted, and then nothing until its time was over
    // Of asking the carrier for our reference.
    found,        ///< `remito`, `parcels`
    several,      ///< with our reference
    not_found,    ///< the carrier says that there is none
    find_failed,  ///< no answer, or none that says it
  };
  Kind kind = Kind::unclear;
  std::string remito{};
  std::string code{};
  std::string text{};  ///< in words
  std::optional<int> parcels{};
  Instant retry_at{};
  /// not_found: so long at least after the last unclear call had ended the carrier was asked.
  std::chrono::microseconds asked_after{};
  /// So long at least it is since the request was first sent, by a clock that nobody sets; 0: nobody knows.
  std::chrono::microseconds known_for{};
};

/// Calls that may have arrived, of one request: with more it is a person's.
inline constexpr int unclear_calls_max = 5;
/// So long a carrier is asked for our reference, and one that cannot be reached is tried.
inline constexpr std::chrono::hours finding_time{24}, unsent_time{72};

/// The outcome as it is to be settled. `accepted` wants its times from the caller still.
db::RequestOutcome decide(const db::RemitoRequest& request, RemitoNews news, const carriers::Promises& promises,
                          Instant now);

}  // namespace remitod::daemon
