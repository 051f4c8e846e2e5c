// One sink: brings transitions from the table to its receiver, at least once each, in order for each order key.
//
//   sync     one transaction: writes what became of letters, renews the lease, reads what is new
//   send     as the queue says; as many at once as the sink may
//   answer   delivered, failed or gone; the next sync writes it, within a second
//
// A daemon that dies sends again what it had no time to write. The lease keeps two daemons from sending the same; while
// it cannot be renewed nothing is sent.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/runtime.h"
#include "daemon/sink_channel.h"
#include "daemon/sink_queue.h"
#include "db/executor.h"
#include "db/sinks.h"

namespace remitod::daemon {

class SinkWorker {
 public:
  struct Settings {
    std::string name;
    std::string type;   ///< "webhook", "command"
    std::string owner;  ///< this daemon, the same after a restart
    SinkQueue::Settings queue;
  };
  /// What has happened since the start.
  struct Counters {
    std::uint64_t delivered = 0;  ///< letters
    std::uint64_t dead = 0;       ///< letters
    std::uint64_t failed = 0;     ///< attempts
    int failures_in_row = 0;
    std::string last_error;
    std::optional<Instant> last_delivered_at, last_failed_at;
  };

  SinkWorker(Runtime& runtime, db::Executor& executor, Settings settings, std::unique_ptr<SinkChannel> channel);

  void start();
  /// Transitions may have got their seq, or somebody changed letters. Cheap to call often.
  void kick();
  /// Nothing further is sent; what is in flight is waited for, then the lease is given back.
  void stop();
  bool idle() const { return !started_ || (stopping_ && !queue_ && !syncing_); }

  const Settings& settings() const { return settings_; }
  const Counters& counters() const { return counters_; }
  bool leased() const { return queue_.has_value(); }  ///< it is this daemon that sends
  std::size_t in_flight() const { return queue_ ? queue_->in_flight() : 0; }
  Instant resting_until() const { return queue_ ? queue_->resting_until() : Instant{}; }
  bool database_trouble() const { return database_trouble_; }

 private:
  struct Plan;
  struct Synced;
  void turn();
  bool may_send(Instant now) const;
  bool sync_is_due(Instant now) const;
  void set_wake(Instant now);
  std::size_t room() const;

  void sync(Instant now);
  Plan plan(Instant now);
  static db::DbResult<std::optional<Synced>> carry_out(db::Session& session, const Plan& plan);
  void synced(const Plan& plan, db::DbResult<std::optional<Synced>> result);
  void take_up(Synced synced, Instant now);

  void send(std::int64_t seq);
  void answered(std::int64_t seq, const SinkOutcome& outcome);
  void failed(std::int64_t seq, const SinkOutcome& outcome, Instant now);

  Runtime& runtime_;
  db::Executor& executor_;
  const Settings settings_;
  std::unique_ptr<SinkChannel> channel_;
  std::unique_ptr<Alarm> wake_;
  Counters counters_;

  // Of the lease: there is a queue as long as there is one.
  db::SinkLease lease_;
  std::optional<SinkQueue> queue_;
  std::map<std::int64_t, db::ToldTransition> told_;  ///< of each letter in the queue
  std::optional<db::SinkChanges> unsaved_;           ///< taken from the queue, not committed
  std::optional<std::string> gone_;                  ///< what the receiver said, not committed
  Instant lease_until_{};
  std::uint64_t leases_ = 0;  ///< answers that come after the lease they were sent under are nobody's

  Instant sync_at_{};
  Instant last_turn_{};
  bool more_ = true;  ///< transitions may be in the table that are not in the queue
  bool started_ = false, stopping_ = false, syncing_ = false, sync_again_ = false, database_trouble_ = false;
};

}  // namespace remitod::daemon
