// One run of the simulation: a platform that ships, carriers with a true history, a receiver, and the daemon between
// them, on a virtual clock and under the faults of a plan. First days with faults, then a calm in which everything has
// to become true.
//
// Everything comes from the seed. A run ends at the first check that does not hold.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/lane.h"
#include "tests/sim/daemon.h"
#include "tests/sim/database.h"
#include "tests/sim/dice.h"
#include "tests/sim/fault_plan.h"
#include "tests/sim/follow_watch.h"
#include "tests/sim/mutation.h"
#include "tests/sim/store_watch.h"
#include "tests/sim/trace.h"
#include "tests/sim/transport.h"

namespace remitod::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  int days = 3;
  Mutation mutation = Mutation::none;
};

struct RunResult {
  struct Broken {
    std::string check, what, last_events;
  };
  std::string plan;  ///< in words
  std::uint64_t trace_hash = 0;
  std::uint64_t events = 0;
  std::size_t shipments = 0, requests = 0, transitions = 0;
  std::optional<Broken> broken;
};

class World {
 public:
  explicit World(const RunOptions& options);
  RunResult run();

 private:
  using Action = std::function<void()>;
  void at(Instant moment, Action action) { agenda_.emplace(moment, std::move(action)); }
  /// So many times a day, at moments of their own.
  void now_and_then(double times_a_day, Dice& dice, const std::function<void(Instant)>& schedule);
  void run_until(Instant end);
  void turn_daemon(Instant until);
  Instant now() const { return daemon_ ? std::max(now_, daemon_->runtime.true_now()) : now_; }

  // platform.cpp
  void found_carriers();
  LimitWatch::Limits draw_limits(const carriers::Profile& profile);
  scheduler::LaneConfig lane_for(const Carrier& carrier) const;
  std::shared_ptr<const scheduler::AdaptiveConfig> draw_adaptive(const carriers::Profile& profile) const;
  void plan_shipments(Carrier& carrier);
  void plan_requests(Carrier& carrier);
  void import_history(Carrier& carrier);
  void follow(Carrier& carrier, const std::string& remito, Instant entered, bool baseline);
  void ask_for_remito(const Carrier& carrier, const std::string& order, const std::string& key);
  void plan_cancellation(const Carrier& carrier, const std::string& order);
  void cancel(const std::string& order, const std::string& key);
  void ask_again(const Carrier& carrier, const std::string& order);
  void tell_daemon();

  // host.cpp
  void plan_host_faults();
  void plan_wire_faults();
  void start_daemon();
  void crash(std::chrono::microseconds pause);
  void crash_soon();
  void reload();
  void set_clock(std::chrono::microseconds error);
  void database_outage(std::chrono::microseconds length, SimExecutor::Condition condition);
  void disk_full(std::chrono::microseconds length);
  void set_conditions();
  void end_faults();

  // watching.cpp
  WireHooks wire_hooks();
  SimExecutor::Hooks database_hooks();
  void answered(const Request& request, Instant sent_at, bool well);
  void silence(const std::function<void(Silence&)>& change);
  void look();
  void note_cut_off();

  // mutations at the database: mutate.cpp
  void plan_mutation();
  bool mutate();
  bool changes(const std::string& statement);
  std::string just_settled() const;
  bool swap_seqs();
  bool put_back_ended();
  bool forget_shipment();

  RunOptions options_;
  Dice dice_;
  FaultPlan plan_;
  double time_scale_;
  Trace trace_;
  Database database_;
  Wire wire_;
  StoreWatch store_watch_;
  std::map<std::string, FollowWatch> follow_watches_;
  std::map<std::string, Instant> trouble_;                 ///< carriers whose last answer was none, since when
  std::set<std::pair<std::string, std::string>> unclear_;  ///< as Ending::unclear

  Instant start_, now_;
  std::multimap<Instant, Action> agenda_;
  std::unique_ptr<SimDaemon> daemon_;
  std::uint64_t lives_ = 0;
  std::vector<scheduler::LaneConfig> lanes_;
  std::optional<std::uint64_t> crash_in_turns_;
  bool crash_at_create_ = false, reload_done_ = false, reloading_ = false;
  std::chrono::microseconds clock_error_{0};
  SimExecutor::Condition database_condition_ = SimExecutor::Condition::well;
  bool disk_full_ = false, calm_ = false, mutation_due_ = false;
  std::uint64_t orders_ = 0;
};

RunResult run_seed(const RunOptions& options);

}  // namespace remitod::sim
