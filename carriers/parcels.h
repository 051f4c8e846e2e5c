// How a carrier takes the parcels of an order: so many in one shipment, each by itself. An order whose parcels would
// not all leave is refused. Pure. Private to carriers/.
#pragma once

#include <optional>
#include <string_view>

#include "carriers/json_value.h"
#include "carriers/request.h"

namespace remitod::carriers {

/// Of one order: more are a mistake, and would be a request without end.
inline constexpr int order_parcels_max = 1000;

struct ParcelRules {
  int max = 0;        ///< parcels in one shipment, 1 to order_parcels_max; 0: the carrier does not mind
  bool each = false;  ///< the carrier has no field for equal parcels: each stands in the list
};

/// Makes the payload's list of parcels what the carrier takes. The error names the field: more parcels than it takes
/// (an entry stands for as many as its `quantity`), or a quantity that is no whole number.
std::optional<RequestError> apply_parcel_rules(JsonValue& payload, const ParcelRules& rules, std::string_view carrier);

/// An entry of the payload's list stands for as many as its `quantity`. Nothing where it does not say.
std::optional<int> count_parcels(const JsonValue& payload);

}  // namespace remitod::carriers
