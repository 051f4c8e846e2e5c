// Whatever is stated, and whatever happens: no limit is exceeded in any window of time, over restarts and failing
// databases, and nobody waits longer than the limits make him.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduler/adaptive_config.h"
#include "scheduler/limits_hours.h"
#include "tests/scheduler/lane_fixture.h"
#include "tests/scheduler/lane_simulation.h"

namespace remitod::scheduler::test {
namespace {

using std::chrono::days;

int rate_up_to(int most) {
  return *rc::gen::arbitrary<bool>() ? 0 : *rc::gen::inRange(0, most + 1);
}

std::optional<int> perhaps(int least, int most) {
  return *rc::gen::arbitrary<bool>() ? std::nullopt : std::optional(*rc::gen::inRange(least, most));
}

/// Open hours that are easily told in another way: from one hour to another of each day in Lima, which is five hours
/// behind UTC all the year, and none on 24 November.
struct Hours {
  int from = 0, to = 24;
  bool open(Instant at) const {
    const Instant lima = at - 5h;
    const auto day = std::chrono::floor<days>(lima);
    const auto hour = (lima - day) / 1h;
    return day != std::chrono::floor<days>(monday) + days{1} && hour >= from && hour < to;
  }
  std::shared_ptr<const OpenHours> rules() const {
    const auto two = [](int hour) { return (hour < 10 ? "0" : "") + std::to_string(hour) + ":00"; };
    return std::make_shared<OpenHours>(Calendar::make("America/Lima", {}).value(),
                                       std::vector{HoursRule::parse(two(from) + "-" + two(to)).value()},
                                       std::vector{HoursRule::parse("2026-11-24").value()});
  }
};

/// Adaptive lanes begin with a hint, so that they follow a plan from the start.
std::shared_ptr<const AdaptiveConfig> any_adaptive(std::chrono::seconds max_interval) {
  AdaptiveConfig adaptive;
  adaptive.budget.share_of_hourly = *rc::gen::element(1.0, 0.25);
  adaptive.max_interval = max_interval;
  adaptive.hints = {PublicationHint::parse("daily 13:00").value()};
  return std::make_shared<const AdaptiveConfig>(adaptive);
}

struct LimitedPlan {
  SimulationPlan plan;
  std::optional<Hours> hours;
};

LimitedPlan any_plan() {
  LimitedPlan limited;
  SimulationPlan& plan = limited.plan;
  LaneConfig& config = plan.config;
  plan.seed = *rc::gen::arbitrary<std::uint64_t>();
  plan.shipments = *rc::gen::inRange<std::int64_t>(1, 80);
  plan.faulty = std::chrono::hours{*rc::gen::inRange(6, 40)};
  plan.healthy = 4h;
  plan.marks_end = false;
  config.interval = std::chrono::seconds{*rc::gen::element(300, 1800, 3600)};
  config.batch_max = *rc::gen::element(1, 1, 5, 20);
  config.concurrency = *rc::gen::inRange(1, 6);
  config.requests_per_second = *rc::gen::element(0.01, 0.3, 1.0, 5.0, 30.0);
  config.requests_per_minute = perhaps(1, 40);
  config.requests_per_hour = perhaps(1, 150);
  config.requests_per_day = perhaps(1, 800);
  config.leaves_tenth_for_creates = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) {
    const int from = *rc::gen::inRange(0, 24);
    limited.hours = Hours{from, *rc::gen::inRange(from + 1, 25)};
    config.hours = limited.hours->rules();
  }
  if (*rc::gen::arbitrary<bool>()) {
    config.interval = 1h;
    config.adaptive = any_adaptive(*rc::gen::element<std::chrono::seconds>(1h, 6h, 24h));
  }
  plan.faults.latency_max = std::chrono::seconds{*rc::gen::inRange(0, 4)};
  plan.faults.failed = rate_up_to(200);
  plan.faults.throttled = rate_up_to(50);
  plan.faults.resync = rate_up_to(50);
  plan.faults.leaving = rate_up_to(50);
  plan.faults.restart = rate_up_to(20);
  plan.faults.silence = rate_up_to(5);
  plan.faults.creates = rate_up_to(100);
  plan.faults.database = rate_up_to(300);
  return limited;
}

/// In any window of this length, wherever it begins.
std::size_t most_in(const std::vector<SeenRequest>& requests, std::chrono::microseconds window) {
  std::size_t most = 0;
  for (std::size_t first = 0, last = 0; last < requests.size(); ++last) {
    while (requests[last].sent - requests[first].sent >= window) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

/// At any moment: without an answer. What is answered at the moment it is sent is beside nobody.
std::size_t most_under_way(const std::vector<SeenRequest>& requests) {
  std::multiset<Instant> ends;
  std::size_t most = 0;
  for (const SeenRequest& request : requests) {
    ends.erase(ends.begin(), ends.upper_bound(request.sent));
    if (request.finished > request.sent) ends.insert(request.finished);
    most = std::max(most, ends.size());
  }
  return most;
}

TEST(LimitsUnderFaults, AdaptiveLanesLookForBatchesAndSweepThemUp) {
  for (const int batch_max : {5, 20}) EXPECT_TRUE(plan_of_batches(batch_max)->batches.found) << batch_max;
}

RC_GTEST_PROP(LimitsUnderFaults, NoneIsExceededInAnyWindow, ()) {
  const LimitedPlan limited = any_plan();
  const LaneConfig& config = limited.plan.config;
  const SimulationResult result = simulate(limited.plan);
  for (const std::string& what : result.broken) RC_LOG() << what << '\n';
  RC_ASSERT(result.broken.empty());
  const auto& requests = result.requests;
  const auto within = [&](std::optional<int> stated, std::chrono::microseconds window) {
    return !stated || most_in(requests, window) <= static_cast<std::size_t>(*stated);
  };
  RC_ASSERT(within(config.requests_per_minute, 1min));
  RC_ASSERT(within(config.requests_per_hour, 1h));
  RC_ASSERT(within(config.requests_per_day, 24h));
  RC_ASSERT(most_under_way(requests) <= static_cast<std::size_t>(config.concurrency));
  for (const std::chrono::seconds window : {1s, 10s, 100s, 1000s})
    RC_ASSERT(static_cast<double>(most_in(requests, window)) <=
              std::ceil(config.requests_per_second * static_cast<double>(window.count())));
  if (limited.hours)
    RC_ASSERT(
        std::ranges::all_of(requests, [&](const SeenRequest& request) { return limited.hours->open(request.sent); }));
}

// Enough for everybody and for what is lost with kills, but only by day: the longest gap is the night, an interval, and
// what a round of all takes.
void check_waits(bool is_adaptive) {
  SimulationPlan plan;
  plan.seed = *rc::gen::arbitrary<std::uint64_t>();
  plan.shipments = *rc::gen::inRange<std::int64_t>(1, 60);
  plan.faulty = 5h;
  plan.healthy = 96h;
  plan.config.interval = std::chrono::seconds{*rc::gen::element(900, 1800, 3600)};
  plan.config.batch_max = *rc::gen::element(1, 5, 20);
  plan.config.backoff_max = 600s;
  plan.config.retry_after_max = 600s;
  std::chrono::seconds waits_max = 2 * plan.config.interval;
  if (is_adaptive) {
    plan.config.interval = 1h;  // within which it catches up
    const std::chrono::seconds max_interval = *rc::gen::element<std::chrono::seconds>(1h, 2h, 5h);
    plan.config.adaptive = any_adaptive(max_interval);
    waits_max = max_interval + 1h;
  }
  const auto rounds_an_hour = static_cast<int>(3600 / plan.config.interval.count());
  plan.config.requests_per_minute = 30;
  plan.config.requests_per_hour = 3 * static_cast<int>(plan.shipments) * rounds_an_hour + 10;
  plan.config.requests_per_day = 60 * *plan.config.requests_per_hour;
  const Hours hours{.from = *rc::gen::inRange(0, 12), .to = *rc::gen::inRange(13, 25)};
  plan.config.hours = hours.rules();
  plan.faults.failed = rate_up_to(200);
  plan.faults.restart = rate_up_to(20);
  plan.faults.silence = rate_up_to(5);
  plan.faults.database = rate_up_to(300);
  const SimulationResult result = simulate(plan);

  // The last fault may leave a rest, marks and a plan behind: from then on, and from the opening after that.
  const Instant well = result.faults_end + 3h;
  const std::chrono::seconds slack =
      plan.config.batch_max == 1 ? 0s : std::min(plan.config.interval / 20, std::chrono::seconds{180});
  const std::chrono::seconds round = plan.shipments * 2s + 150s + 60s;
  std::map<std::int64_t, Instant> last_asked;
  const auto closed_between = [&](Instant from, Instant to) {
    std::chrono::seconds closed{0};
    for (Instant at = from; at < to; at += 60s) closed += hours.open(at) ? 0s : 60s;
    return closed;
  };
  const auto check = [&](std::int64_t id, Instant from, Instant to) {
    if (from < well || to - from <= waits_max + slack + round + 60s + closed_between(from, to)) return;
    RC_FAIL("shipment " + std::to_string(id) + " waited from " + to_iso8601(from) + " to " + to_iso8601(to));
  };
  for (const SeenRequest& request : result.requests)
    for (const std::int64_t id : request.shipments) {
      if (last_asked.contains(id)) check(id, last_asked[id], request.sent);
      last_asked[id] = request.sent;
    }
  RC_ASSERT(last_asked.size() == static_cast<std::size_t>(plan.shipments));
  for (const auto& [id, asked] : last_asked) check(id, asked, result.end);
}

RC_GTEST_PROP(LimitsUnderFaults, NobodyWaitsLongerThanTheIntervalAndTheLimitsTogether, ()) {
  check_waits(false);
}

RC_GTEST_PROP(LimitsUnderFaults, NobodyWaitsLongerThanTheLongestIntervalOfAnAdaptiveLane, ()) {
  check_waits(true);
}

RC_GTEST_PROP(LimitsUnderFaults, TheSameSeedAsksTheSame, ()) {
  const SimulationPlan plan = any_plan().plan;
  const SimulationResult first = simulate(plan), second = simulate(plan);
  RC_ASSERT(first.requests.size() == second.requests.size());
  for (std::size_t i = 0; i < first.requests.size(); ++i) {
    RC_ASSERT(first.requests[i].sent == second.requests[i].sent);
    RC_ASSERT(first.requests[i].shipments == second.requests[i].shipments);
  }
}

}  // namespace
}  // namespace remitod::scheduler::test
