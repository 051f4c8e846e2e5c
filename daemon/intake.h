// Notices what others wrote into the public tables: shipments to follow, resyncs, remito requests. A wake-up is a hint,
// the tables are the truth: every wake-up sweeps them, and so does a slow timer behind it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "daemon/runtime.h"
#include "db/stores.h"

namespace remitod::daemon {

class Intake {
 public:
  struct Hooks {
    std::function<void(std::span<const db::OpenShipment>)> shipments;
    std::function<void(const db::ResyncRequest&, std::vector<db::ResyncScope>)> resync;
    std::function<void()> remito_requests;  ///< look into the queue
  };
  Intake(Runtime& runtime, db::Executor& executor, Hooks hooks);
  /// The first sweep, and the first after one that failed, also takes up resyncs that were left unfinished.
  void start();
  /// Cheap to call often: sweeps do not overlap.
  void wake();
  void stop();
  bool idle() const { return !sweeping_; }
  bool database_trouble() const { return database_trouble_; }

 private:
  struct Found {
    std::vector<db::OpenShipment> shipments;
    bool full = false;  ///< there may be more
    std::vector<std::pair<db::ResyncRequest, std::vector<db::ResyncScope>>> resyncs;
  };
  void sweep();
  void swept(Instant begun, db::DbResult<Found> result);

  Runtime& runtime_;
  db::Executor& executor_;
  Hooks hooks_;
  std::unique_ptr<Alarm> alarm_;
  /// Sweeps have failed since then, and may have been committed all the same: what they took in is looked for.
  std::optional<Instant> unheard_since_;
  bool sweeping_ = false, again_ = false, first_ = true, stopping_ = false, database_trouble_ = false;
};

}  // namespace remitod::daemon
