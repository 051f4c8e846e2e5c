// The open shipments of the database come into their lanes at the start. Meanwhile the daemon polls already: nothing
// waits for the last row.
#pragma once

#include <functional>
#include <memory>

#include "daemon/checkpoints.h"
#include "daemon/poller.h"
#include "daemon/runtime.h"
#include "db/executor.h"

namespace remitod::daemon {

/// On the deciding thread. What it has begun may end on the executor after it is gone, and is then not heard of;
/// `runtime` outlives that.
class LaneFilling {
 public:
  /// `filled` is called once, after the last shipment.
  LaneFilling(Runtime& runtime, db::Executor& executor, Poller& poller, Remembered remembered,
              std::function<void()> filled);
  /// Every carrier is in the poller.
  void start();
  bool done() const { return done_; }

 private:
  void load();
  void loaded(db::DbResult<std::size_t> shipments);

  Runtime& runtime_;
  db::Executor& executor_;
  Poller& poller_;
  Remembered remembered_;
  std::function<void()> filled_;
  std::unique_ptr<Alarm> retry_;
  bool done_ = false;
};

}  // namespace remitod::daemon
