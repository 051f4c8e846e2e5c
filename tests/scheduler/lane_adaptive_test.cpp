// A lane that learns, through weeks of what a carrier publishes: it asks as its schedule wants, and keeps every limit.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "scheduler/adaptive_config.h"
#include "scheduler/adaptive_plan.h"
#include "tests/scheduler/lane_fixture.h"
#include "tests/scheduler/published_trace.h"
#include "tests/scheduler/traced_lane.h"

namespace remitod::scheduler::test {
namespace {

using remitod::test::CarrierSketch;
using remitod::test::daily_at;
using remitod::test::make_trace;

constexpr Second begin = remitod::test::monday;

LaneConfig adaptive_config(double share, int batch_max = 20) {
  AdaptiveConfig adaptive;
  adaptive.budget.share_of_hourly = share;
  LaneConfig config = batches_of(batch_max);
  config.adaptive = std::make_shared<const AdaptiveConfig>(adaptive);
  return config;
}

LaneRunPlan adaptive_plan(double share) {
  LaneRunPlan plan;
  plan.config = adaptive_config(share);
  return plan;
}

/// Each evening at 19:30, give or take a few minutes, but not on Sundays.
std::vector<TraceRow> evenings(int days, int shipments_a_day = 8) {
  CarrierSketch carrier;
  carrier.carrier = 1;
  carrier.publishes = daily_at(19 * 60 + 30, 8);
  carrier.shipments_a_day = shipments_a_day;
  carrier.wait_days = 2;
  return make_trace({carrier}, days, 7);
}

/// Three weeks that nothing disturbs, for a quarter of the hourly polls: several tests look at them.
struct Undisturbed {
  std::vector<TraceRow> rows = evenings(21);
  LaneRunPlan plan = adaptive_plan(0.25);
  LaneRun run = run_lane(rows, plan);
  static const Undisturbed& weeks() {
    static const Undisturbed undisturbed;
    return undisturbed;
  }
};
constexpr Second third_week = begin + 14 * day_s, end_of_weeks = begin + 21 * day_s;

std::size_t requests_between(const std::vector<TracePoll>& polls, Second from, Second to) {
  std::set<std::uint64_t> requests;
  for (const TracePoll& poll : polls)
    if (poll.at >= from && poll.at < to) requests.insert(poll.request);
  return requests.size();
}

std::size_t polls_between(const std::vector<TracePoll>& polls, Second from, Second to) {
  return static_cast<std::size_t>(
      std::ranges::count_if(polls, [&](const TracePoll& poll) { return poll.at >= from && poll.at < to; }));
}

TEST(AdaptiveLane, FindsTheEveningsBatchSoonerThanTheHourlyPullForAQuarterOfItsPolls) {
  const auto& [rows, plan, run] = Undisturbed::weeks();
  BacktestOptions hourly;
  hourly.batch_max = 20;
  const Backtest pull = run_backtest(rows, hourly);
  EXPECT_LT(mean_delay(rows, run.detections, third_week, end_of_weeks),
            mean_delay(rows, pull.detections, third_week, end_of_weeks) * 4 / 5);
  EXPECT_LT(polls_between(run.polls, third_week, end_of_weeks),
            polls_between(pull.polls, third_week, end_of_weeks) * 35 / 100);
  EXPECT_LT(requests_between(run.polls, third_week, end_of_weeks),
            requests_between(pull.polls, third_week, end_of_weeks) * 75 / 100)
      << "twenty shipments a day seldom fill one";
}

TEST(AdaptiveLane, DoesAsWellAsTheBacktestSaysItWould) {
  const auto& [rows, plan, run] = Undisturbed::weeks();
  BacktestOptions options;
  options.schedule.mode = Mode::adaptive;
  options.schedule.budget.share_of_hourly = 0.25;
  options.batch_max = 20;
  const Backtest backtest = run_backtest(rows, options);
  const double said = mean_delay(rows, backtest.detections, third_week, end_of_weeks);
  EXPECT_NEAR(mean_delay(rows, run.detections, third_week, end_of_weeks), said, std::max(8.0, said / 2));
  const auto polls = static_cast<double>(polls_between(backtest.polls, third_week, end_of_weeks));
  EXPECT_NEAR(static_cast<double>(polls_between(run.polls, third_week, end_of_weeks)), polls, polls / 4);
}

TEST(AdaptiveLane, SameSeedSamePolls) {
  const auto rows = evenings(4);
  EXPECT_EQ(run_lane(rows, adaptive_plan(0.25)).polls, run_lane(rows, adaptive_plan(0.25)).polls);
}

TEST(AdaptiveLane, AsksNobodyLaterThanItsLongestInterval) {
  const auto rows = evenings(5);
  LaneRunPlan plan = adaptive_plan(0.05);
  AdaptiveConfig adaptive = *plan.config.adaptive;
  adaptive.max_interval = 5h;
  plan.config.adaptive = std::make_shared<const AdaptiveConfig>(adaptive);
  EXPECT_LE(run_lane(rows, plan).longest_unanswered, 5 * hour_s + plan.latency);
}

TEST(AdaptiveLane, GoesOnAfterARestartWithWhatItHadLearnedThoughSomeAnswersNeverCome) {
  const auto rows = evenings(19, 12);
  LaneRunPlan plan = adaptive_plan(0.5);
  plan.failed_share = 0.05;
  plan.restarts = {begin + 15 * day_s + 11 * hour_s};
  const LaneRun run = run_lane(rows, plan);
  const Second restart = plan.restarts.front();
  EXPECT_LT(mean_delay(rows, run.detections, restart, restart + 3 * day_s), 30) << "the evenings after";
  EXPECT_LE(*std::ranges::upper_bound(run.plans, restart), restart + 15 * minute_s) << "the plan is made again at once";
}

TEST(AdaptiveLane, BeginsToLearnAnewWhereNothingOutlivedTheRestart) {
  Lane lane(adaptive_config(0.25), 1);
  EXPECT_FALSE(lane.restore_lessons("no lessons", "", monday));
  lane.add({.shipment_id = 1, .remito = "R1", .registered_at = monday}, monday);
  EXPECT_FALSE(lane.wants_to_learn(monday + 1h));
  EXPECT_LE(lane.next_due(*lane.find(1)), monday + 4h) << "as its budget goes, as one of whom nothing is known";
}

/// Until `end`, with every request answered; the first shipment of each has something new.
void live_until(LaneBundle& b, Instant end) {
  while (b.now < end) {
    const auto batch = b.take_next();
    ASSERT_TRUE(batch);
    b.lane.saw(batch->id, batch->slots.front(), Status::in_transit, true);
    b.finish(*batch, BatchOutcome::Kind::answered);
  }
}

TEST(AdaptiveLane, LearnsAndCountsItsDaysThoughItsClockWasAMonthAheadAtFirst) {
  LaneBundle b(adaptive_config(0.25));
  b.now = monday + 30 * 24h;
  b.add(1);
  b.now = monday;
  b.add_range(2, 30);
  live_until(b, monday + 17h);
  EXPECT_FALSE(b.lane.wants_to_learn(b.now)) << "most of a day comes first";
  live_until(b, monday + 19h);
  EXPECT_TRUE(b.lane.wants_to_learn(b.now));
  live_until(b, monday + 72h);
  EXPECT_LE(b.lane.status(b.now).budget->used, 50) << "of the last day: two an hour";
}

TEST(AdaptiveLane, CountsItsDaysThoughTheProcessBeforeItWasAMonthAhead) {
  LaneBundle before(adaptive_config(0.25)), b(adaptive_config(0.25));
  before.now = monday + 30 * 24h;
  before.add_range(1, 30);
  live_until(before, before.now + 2h);
  const auto lessons = before.lane.lessons().value();
  ASSERT_TRUE(b.lane.restore_lessons(lessons.earlier.value(), lessons.recent, monday));
  b.add_range(1, 30);
  live_until(b, monday + 72h);
  EXPECT_LE(b.lane.status(b.now).budget->used, 50) << "of the last day: two an hour";
}

TEST(AdaptiveLane, AfterAnOutageTheMostOverdueGoFirstAndNotAllAtOnce) {
  const auto rows = evenings(12, 40);
  LaneRunPlan plan = adaptive_plan(1);
  const Second from = begin + 10 * day_s + 9 * hour_s, to = from + 6 * hour_s;
  plan.outages = {{from, to}};
  const LaneRun run = run_lane(rows, plan);
  EXPECT_LE(requests_between(run.polls, from + 5 * minute_s, to), 40u)
      << "the breaker lets a probe through now and then";
  EXPECT_LT(polls_between(run.polls, to, to + 5 * minute_s), 120u) << "of some 160 shipments";
  EXPECT_LE(run.longest_unanswered, day_s + 9 * hour_s) << "max_interval, the outage and its last rest";
}

TEST(AdaptiveLane, ATokenBucketHoldsTheSweepsToo) {
  const auto rows = evenings(12, 40);
  LaneRunPlan plan = adaptive_plan(1);
  plan.config.batch_max = 5;
  plan.config.requests_per_minute = 10;
  plan.config.concurrency = 2;
  const LaneRun run = run_lane(rows, plan);
  std::vector<Second> sent;
  for (std::uint64_t request = 0; const TracePoll& poll : run.polls)
    if (poll.request != std::exchange(request, poll.request)) sent.push_back(poll.at);
  for (std::size_t i = 10; i < sent.size(); ++i) ASSERT_GE(sent[i] - sent[i - 10], minute_s - 1);
}

TEST(AdaptiveLane, AnotherModeAndBackLosesNothing) {
  const auto rows = evenings(12);
  LaneRunPlan plan = adaptive_plan(0.5);
  const LaneConfig adaptive = plan.config;
  LaneConfig hourly = adaptive;
  hourly.adaptive = nullptr;
  const Second from = begin + 9 * day_s, to = begin + 10 * day_s;
  plan.deeds = {{from, [hourly](Lane& lane, Instant) { lane.reconfigure(hourly); }},
                {to, [adaptive](Lane& lane, Instant) { lane.reconfigure(adaptive); }}};
  const LaneRun run = run_lane(rows, plan);
  const auto in_hour = [&](Second hour) {
    return static_cast<double>(polls_between(run.polls, from + hour * hour_s, from + (hour + 1) * hour_s));
  };
  EXPECT_NEAR(in_hour(3), in_hour(12), in_hour(3) / 3) << "each hour the same, meanwhile";
  EXPECT_LE(*std::ranges::upper_bound(run.plans, to), to + 15 * minute_s);
}

TEST(AdaptiveLane, IsAskedByHandWhateverItsScheduleSays) {
  LaneBundle b(adaptive_config(0.25));
  b.add_range(1, 30);
  b.now = monday + 10min;
  EXPECT_FALSE(b.take());
  const std::vector<std::int64_t> wanted{7};
  EXPECT_EQ(b.lane.mark_resync(wanted, b.now), 1u);
  const auto batch = b.take();
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->resync);
  ASSERT_EQ(batch->slots.size(), 1u);
  EXPECT_EQ(b.lane.shipment_id(batch->slots.front()), 7);
}

TEST(AdaptiveLane, KnowsTheStatusOfItsShipmentsAndSinceWhen) {
  LaneBundle b(adaptive_config(0.25));
  const Slot slot = b.add(1);
  const auto batch = b.take_next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(b.lane.status(slot), Status::registered);
  b.lane.saw(batch->id, slot, Status::out_for_delivery, true);
  b.finish(*batch, BatchOutcome::Kind::answered);
  EXPECT_EQ(b.lane.status(slot), Status::out_for_delivery);
  EXPECT_EQ(b.lane.status_since(slot), b.now) << "a full hour is a multiple of five minutes";
}

TEST(AdaptiveLane, WhatWasThereBeforeItWasFollowedTeachesNothing) {
  const auto waits_after = [](Instant registered_at, bool told) {
    LaneBundle b(adaptive_config(0.25));
    const Slot slot = b.lane.add({.shipment_id = 1, .remito = "R1", .registered_at = registered_at}, b.now);
    const auto batch = b.take_next();
    b.lane.saw(batch->id, slot, Status::in_transit, told);
    b.finish(*batch, BatchOutcome::Kind::answered);
    return b.lane.learning_input(b.now).waits.size();
  };
  EXPECT_EQ(waits_after(monday, true), 1u);
  EXPECT_EQ(waits_after(monday, false), 0u) << "history, not news";
  EXPECT_EQ(waits_after(monday - 96h, true), 0u) << "registered days before";
}

}  // namespace
}  // namespace remitod::scheduler::test
