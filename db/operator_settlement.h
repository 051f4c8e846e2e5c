// What a person decides about a remito request that ended without a clear answer (`remitod --settle`). The row says who
// decided what, and when.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "db/stores.h"

namespace remitod::db {

struct OperatorSettlement {
  enum class Action : std::uint8_t {
    adopt,   ///< the carrier made the shipment: `text` is its remito
    refuse,  ///< it made none, and the merchant is to hear why: `text`
    resend,  ///< it made none: to be sent anew
  };
  /// Its request_key or its id. Where that is the key of one and the id of another, "key:KEY" or "id:N" says which.
  std::string request;
  Action action = Action::refuse;
  std::string text{};
  std::string operator_name;
};

/// Why it is not settled, in words for the person.
struct NotSettled {
  enum class Why : std::uint8_t { unknown_request, ambiguous, wrong_state, remito_in_use };
  Why why = Why::unknown_request;
  std::string message;
};

struct OperatorSettled {
  RequestView request;                   ///< as it is now
  std::optional<OpenShipment> shipment;  ///< adopt
};

/// What OperatorSettlement::request may be, so that it means this request and no other: its key, as "key:KEY" where the
/// key alone could be read as something else, such as an id or an option.
std::string unmistakable(const std::string& request_key);

/// Of requests that are `needs_operator`, `unknown` or `accepted`. Whatever call or look is under way for it comes too
/// late then: its token is another's. As settle_requests, with shipment and transition in the same transaction.
DbResult<std::expected<OperatorSettled, NotSettled>> settle_by_operator(Session& session,
                                                                        const OperatorSettlement& settlement,
                                                                        Instant now);

}  // namespace remitod::db
