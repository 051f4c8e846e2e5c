// The deciding parts of the daemon, wired as daemon/app.cpp wires them, on a virtual clock. A crash is to destroy it; a
// restart is a new one on the same database and carriers.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/cancel_worker.h"
#include "daemon/feed_poller.h"
#include "daemon/housekeeping.h"
#include "daemon/intake.h"
#include "daemon/outbox.h"
#include "daemon/poller.h"
#include "daemon/raw_keeper.h"
#include "daemon/remito_worker.h"
#include "daemon/reread.h"
#include "daemon/resync.h"
#include "daemon/sinks.h"
#include "db/raw_answers.h"
#include "tests/carriers/built_in_profiles.h"
#include "tests/support/virtual_carriers.h"
#include "tests/support/virtual_database.h"
#include "tests/support/virtual_runtime.h"

namespace remitod::test {

/// Monday, 23 November 2026, 00:00 UTC.
inline constexpr Instant monday = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23};

/// What decides, on whatever clock, wire and database it is given. They outlive it.
class DecidingParts {
 public:
  DecidingParts(daemon::Runtime& runtime, carriers::HttpTransport& transport, daemon::Offload& mapper,
                db::Executor& executor);

  /// A built-in profile with its own limits, which `change` may alter.
  void add_carrier(const std::string& name, const std::function<void(scheduler::LaneConfig&)>& change = {});
  void add_carrier(const std::shared_ptr<const carriers::Profile>& profile,
                   const std::function<void(scheduler::LaneConfig&)>& change = {}, bool shadow = false);
  /// What a start does: settle what a crash cut off, fill the lanes, look into the tables.
  void start(db::Session& session, const std::map<std::int64_t, Instant>& last_asked = {});
  /// What a clean stop begins with: nothing new. What is under way comes to its end, and then it is idle.
  void begin_stop();
  bool idle() const;

  daemon::RawKeeper raw;
  daemon::Poller poller;
  daemon::FeedPoller feeds;
  daemon::Sinks sinks;
  daemon::Outbox outbox;
  daemon::RemitoWorker worker;
  daemon::CancelWorker cancels;
  daemon::Resync resync;
  daemon::Reread reread;
  daemon::Intake intake;
  daemon::Housekeeping housekeeping;

 private:
  daemon::Runtime& runtime_;
  carriers::HttpTransport& transport_;
};

/// What a virtual daemon runs on.
struct VirtualMachine {
  VirtualMachine(VirtualDatabase& database, VirtualCarriers& carriers, Instant start)
      : runtime(start), executor(runtime, database), mapper(runtime), transport(runtime, carriers) {}
  VirtualRuntime runtime;
  VirtualExecutor executor;
  VirtualOffload mapper;
  VirtualTransport transport;
};

class VirtualDaemon : public VirtualMachine, public DecidingParts {
 public:
  VirtualDaemon(VirtualDatabase& database, VirtualCarriers& carriers, Instant start);
  void start(const std::map<std::int64_t, Instant>& last_asked = {});
  /// False if it takes over a minute.
  bool stop();

 private:
  VirtualDatabase& database_;
};

/// A database, the carriers, and a daemon between them.
struct VirtualWorld {
  VirtualWorld() { restart(); }
  /// The daemon is gone without a word, and a new one stands in its place, not started yet.
  void restart() {
    const Instant now = daemon ? daemon->runtime.now() : monday;
    daemon.reset();
    daemon = std::make_unique<VirtualDaemon>(database, carriers, now);
  }
  VirtualRuntime& clock() { return daemon->runtime; }

  /// Rows of the public tables, as the platform writes them.
  void follow(const std::string& carrier, const std::string& remito, const std::string& order = "1001");
  void ask_remito(const std::string& carrier, const std::string& order, const std::string& payload,
                  const std::string& request_key = "");
  /// "from>to from>to" of a shipment, oldest first; an inferred step ends in "~".
  std::string told(const std::string& remito);
  /// Kept of this carrier, newest first.
  std::vector<db::RawAnswer> raw_answers(const std::string& carrier);
  std::int64_t count(const std::string& from_where) { return database.number("select count(*) from " + from_where); }

  VirtualDatabase database;
  VirtualCarriers carriers;
  std::unique_ptr<VirtualDaemon> daemon;
};

}  // namespace remitod::test
