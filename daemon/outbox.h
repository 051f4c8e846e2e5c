// Gives committed transitions their gapless seq and tells them: one structured log line each, and the sinks may look.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "daemon/runtime.h"
#include "db/stores.h"

namespace remitod::daemon {

class Outbox {
 public:
  /// `told` is called when transitions got their seq.
  Outbox(Runtime& runtime, db::Executor& executor, std::function<void()> told);
  /// Transitions may have been committed. Cheap to call often: one dispatch runs at a time.
  void kick();
  bool idle() const { return !running_; }
  std::int64_t last_seq() const { return last_seq_; }
  bool database_trouble() const { return database_trouble_; }

 private:
  void dispatched(db::DbResult<std::vector<db::Transition>> result);

  Runtime& runtime_;
  db::Executor& executor_;
  std::function<void()> told_;
  std::unique_ptr<Alarm> retry_;
  std::int64_t last_seq_ = 0;
  bool running_ = false, again_ = false, database_trouble_ = false;
};

}  // namespace remitod::daemon
