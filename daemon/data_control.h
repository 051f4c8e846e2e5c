// What the control socket answers about the database's contents: POST /erase, POST /forget, GET /shadow.
#pragma once

#include <functional>

#include "daemon/control_server.h"
#include "daemon/poller.h"
#include "daemon/runtime.h"
#include "db/executor.h"

namespace remitod::daemon {

/// {"order_number": "...", "dry_run": false}: what of the order was erased, or would be.
void erase_order(const Runtime& runtime, db::Executor& executor, const ControlRequest& request,
                 const ControlServer::Reply& reply);

/// {"target": "CARRIER:REMITO"}. `forgotten` takes the shipment out of its lane.
void forget_shipment(const Runtime& runtime, db::Executor& executor, const ControlRequest& request,
                     const std::function<void(const std::string& carrier, std::int64_t shipment_id)>& forgotten,
                     const ControlServer::Reply& reply);

/// ?carrier=NAME&since=TIME (a week ago unless stated): what we and the system before us saw of the carrier's
/// shipments.
void shadow_rows(const Runtime& runtime, const Poller& poller, db::Executor& executor, const ControlRequest& request,
                 const ControlServer::Reply& reply);

}  // namespace remitod::daemon
