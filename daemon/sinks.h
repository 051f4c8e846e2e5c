// All sinks of the installation. Each has its worker, and nothing in common with the others but the database's threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/sink_worker.h"

namespace remitod::daemon {

class Sinks {
 public:
  /// `owner` names this daemon at the leases: the same after a restart, another in every daemon that runs.
  Sinks(Runtime& runtime, db::Executor& executor, std::string owner);
  void add(std::string name, std::string type, SinkQueue::Settings queue, std::unique_ptr<SinkChannel> channel);

  void start();
  /// Transitions got their seq.
  void kick();
  void stop();
  bool idle() const;
  bool database_trouble() const;

  const std::vector<std::unique_ptr<SinkWorker>>& workers() const { return workers_; }
  bool has(std::string_view name) const;
  std::vector<std::string> names() const;

  struct ReplayedSink {
    std::string sink;
    db::Replayed replayed;
  };
  /// Sends again what the target says, of sinks that are configured.
  void replay(const db::ReplayTarget& target, std::function<void(db::DbResult<std::vector<ReplayedSink>>)> then);
  /// True: it was disabled.
  void enable(const std::string& name, std::function<void(db::DbResult<bool>)> then);

 private:
  Runtime& runtime_;
  db::Executor& executor_;
  const std::string owner_;
  std::vector<std::unique_ptr<SinkWorker>> workers_;
};

}  // namespace remitod::daemon
