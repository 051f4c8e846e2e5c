// Notices what others wrote into the public tables: shipments to follow, resyncs, remito requests. A wake-up is a hint,
// the tables are the truth: every wake-up sweeps them, and so does a slow timer behind it.
#pragma once

#include <functional>
#include <memory>
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
  /// The first sweep also takes up resyncs that an earlier process left unfinished.
  void start();
  /// Cheap to call often: sweeps do not overlap.
  void wake();
  void stop();
  bool idle() const { return !sweeping_; }
  bool database_trouble() const { return database_trouble_; }

 private:
  struct Found {
    std::vector<db::OpenShipment> shipments;
    std::vector<std::pair<db::ResyncRequest, std::vector<db::ResyncScope>>> resyncs;
  };
  void sweep();
  void swept(db::DbResult<Found> result);

  Runtime& runtime_;
  db::Executor& executor_;
  Hooks hooks_;
  std::unique_ptr<Alarm> alarm_;
  bool sweeping_ = false, again_ = false, first_ = true, stopping_ = false, database_trouble_ = false;
};

}  // namespace remitod::daemon
