// What an adaptive schedule costs: a decision, learning anew what one carrier does, and a lane's whole day.

#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <vector>

#include "scheduler/adaptive_config.h"
#include "scheduler/adaptive_schedule.h"
#include "tests/scheduler/published_trace.h"
#include "tests/scheduler/traced_lane.h"

namespace {

using namespace remitod::scheduler;
using namespace remitod::test;

/// What a carrier with two statuses has shown in ten weeks to somebody who looks each hour: some 1,400 waits, and 100
/// open shipments.
struct Carrier {
  AdaptiveSchedule schedule;
  std::vector<OpenShipment> open;
  Second now = monday + 70 * day_s;

  LearningInput input() const { return schedule.learning_input(open, {}, {.poll = 0.5, .request = 0.5}, now); }
};

Carrier seen_hourly(const Publishes& publishes) {
  AdaptiveSettings settings;
  settings.batch_max = 20;
  Carrier carrier{AdaptiveSchedule(settings, monday), {}};
  std::map<std::int64_t, OpenShipment> ships;
  for (const TraceRow& row : make_trace({{.carrier = 1, .publishes = publishes}}, 70, 1)) {
    OpenShipment& ship = ships.try_emplace(row.ship, OpenShipment{row.ship, 0, row.created, row.created}).first->second;
    const Second seen = (row.published / hour_s + 1) * hour_s;
    if (seen > carrier.now) continue;
    ship.last_asked = std::max(ship.entered, seen - hour_s);
    carrier.schedule.saw(ship, seen);
    ship = {row.ship, static_cast<StatusNumber>(row.status), seen, seen};
    if (row.final) ships.erase(row.ship);
  }
  for (auto& [id, ship] : ships) {
    ship.last_asked = std::max(ship.entered, carrier.now - hour_s);
    if (ship.entered < carrier.now) carrier.open.push_back(ship);
  }
  return carrier;
}

Publishes publishes(std::int64_t kind) {
  return kind == 0 ? at_once() : daily_at(20 * 60, 12);
}

void name_kind(benchmark::State& state, const Carrier& carrier) {
  state.SetLabel(state.range(0) == 0 ? "at once" : "once a day");
  state.counters["waits"] = static_cast<double>(carrier.schedule.state().waits.size());
  state.counters["open"] = static_cast<double>(carrier.open.size());
}

/// When to ask about a shipment next.
void decision(benchmark::State& state) {
  Carrier carrier = seen_hourly(publishes(state.range(0)));
  carrier.schedule.adopt(std::make_shared<const AdaptivePlan>(rebuild(carrier.input())));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(carrier.schedule.next_poll(carrier.open[i % carrier.open.size()], carrier.now));
    ++i;
  }
  name_kind(state, carrier);
}
BENCHMARK(decision)->DenseRange(0, 1);

/// The chance of one shipment to show something: what a round orders by.
void chance(benchmark::State& state) {
  Carrier carrier = seen_hourly(publishes(1));
  carrier.schedule.adopt(std::make_shared<const AdaptivePlan>(rebuild(carrier.input())));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(carrier.schedule.chance(carrier.open[i % carrier.open.size()], carrier.now));
    ++i;
  }
}
BENCHMARK(chance);

/// Learning and planning, from the plan before on.
void rebuild_one_carrier(benchmark::State& state) {
  Carrier carrier = seen_hourly(publishes(state.range(0)));
  carrier.schedule.adopt(std::make_shared<const AdaptivePlan>(rebuild(carrier.input())));
  const LearningInput input = carrier.input();
  for (auto _ : state) benchmark::DoNotOptimize(rebuild(input));
  name_kind(state, carrier);
}
BENCHMARK(rebuild_one_carrier)->DenseRange(0, 1)->Unit(benchmark::kMillisecond);

/// Four weeks of an adaptive lane: polls, answers, plans, and what is written each minute for a restart. Divided by the
/// days, and taken a thousand times, it is a day of a thousand carriers.
void lane_for_four_weeks(benchmark::State& state) {
  constexpr int days = 28;
  const auto rows = make_trace({{.carrier = 1, .publishes = publishes(state.range(0))}}, days, 1);
  AdaptiveConfig adaptive;
  adaptive.budget.share_of_hourly = 0.25;
  test::LaneRunPlan plan;
  plan.config.batch_max = 20;
  plan.config.adaptive = std::make_shared<const AdaptiveConfig>(adaptive);
  std::size_t bytes = 0, plans = 0;
  plan.deeds = {{monday + (days - 1) * day_s, [&](Lane& lane, remitod::Instant) { bytes = lane.memory_bytes(); }}};
  for (auto _ : state) plans = test::run_lane(rows, plan).plans.size();
  state.SetLabel(state.range(0) == 0 ? "at once" : "once a day");
  state.counters["plans_a_day"] = static_cast<double>(plans) / days;
  state.counters["lane_KB"] = static_cast<double>(bytes) / 1000;
}
BENCHMARK(lane_for_four_weeks)->DenseRange(0, 1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
