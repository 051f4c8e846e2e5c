#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "scheduler/lane.h"
#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using namespace std::chrono_literals;
using test::LaneBundle;
using test::monday;
using Kind = BatchOutcome::Kind;

/// So many shipments, all due, and the lane was looked after all the time.
LaneBundle overdue(LaneConfig config, std::int64_t shipments) {
  LaneBundle b(std::move(config));
  b.add_range(1, shipments);
  for (; b.now < monday + 59min + 59s; b.now += 50s)
    if (const std::optional<Batch> batch = b.take()) b.finish(*batch, Kind::abandoned);
  b.now = monday + 59min + 59s;
  return b;
}

LaneConfig config_with(double requests_per_second, int concurrency, int batch_max = 1) {
  LaneConfig config;
  config.carrier = "norte";
  config.requests_per_second = requests_per_second;
  config.concurrency = concurrency;
  config.batch_max = batch_max;
  return config;
}

TEST(LaneLimits, NoMoreRequestsInFlightThanConcurrency) {
  LaneBundle b = overdue(config_with(1000, 3), 50);
  std::vector<Batch> in_flight;
  while (std::optional<Batch> batch = b.take()) in_flight.push_back(*batch);
  ASSERT_EQ(in_flight.size(), 3U);
  EXPECT_EQ(b.lane.status(b.now).in_flight, 3U);
  EXPECT_FALSE(b.lane.next_wake(b.now));  // only an answer can change that
  b.finish(in_flight[1], Kind::answered);
  EXPECT_TRUE(b.take());
  EXPECT_FALSE(b.take());
}

TEST(LaneLimits, NoMoreRequestsThanTheRate) {
  LaneBundle b = overdue(config_with(2, 1000), 200);
  const Instant start = b.now;
  int requests = 0;
  while (b.now < start + 10s) {
    if (b.take()) {
      ++requests;
    } else {
      b.now = *b.lane.next_wake(b.now);
    }
  }
  EXPECT_EQ(requests, 10 * 2);
}

TEST(LaneLimits, NoSecondHasMoreRequestsThanItMayEvenAfterARest) {
  LaneBundle b = overdue(config_with(40, 1000), 200);
  std::vector<Instant> sent;
  while (sent.size() < 200) {
    if (b.take())
      sent.push_back(b.now);
    else
      b.now = *b.lane.next_wake(b.now);
    if (sent.size() > 40) {
      ASSERT_GE(sent.back() - sent[sent.size() - 41], 1s);
    }
  }
  EXPECT_EQ(std::ranges::count(sent, sent.front()), 8) << "a fifth of it comes at once";
  EXPECT_LT(sent.back() - sent.front(), 6s);
}

TEST(LaneLimits, NoMoreShipmentsInARequestThanTheBatch) {
  LaneBundle b = overdue(config_with(1000, 1000, 7), 50);
  std::size_t shipments = 0;
  while (const std::optional<Batch> batch = b.take()) {
    EXPECT_LE(batch->slots.size(), 7U);
    shipments += batch->slots.size();
  }
  EXPECT_EQ(shipments, 50U);
}

TEST(LaneLimits, AShipmentIsInOneRequestAtATime) {
  LaneBundle b = overdue(config_with(1000, 1000), 1);
  ASSERT_TRUE(b.take());
  b.now += 5h;
  EXPECT_FALSE(b.take());
}

TEST(LaneLimits, FailuresOpenTheBreakerAndOneProbeGoesOut) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  for (int i = 0; i < 3; ++i) b.finish(*b.take(), Kind::failed);
  EXPECT_EQ(b.lane.status(b.now).breaker, BreakerState::open);
  EXPECT_EQ(b.lane.status(b.now).failures_in_row, 3);
  const Instant resting_until = b.lane.status(b.now).resting_until;
  EXPECT_GT(resting_until, b.now);
  EXPECT_FALSE(b.take());
  EXPECT_EQ(b.lane.next_wake(b.now), resting_until);

  b.now = resting_until;
  const std::optional<Batch> probe = b.take();
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->probe);
  EXPECT_EQ(b.lane.status(b.now).breaker, BreakerState::half_open);
  EXPECT_EQ(b.lane.status(b.now).resting_until, Instant{});
  EXPECT_FALSE(b.take());
  EXPECT_FALSE(b.lane.next_wake(b.now));

  b.finish(*probe, Kind::answered);
  EXPECT_EQ(b.lane.status(b.now).breaker, BreakerState::closed);
  const std::optional<Batch> next = b.take();
  ASSERT_TRUE(next);
  EXPECT_FALSE(next->probe);
}

TEST(LaneLimits, WhatCannotBeAskedHasHadItsTurnAndSaysNothingOfTheCarrier) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  for (int i = 0; i < 3; ++i) b.finish(*b.take(), Kind::failed);
  b.now = b.lane.resting_until();
  const std::optional<Batch> probe = b.take();
  ASSERT_TRUE(probe);
  const Slot slot = probe->slots.front();
  b.finish(*probe, Kind::unaskable);
  EXPECT_EQ(b.lane.breaker(), BreakerState::open) << "nobody has tried whether the carrier is well";
  EXPECT_GT(b.lane.next_due(slot), b.now) << "it is not tried again and again";
  const std::optional<Batch> next = b.take();
  ASSERT_TRUE(next);
  EXPECT_TRUE(next->probe);
}

TEST(LaneLimits, AThrottledBatchRestsTheLaneAndIsFirstAfterwards) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  const std::optional<Batch> throttled = b.take();
  b.finish(*throttled, Kind::throttled, 77s);
  EXPECT_EQ(b.lane.status(b.now).resting_until, b.now + 77s);
  EXPECT_FALSE(b.take());
  b.now += 77s;
  const std::optional<Batch> again = b.take();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->slots, throttled->slots);
}

TEST(LaneLimits, AThrottledRequestAboutAnOrderHoldsUpTheOthersAndNoPoll) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  EXPECT_EQ(b.lane.order_sent(b.now), 0u);
  b.lane.order_judged({Kind::throttled, 77s}, 0, b.now);
  EXPECT_EQ(b.lane.orders_resting_until(), b.now + 77s);
  EXPECT_EQ(b.lane.spare_for_orders(b.now), 0u);
  EXPECT_FALSE(b.lane.orders_may_go(b.now));
  EXPECT_FALSE(b.take()->probe);
  b.now += 77s;
  EXPECT_EQ(b.lane.spare_for_orders(b.now), 1u) << "one tries";
  EXPECT_TRUE(b.lane.orders_may_go(b.now));
  b.lane.order_judged({Kind::throttled, {}}, b.lane.order_sent(b.now), b.now);
  EXPECT_EQ(b.lane.spare_for_orders(b.now), 0u);
  b.now = b.lane.orders_resting_until();
  b.lane.order_judged({Kind::answered, {}}, b.lane.order_sent(b.now), b.now);
  EXPECT_GT(b.lane.spare_for_orders(b.now), 1u);
}

TEST(LaneLimits, AfterARestOneRequestAboutAnOrderGoesUntilItIsKnownHowItFared) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  b.lane.order_judged({Kind::throttled, 77s}, b.lane.order_sent(b.now), b.now);
  b.now += 77s;
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t trial = b.lane.order_sent(b.now);
    EXPECT_NE(trial, 0u) << "the one before said nothing of the carrier";
    EXPECT_EQ(b.lane.spare_for_orders(b.now), 0u);
    EXPECT_FALSE(b.lane.orders_may_go(b.now));
    EXPECT_EQ(b.lane.order_sent(b.now), 0u) << "what was claimed before goes, and tries nothing";
    b.lane.trial_ended(trial);
    EXPECT_EQ(b.lane.spare_for_orders(b.now), 1u);
  }
  const std::uint64_t trial = b.lane.order_sent(b.now);
  b.lane.order_judged({Kind::throttled, 99s}, trial, b.now);
  b.lane.trial_ended(trial);
  EXPECT_EQ(b.lane.orders_resting_until(), b.now + 99s);
}

TEST(LaneLimits, OnlyTheRequestThatTriesSaysHowItFared) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  b.lane.order_judged({Kind::throttled, 77s}, 0, b.now);
  b.now += 77s;
  const std::uint64_t first = b.lane.order_sent(b.now);
  b.lane.order_judged({Kind::answered, {}}, 0, b.now);
  EXPECT_EQ(b.lane.spare_for_orders(b.now), 0u) << "sent before the rest, and answered now";
  b.lane.trial_ended(first);
  const std::uint64_t second = b.lane.order_sent(b.now);
  b.lane.trial_ended(first);
  b.lane.order_judged({Kind::answered, {}}, first, b.now);
  EXPECT_EQ(b.lane.spare_for_orders(b.now), 0u) << "another one tries";
  b.lane.order_judged({Kind::answered, {}}, second, b.now);
  EXPECT_GT(b.lane.spare_for_orders(b.now), 1u);
}

TEST(LaneLimits, WhatTheCarrierWishedOfPollsAndOfOrdersHoldsInTheNextProcess) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  b.lane.order_judged({Kind::throttled, 7200s}, 0, b.now);
  EXPECT_EQ(b.lane.wishes(), (Lane::Wishes{Instant{}, b.now + 2h}));
  LaneBundle next = overdue(config_with(1000, 10), 100);
  next.now = b.now + 1h;
  next.lane.restore_wishes(b.lane.wishes(), next.now);
  EXPECT_EQ(next.lane.spare_for_orders(next.now), 0u);
  EXPECT_EQ(next.lane.orders_resting_until(), b.now + 2h);
  EXPECT_TRUE(next.take());
  b.lane.restore_wishes({b.now + 3h, {}}, b.now);
  EXPECT_FALSE(b.take());
  EXPECT_EQ(b.lane.resting_until(), b.now + 3h);
}

TEST(LaneLimits, AnAccountThatIsWrongForCreatesIsNotTriedForEverThoughPollsAreWell) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  int tried = 0;
  for (const Instant end = b.now + 24h; b.now < end; b.now += 10s) {
    if (const std::optional<Batch> batch = b.take()) b.finish(*batch, Kind::answered);
    if (b.lane.spare_for_orders(b.now) == 0) continue;
    ++tried;
    b.lane.order_judged({Kind::failed, {}}, b.lane.order_sent(b.now), b.now);
  }
  EXPECT_LT(tried, 300);
}

/// Twelve are due, and of the first one the carrier never wants to hear: how many of the others have an answer after 40
/// requests?
std::size_t answered_beside_the_unwanted(bool marked_by_hand) {
  LaneBundle b = overdue(config_with(1000, 1), 12);
  const std::int64_t unwanted = b.lane.shipment_id(overdue(config_with(1000, 1), 12).take()->slots.front());
  if (marked_by_hand) b.lane.mark_resync(std::span{&unwanted, 1}, b.now);
  std::set<std::int64_t> answered;
  for (int request = 0; request < 40; ++request) {
    const Batch batch = *b.take_next();
    const std::int64_t asked = b.lane.shipment_id(batch.slots.front());
    b.finish(batch, asked == unwanted ? Kind::throttled : Kind::answered);
    if (asked != unwanted) answered.insert(asked);
  }
  return answered.size();
}

TEST(LaneLimits, AShipmentThatIsAlwaysThrottledDoesNotKeepTheOthersFromBeingAsked) {
  EXPECT_EQ(answered_beside_the_unwanted(false), 11U);
  EXPECT_EQ(answered_beside_the_unwanted(true), 11U);
}

TEST(LaneLimits, AfterARestOfHoursShipmentsComeWithinAnIntervalAndNotInABurst) {
  LaneBundle b(config_with(1000, 10'000));
  b.add_range(1, 3600);
  while (b.now < monday + 2h) ASSERT_TRUE(b.ask_next());
  b.finish(*b.take_next(), Kind::throttled, 5h);
  b.now += 5h;
  b.finish(*b.take(), Kind::answered);  // the probe
  int taken = 0;
  while (b.take()) ++taken;
  EXPECT_LT(taken, 20);  // five a second are expected in the seconds just gone
  for (const Instant end = b.now + 1h; b.now < end; b.now += 1s) {
    while (b.take()) ++taken;
  }
  EXPECT_GE(taken, 3599);
}

TEST(LaneLimits, AClockSetBackDoesNotProlongARest) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  b.finish(*b.take(), Kind::throttled, 60s);
  b.now -= 1000h;
  EXPECT_FALSE(b.take());
  EXPECT_EQ(b.lane.status(b.now).resting_until, b.now + 60s);
}

TEST(LaneLimits, AClockSetBackDoesNotStopTheRate) {
  LaneBundle b = overdue(config_with(1, 10), 100);
  b.finish(*b.take(), Kind::answered);
  b.now -= 1000h;
  const std::vector<std::int64_t> marked{1, 2};
  b.lane.mark_resync(marked, b.now);
  EXPECT_EQ(b.lane.next_wake(b.now), b.now + 1s);
  b.now += 1s;
  EXPECT_TRUE(b.take());
}

TEST(LaneLimits, WhatWasAbandonedAfterTheClockWasSetBackIsDueAtOnce) {
  LaneBundle b = overdue(config_with(1000, 10), 1);
  const Batch batch = *b.take();
  b.now -= 1000h;
  b.finish(batch, Kind::abandoned);
  EXPECT_TRUE(b.take());
}

TEST(LaneLimits, AFinishOfAnUnknownBatchIsIgnored) {
  LaneBundle b = overdue(config_with(1000, 10), 10);
  const Batch batch = *b.take();
  b.finish(batch, Kind::answered);
  const Instant due = b.lane.next_due(batch.slots.front());
  b.finish(batch, Kind::failed);
  b.lane.finish(12'345, {Kind::failed, 1h}, b.now);
  EXPECT_EQ(b.lane.next_due(batch.slots.front()), due);
  EXPECT_EQ(b.lane.status(b.now).failures_in_row, 0);
  EXPECT_EQ(b.lane.status(b.now).breaker, BreakerState::closed);
}

TEST(LaneLimits, TighterLimitsHoldAtOnce) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  const Batch first = *b.take();
  const Batch second = *b.take();
  b.lane.reconfigure(config_with(1, 1));
  EXPECT_FALSE(b.take());
  b.finish(first, Kind::answered);
  EXPECT_FALSE(b.take());
  b.finish(second, Kind::answered);
  EXPECT_TRUE(b.take());
  EXPECT_EQ(b.lane.config().concurrency, 1);
}

TEST(LaneLimits, StatusCountsWhatIsDueAndNotInFlight) {
  LaneBundle b = overdue(config_with(1000, 10), 100);
  const std::size_t due = b.lane.status(b.now).due;
  EXPECT_GT(due, 90U);
  b.take();
  b.take();
  EXPECT_EQ(b.lane.status(b.now).due, due - 2);
  EXPECT_EQ(b.lane.status(b.now).shipments, 100U);
}

using LaneLimitsDeathTest = testing::Test;

TEST(LaneLimitsDeathTest, ALaneWithoutLimitsIsABrokenInvariant) {
  EXPECT_DEATH(Lane(config_with(0, 1), 1), "requests_per_second > 0");
  EXPECT_DEATH(Lane(config_with(1, 0), 1), "concurrency");
}

}  // namespace
}  // namespace remitod::scheduler
