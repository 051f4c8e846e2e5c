// A lane with a simulated carrier on a simulated clock. Everything follows from the plan, so
// that equal plans run equal.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/adaptive_plan.h"
#include "scheduler/lane.h"

namespace remitod::scheduler::test {

/// Parts of a thousand, and bounds.
struct FaultPlan {
  int failed = 0;
  int throttled = 0;
  int abandoned = 0;
  int resync = 0;    ///< chance that a step marks some shipment by hand
  int leaving = 0;   ///< chance that a step removes a shipment
  int restart = 0;   ///< chance that a step kills the daemon and starts it from its checkpoint
  int silence = 0;   ///< chance that nobody looks after the lane for up to three hours
  int creates = 0;   ///< chance that a request of others goes out, where one may
  int database = 0;  ///< a transaction fails, or commits and is not heard of
  std::chrono::seconds latency_max{20};
};

struct SimulationPlan {
  std::uint64_t seed = 1;
  LaneConfig config;
  std::int64_t shipments = 100;
  std::chrono::hours faulty{6};   ///< for so long faults happen
  std::chrono::hours healthy{4};  ///< and then for so long none
  FaultPlan faults;
  bool marks_end = true;  ///< the healthy time is enough for all that was marked by hand
};

/// What the carrier's side saw of one request; of others' without shipments.
struct SeenRequest {
  Instant sent{};
  Instant finished{};  ///< or when the run ended
  BatchOutcome::Kind kind = BatchOutcome::Kind::answered;
  bool probe = false;
  std::vector<std::int64_t> shipments;
  std::vector<bool> by_hand;  ///< of each
};

struct SimulationResult {
  std::vector<SeenRequest> requests;
  std::map<std::int64_t, Instant> open;  ///< shipments at the end, with when they were asked last
  Instant faults_end{};
  Instant end{};
  int writes = 0;                   ///< transactions for quotas that committed
  std::vector<std::string> broken;  ///< what the lane did against its own words while it ran
};

SimulationResult simulate(const SimulationPlan& plan);

/// What the adaptive lanes of simulations have learned: that the carrier publishes
/// in one batch each evening, between six and eight.
std::shared_ptr<const AdaptivePlan> plan_of_batches(int batch_max);

}  // namespace remitod::scheduler::test
