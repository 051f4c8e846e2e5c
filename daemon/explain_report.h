// What --explain says, as JSON: of a carrier's schedule, and of when its shipments are asked next.
#pragma once

#include <string>
#include <vector>

#include "daemon/poller.h"
#include "db/stores.h"

namespace remitod::daemon {

std::string explain_carrier_report(const Poller::CarrierView& carrier, Instant now);
/// `shipments`: of one carrier.
std::string explain_shipments_report(const Poller::CarrierView& carrier, const std::vector<db::ShipmentView>& shipments,
                                     Instant now);

}  // namespace remitod::daemon
