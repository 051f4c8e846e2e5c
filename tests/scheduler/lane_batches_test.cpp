// Requests that carry many shipments: who is asked together, and what becomes of those whose request fails.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "scheduler/lane.h"
#include "scheduler/phase.h"
#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using namespace std::chrono_literals;
using test::batches_of;
using test::LaneBundle;
using test::monday;
using test::run;
using Kind = BatchOutcome::Kind;

TEST(LaneBatches, FillsItsBatchesWhereThereAreEnoughShipments) {
  LaneBundle b(batches_of(50));
  b.add_range(1, 2000);
  std::map<std::int64_t, std::vector<Instant>> asked;
  const int requests = run(b, 24h, asked);
  EXPECT_GE(requests, 24 * 2000 / 50);
  EXPECT_LE(requests, 24 * 2000 / 50 * 105 / 100);
}

TEST(LaneBatches, AFewRequestsOfShipmentsAreDueTogetherAndFull) {
  LaneBundle b(batches_of(50));
  b.add_range(1, 220);
  std::map<std::int64_t, std::vector<Instant>> asked;
  EXPECT_EQ(run(b, 24h, asked), 24 * 5) << "four that are full, and the rest";
  ASSERT_EQ(asked.size(), 220U);
  for (const auto& [id, moments] : asked)
    for (std::size_t i = 1; i < moments.size(); ++i) ASSERT_EQ(moments[i] - moments[i - 1], 1h) << id;
}

TEST(LaneBatches, MoreShipmentsAreDueAtMorePointsEachStillOnceAnHour) {
  LaneBundle b(batches_of(50));
  b.add_range(1, 600);
  std::map<std::int64_t, std::vector<Instant>> asked;
  EXPECT_LE(run(b, 24h, asked), 24 * 13) << "one more than full ones, at the second point";
  std::set<Instant> moments_of_all;
  for (const auto& [id, moments] : asked) {
    EXPECT_EQ(moments.size(), 24U) << id;
    for (std::size_t i = 1; i < moments.size(); ++i) ASSERT_EQ(moments[i] - moments[i - 1], 1h) << id;
    moments_of_all.insert(moments.begin(), moments.end());
  }
  EXPECT_LE(moments_of_all.size(), 24U * 13);
}

TEST(LaneBatches, AShipmentMoreOrLessMovesNobodyToAndFro) {
  LaneBundle b(batches_of(50));
  b.add_range(1, 401);  // just enough for a second point
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 2h, asked);
  std::map<std::int64_t, Instant> due;
  for (std::int64_t id = 1; id <= 395; ++id) due[id] = b.lane.next_due(*b.lane.find(id));
  for (std::int64_t id = 396; id <= 401; ++id) b.lane.remove(id);
  for (const auto& [id, moment] : due) EXPECT_EQ(b.lane.next_due(*b.lane.find(id)), moment);
}

TEST(LaneBatches, GrowingIntoMorePointsNobodyWaitsLongerThanAnHour) {
  LaneBundle b(batches_of(20));
  b.add_range(1, 100);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 3h, asked);
  for (std::int64_t id = 101; id <= 1000; ++id) {
    b.add(id);
    run(b, 17s, asked);
  }
  run(b, 3h, asked);
  for (const auto& [id, moments] : asked)
    for (std::size_t i = 1; i < moments.size(); ++i) EXPECT_LE(moments[i] - moments[i - 1], 63min) << id;
  EXPECT_EQ(asked.size(), 1000U);
}

TEST(LaneBatches, AFilledBatchAsksWithinTheSlackOfThePhase) {
  LaneBundle b(batches_of(20));
  b.add_range(1, 600);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 24h, asked);
  ASSERT_EQ(asked.size(), 600U);
  for (const auto& [id, moments] : asked) {
    EXPECT_GE(moments.size(), 24U) << id;
    EXPECT_LE(moments.size(), 25U) << id;  // the day may end just before a point that was run ahead of
    for (const Instant moment : moments) {
      const Instant point = to_instant(PhaseGrid(3600).next_point(to_second(moment) - 1, id));
      EXPECT_LE(point - moment, 3min);
    }
    for (std::size_t i = 1; i < moments.size(); ++i) EXPECT_LE(moments[i] - moments[i - 1], 63min);
  }
}

TEST(LaneBatches, AShipmentAskedAheadOfItsPointIsNotAskedAgainAtItAfterARestart) {
  LaneBundle before(batches_of(20)), b(batches_of(20));
  const Instant point = before.lane.next_due(before.add(1));
  b.now = point - 1min;
  EXPECT_EQ(b.lane.next_due(b.add(1, point - 2min)), point + 1h);
}

TEST(LaneBatches, OneThatWasNeverAskedWaitsNoLongerThanAnHourThoughTheLaneGrowsWhileItFills) {
  const Instant came = monday;
  for (std::int64_t id = 1; id <= 50; ++id) {
    LaneBundle b(batches_of(5));
    b.now = to_instant(PhaseGrid(3600).next_point(to_second(came), id)) + 30s;  // a stop has just made its point pass
    const std::string remito = "R" + std::to_string(id);
    const Slot slot =
        b.lane.add({.shipment_id = id, .remito = remito, .registered_at = monday, .status_since = came}, b.now);
    for (std::int64_t other = 1001; other <= 1400; ++other) b.add(other, b.now - 1min);
    EXPECT_LE(b.lane.next_due(slot), came + 1h) << id;
  }
}

TEST(LaneBatches, WhatWasNotAnsweredIsAskedAgainWithinTenMinutesButNotAllAtOnce) {
  LaneConfig config = batches_of(100);
  LaneBundle b(config);
  b.add_range(1, 2000);
  const std::optional<Batch> batch = b.take_next();
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->slots.size(), 100U);
  b.finish(*batch, Kind::failed);
  std::set<Instant> moments;
  for (const Slot slot : batch->slots) {
    EXPECT_GE(b.lane.next_due(slot), b.now - 1s + 5min);
    EXPECT_LE(b.lane.next_due(slot), b.now + 10min);
    moments.insert(b.lane.next_due(slot));
  }
  EXPECT_GT(moments.size(), 50U);
}

TEST(LaneBatches, WhatWasNotAnsweredIsNotPulledIntoTheNextBatch) {
  LaneBundle b(batches_of(50));
  b.add_range(1, 30);
  const Batch failed = *b.take_next();
  ASSERT_EQ(failed.slots.size(), 30U);  // there is room for more
  b.finish(failed, Kind::failed);
  b.now += 110s;
  b.add(5000);
  const std::vector<std::int64_t> by_hand{5000};
  b.lane.mark_resync(by_hand, b.now);
  const std::optional<Batch> next = b.take();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->slots.size(), 1U);
}

TEST(LaneBatches, AnAbandonedBatchIsDueAsBefore) {
  LaneBundle b(batches_of(10));
  b.add_range(1, 400);
  const std::optional<Batch> batch = b.take_next();
  ASSERT_TRUE(batch);
  std::map<Slot, Instant> due;
  for (const Slot slot : batch->slots) due[slot] = b.lane.next_due(slot);
  b.finish(*batch, Kind::abandoned);
  for (const Slot slot : batch->slots) {
    EXPECT_EQ(b.lane.next_due(slot), due[slot]);
    EXPECT_EQ(b.lane.last_asked(slot), Instant{});
  }
  EXPECT_EQ(b.lane.status(b.now).failures_in_row, 0);
  const std::optional<Batch> again = b.take();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->slots, batch->slots);
}

}  // namespace
}  // namespace remitod::scheduler
