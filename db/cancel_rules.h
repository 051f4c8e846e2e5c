// What becomes of a wish to cancel before the carrier is asked. Pure, so that both engines decide alike;
// cancel_requests.cpp brings the rows and writes the decisions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace remitod::db {

/// An open row of cancel_requests that is not at the carrier yet, with what there is to cancel.
struct CancelSituation {
  std::int64_t cancel_id = 0;
  std::string order_number;
  bool has_forerunner = false;  ///< an older one for the same parcels is still open
  // The order's last remito request for these parcels, and its last shipment; 0: none.
  std::int64_t request_id = 0;
  std::string request_state{};  ///< "new": it was not taken in yet
  std::int64_t shipment_id = 0;
  std::string carrier{}, status{};
  bool shipment_ended = false;
};

struct CancelDecision {
  enum class Kind : std::uint8_t {
    wait,          ///< it is not known yet whether there is a shipment
    ask_carrier,   ///< there is one
    stop_request,  ///< nothing was sent: the request becomes `cancelled`
    already_so,    ///< it is cancelled
    refused,       ///< `code`, `text`
  };
  Kind kind = Kind::wait;
  std::string_view code{};
  std::string text{};
};

/// `cancelling`: the carriers that take cancellations.
CancelDecision decide(const CancelSituation& situation, std::span<const std::string> cancelling);

}  // namespace remitod::db
