// Takes away what is old, as [retention] says: once a day, in the hours that it names, a thousand rows to a transaction
// and with a pause behind each, so that polls and requests never wait for it. Orders whose personal data was to be
// erased while something of them was open have their turn at the end. What it came to stands in the database
// (db/erasure.h, RetentionResult), for --status and the metrics. Belongs to the deciding thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config_retention.h"
#include "daemon/runtime.h"
#include "db/erasure.h"
#include "db/executor.h"
#include "scheduler/limits_hours.h"

namespace remitod::daemon {

class Retention {
 public:
  /// `config` was read by read_retention(). `sinks` are those configured: what one has still to receive stays.
  Retention(Runtime& runtime, db::Executor& executor, const RetentionConfig& config, std::vector<std::string> sinks);

  /// Waits for the next of its hours; if it is one now, a while.
  void start();
  void stop();
  bool idle() const { return !working_; }

  /// The last clean-up, or the one under way: how many went, by the key of [retention].
  struct Round {
    Instant began_at{};
    std::optional<Instant> ended_at;
    std::map<std::string, std::size_t, std::less<>> removed;
    std::size_t orders_erased = 0;
  };
  const std::optional<Round>& last_round() const { return round_; }

 private:
  void begin();
  void work();
  void removed(std::size_t rows);
  void erase_waiting_orders();
  void failed(const std::string& error);
  void end();
  db::RetentionLimits limits(Instant now) const;

  Runtime& runtime_;
  db::Executor& executor_;
  const RetentionConfig config_;
  const std::vector<std::string> sinks_;
  const scheduler::OpenHours hours_;
  std::unique_ptr<Alarm> alarm_;
  std::optional<Round> round_;
  std::size_t step_ = 0;
  bool step_begins_ = true;
  bool in_round_ = false, working_ = false, stopping_ = false;
};

}  // namespace remitod::daemon
