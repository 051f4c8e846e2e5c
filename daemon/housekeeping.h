// What is done every minute beside the polls: what the next process wants to know goes to the database
// (checkpoints.h), and shipments that are over leave their lanes.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoints.h"
#include "daemon/poller.h"
#include "daemon/runtime.h"
#include "db/executor.h"

namespace remitod::daemon {

class Housekeeping {
 public:
  /// `transitions_written`: shipments may have become `expired`.
  Housekeeping(Runtime& runtime, db::Executor& executor, Poller& poller, std::function<void()> transitions_written);

  /// Each open shipment of the start is in its lane. Before that nothing is done: what half of a lane remembers would
  /// be written over what the last process did.
  void lanes_filled() { lanes_are_filled_ = true; }
  /// Once for every carrier, one after the other: the database's queue is short, and others wait in it, too. Whoever
  /// owns it calls it each `interval` of the wall's time; while a round is under way nothing is done.
  void round();
  static constexpr std::chrono::seconds interval{60};

  /// Of every carrier, for the process that comes after this one. `then` is called when all of them were tried.
  void save_checkpoints(std::function<void()> then);

 private:
  void end_finished(const std::string& carrier, std::function<void()> then);
  void ended(const std::string& carrier, Instant begun, const db::DbResult<std::vector<std::int64_t>>& result);

  Runtime& runtime_;
  db::Executor& executor_;
  Poller& poller_;
  Checkpoints checkpoints_;
  std::function<void()> transitions_written_;
  bool lanes_are_filled_ = false, round_under_way_ = false;
  /// Carriers whose round has failed since then, and may have been committed all the same.
  std::map<std::string, Instant, std::less<>> unheard_since_;
};

}  // namespace remitod::daemon
