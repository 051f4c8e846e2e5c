// Whatever happens to a lane, it keeps its limits and forgets nobody.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "scheduler/phase.h"
#include "tests/scheduler/lane_fixture.h"
#include "tests/scheduler/lane_simulation.h"

namespace remitod::scheduler::test {
namespace {

using Kind = BatchOutcome::Kind;

constexpr std::chrono::seconds slack_of(const LaneConfig& config) {
  return config.batch_max == 1 ? 0s : std::min<std::chrono::seconds>(config.interval / 20, 180s);
}

/// Each kind of fault is off in half of the plans.
int rate_up_to(int most) {
  return *rc::gen::arbitrary<bool>() ? 0 : *rc::gen::inRange(0, most + 1);
}

SimulationPlan any_plan() {
  SimulationPlan plan;
  plan.seed = *rc::gen::arbitrary<std::uint64_t>();
  plan.shipments = *rc::gen::inRange<std::int64_t>(0, 200);
  plan.config.interval = std::chrono::seconds{*rc::gen::element(300, 1800, 3600, 3600)};
  plan.config.batch_max = *rc::gen::element(1, 1, 5, 20);
  plan.config.concurrency = *rc::gen::inRange(1, 6);
  plan.config.failures_to_open = *rc::gen::inRange(1, 5);
  // Always enough to ask everybody once an interval with some to spare: fewer would be a backlog without end.
  const double needed = static_cast<double>(plan.shipments) / static_cast<double>(plan.config.interval.count());
  plan.config.requests_per_second = std::max(0.02, needed * *rc::gen::inRange(3, 30));
  plan.faults.latency_max = std::chrono::seconds{*rc::gen::inRange(0, 4)};
  plan.faults.failed = rate_up_to(300);
  plan.faults.throttled = rate_up_to(100);
  plan.faults.abandoned = rate_up_to(100);
  plan.faults.resync = rate_up_to(50);
  plan.faults.leaving = rate_up_to(50);
  plan.faults.restart = rate_up_to(5);
  plan.faults.silence = rate_up_to(5);
  plan.faults.creates = rate_up_to(100);
  return plan;
}

RC_GTEST_PROP(LaneUnderFaults, DoesWhatItSaid, ()) {
  const SimulationResult result = simulate(any_plan());
  for (const std::string& what : result.broken) RC_LOG() << what << '\n';
  RC_ASSERT(result.broken.empty());
}

RC_GTEST_PROP(LaneUnderFaults, NeverExceedsTheRateInAnyWindow, ()) {
  const SimulationPlan plan = any_plan();
  const std::vector<SeenRequest> requests = simulate(plan).requests;
  // The bucket reads its rate to the millionth.
  const double rate = plan.config.requests_per_second + 1e-6;
  const double burst = std::max(1.0, rate / 5);
  for (std::size_t first = 0; first < requests.size(); ++first) {
    for (std::size_t last = first; last < requests.size(); ++last) {
      const std::chrono::duration<double> window = requests[last].sent - requests[first].sent;
      if (static_cast<double>(last - first + 1) > rate * window.count() + burst + 1e-6) {
        RC_FAIL("more requests than rate * window + burst");
      }
    }
  }
}

RC_GTEST_PROP(LaneUnderFaults, NeverHasMoreRequestsInFlightThanConcurrency, ()) {
  const SimulationPlan plan = any_plan();
  const std::vector<SeenRequest> requests = simulate(plan).requests;
  std::multiset<Instant> in_flight;  // when each ends
  for (const SeenRequest& request : requests) {
    in_flight.erase(in_flight.begin(), in_flight.upper_bound(request.sent));
    in_flight.insert(request.finished);
    // One that is answered at the moment it is sent was in flight nonetheless, but beside nobody.
    RC_ASSERT(in_flight.size() <= static_cast<std::size_t>(plan.config.concurrency) ||
              request.finished == request.sent);
    RC_ASSERT(request.shipments.size() <= static_cast<std::size_t>(plan.config.batch_max));
  }
}

RC_GTEST_PROP(LaneUnderFaults, AsksOnceForEachPointExceptByHandOrUnanswered, ()) {
  const SimulationPlan plan = any_plan();
  const SimulationResult result = simulate(plan);
  const std::int64_t interval = plan.config.interval.count();
  const Second slack = static_cast<Second>(slack_of(plan.config).count());
  const Second points =
      grid_points(static_cast<std::size_t>(plan.shipments), static_cast<std::size_t>(plan.config.batch_max),
                  static_cast<Second>(interval), slack, 1);
  const PhaseGrid grid(static_cast<Second>(interval), points,
                       grid_offset(plan.config.carrier, static_cast<Second>(interval), points));
  // An answered request stands for the point that it reached or ran ahead of. No point is asked for twice.
  std::map<std::int64_t, std::int64_t> last_point;
  for (const SeenRequest& request : result.requests) {
    if (request.kind != Kind::answered) continue;
    for (std::size_t i = 0; i < request.shipments.size(); ++i) {
      const std::int64_t id = request.shipments[i];
      const std::int64_t reached = (std::int64_t{to_second(request.sent)} + slack - grid.phase_of(id)) / interval;
      const bool again = last_point.contains(id) && reached <= last_point[id];
      // One that left and came back begins anew.
      if (again && !request.by_hand[i] && plan.faults.leaving == 0) RC_FAIL("a point was asked for twice");
      last_point[id] = std::max(reached, last_point.contains(id) ? last_point[id] : reached);
    }
  }
}

RC_GTEST_PROP(LaneUnderFaults, AsksEverybodyWithinAnIntervalOnceTheCarrierIsWell, ()) {
  SimulationPlan plan = any_plan();
  plan.config.backoff_max = 600s;
  plan.config.retry_after_max = 600s;
  // A whole round that waits for the rate and for answers: at most so long is anybody behind.
  const double round = static_cast<double>(plan.shipments) *
                       (1 / (0.8 * plan.config.requests_per_second) +
                        static_cast<double>(plan.faults.latency_max.count()) / plan.config.concurrency);
  const std::chrono::seconds backlog{std::llround(round) + 60};
  const std::chrono::seconds gap = plan.config.interval + slack_of(plan.config) + backlog;
  // The last fault may leave a rest behind, and a plan that was made anew; from then on the gap holds.
  plan.healthy = std::chrono::ceil<std::chrono::hours>(600s + 600s + plan.config.interval + backlog + gap);
  const SimulationResult result = simulate(plan);
  for (const auto& [id, last_asked] : result.open) RC_ASSERT(last_asked >= result.end - gap);
}

RC_GTEST_PROP(LaneUnderFaults, RunsTheSameWithTheSameSeed, ()) {
  const SimulationPlan plan = any_plan();
  const SimulationResult first = simulate(plan);
  const SimulationResult second = simulate(plan);
  RC_ASSERT(first.requests.size() == second.requests.size());
  for (std::size_t i = 0; i < first.requests.size(); ++i) {
    RC_ASSERT(first.requests[i].sent == second.requests[i].sent);
    RC_ASSERT(first.requests[i].shipments == second.requests[i].shipments);
  }
}

}  // namespace
}  // namespace remitod::scheduler::test
