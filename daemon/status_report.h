// What --status says, as JSON: of the daemon as a whole, of its carriers, of one shipment or order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/outbox.h"
#include "daemon/poller.h"
#include "daemon/remito_worker.h"
#include "daemon/resync.h"
#include "daemon/sinks.h"
#include "daemon/trouble.h"
#include "db/cancel_requests.h"
#include "db/erasure.h"
#include "db/gauges.h"
#include "db/stores.h"

namespace remitod::daemon {

struct StatusSources {
  const Poller& poller;
  const RemitoWorker& worker;
  const Outbox& outbox;
  const Resync& resync;
  const Sinks& sinks;
  Instant started_at;
  Instant now;
  std::string engine;
  bool database_trouble = false;
  std::uint64_t statements = 0;
  Instant sampled_at = now;  ///< what the database says is of then
  std::optional<Trouble> listener_trouble = {};
  std::vector<Trouble> files_trouble = {};  ///< of carriers that tell by files or a feed
};

/// What the database has to say.
struct StatusRows {
  db::Overview overview;
  std::vector<db::CancelForPeople> cancels;  ///< that need a person
  std::vector<db::SinkView> sinks;
  std::vector<db::OpenRequests> open_requests;
  std::vector<db::RetentionResult> retention;
};
db::DbResult<StatusRows> read_status_rows(db::Session& session);

/// `rows` is absent while the database does not answer. "degraded" lists what a person should look at, first things
/// first.
std::string status_report(const StatusSources& sources, const StatusRows* rows);
/// With when each shipment was last asked and will be asked next.
std::string shipments_report(const Poller& poller, const std::vector<db::ShipmentView>& shipments,
                             const std::vector<db::RequestView>& requests);

}  // namespace remitod::daemon
