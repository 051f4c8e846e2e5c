// Which steps of a shipment are news. Private to db/.
#pragma once

#include <vector>

#include "db/fold.h"
#include "db/history.h"
#include "db/reconcile.h"

namespace remitod::db {

/// The steps of `folded` that are to be told now, in the order in which they are to be told. The rules are at the top
/// of reconcile.h.
std::vector<ShipmentTransition> untold_transitions(const KnownShipment& known, const History& history,
                                                   const Folded& folded);

}  // namespace remitod::db
