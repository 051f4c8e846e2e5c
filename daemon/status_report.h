// What --status says, as JSON: of the daemon as a whole, of its carriers, of one shipment or order.
#pragma once

#include <string>
#include <vector>

#include "daemon/outbox.h"
#include "daemon/poller.h"
#include "daemon/remito_worker.h"
#include "daemon/resync.h"
#include "db/stores.h"

namespace remitod::daemon {

struct StatusSources {
  const Poller& poller;
  const RemitoWorker& worker;
  const Outbox& outbox;
  const Resync& resync;
  Instant started_at;
  Instant now;
  std::string engine;
  bool database_trouble = false;
  std::uint64_t statements = 0;
};

/// `overview` is absent while the database does not answer. "degraded" lists what a person should look at, first things
/// first.
std::string status_report(const StatusSources& sources, const db::Overview* overview);
/// With when each shipment was last asked and will be asked next.
std::string shipments_report(const Poller& poller, const std::vector<db::ShipmentView>& shipments,
                             const std::vector<db::RequestView>& requests);

}  // namespace remitod::daemon
