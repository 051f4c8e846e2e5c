#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

#include "scheduler/lane.h"
#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using namespace std::chrono_literals;
using test::LaneBundle;
using Kind = BatchOutcome::Kind;

LaneConfig config_with(int batch_max) {
  LaneConfig config;
  config.requests_per_second = 1000;
  config.concurrency = 1000;
  config.batch_max = batch_max;
  return config;
}

std::size_t mark(LaneBundle& b, std::vector<std::int64_t> ids) {
  return b.lane.mark_resync(ids, b.now);
}

TEST(LaneResync, MarkedShipmentsAreDueAtOnceAndComeFirst) {
  LaneBundle b(config_with(1));
  b.add_range(1, 100);
  b.take();
  b.now += 50s;  // some are overdue
  EXPECT_EQ(mark(b, {17, 55, 999}), 2U);
  EXPECT_EQ(b.lane.status(b.now).resync_left, 2U);
  EXPECT_EQ(b.lane.next_wake(b.now), b.now);
  std::set<std::int64_t> first;
  for (int i = 0; i < 2; ++i) {
    const std::optional<Batch> batch = b.take();
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->resync);
    EXPECT_TRUE(b.lane.resync_marked(batch->slots.front()));
    first.insert(b.lane.shipment_id(batch->slots.front()));
  }
  EXPECT_EQ(first, (std::set<std::int64_t>{17, 55}));
  EXPECT_FALSE(b.take()->resync);
}

TEST(LaneResync, AMarkIsGoneWithTheAnswer) {
  LaneBundle b(config_with(1));
  const Slot slot = b.add(1);
  mark(b, {1});
  const std::optional<Batch> batch = b.take();
  ASSERT_TRUE(batch);
  EXPECT_EQ(b.lane.status(b.now).resync_left, 1U);
  b.finish(*batch, Kind::answered);
  EXPECT_FALSE(b.lane.resync_marked(slot));
  EXPECT_EQ(b.lane.status(b.now).resync_left, 0U);
  EXPECT_GT(b.lane.next_due(slot), b.now);
}

TEST(LaneResync, MarkedTwiceCountsOnce) {
  LaneBundle b(config_with(1));
  b.add(1);
  mark(b, {1});
  EXPECT_EQ(mark(b, {1, 1}), 2U);
  EXPECT_EQ(b.lane.status(b.now).resync_left, 1U);
  ASSERT_TRUE(b.ask_next());
  EXPECT_EQ(b.lane.status(b.now).resync_left, 0U);
}

TEST(LaneResync, MarkedInFlightIsAskedAgain) {
  for (const Kind kind : {Kind::answered, Kind::throttled, Kind::abandoned}) {
    LaneBundle b(config_with(1));
    const Slot slot = b.add(1);
    const Batch before = *b.take_next();
    mark(b, {1});
    b.finish(before, kind, kind == Kind::throttled ? std::optional{1s} : std::nullopt);
    EXPECT_TRUE(b.lane.resync_marked(slot));
    EXPECT_EQ(b.lane.status(b.now).resync_left, 1U);
    const std::optional<Batch> again = b.ask_next();
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->resync);
    EXPECT_FALSE(b.lane.resync_marked(slot));
  }
}

TEST(LaneResync, MarkedAgainInFlightIsAskedOnceMore) {
  LaneBundle b(config_with(1));
  const Slot slot = b.add(1);
  mark(b, {1});
  const Batch batch = *b.take();
  mark(b, {1});
  b.finish(batch, Kind::answered);
  EXPECT_TRUE(b.lane.resync_marked(slot));
  EXPECT_EQ(b.lane.next_wake(b.now), b.now);
  ASSERT_TRUE(b.ask_next());
  EXPECT_FALSE(b.lane.resync_marked(slot));
}

TEST(LaneResync, AFailedOneKeepsItsMarkAndWaitsForTheBackOff) {
  LaneBundle b(config_with(1));
  const Slot slot = b.add(1);
  mark(b, {1});
  b.finish(*b.take(), Kind::failed);
  EXPECT_TRUE(b.lane.resync_marked(slot));
  EXPECT_FALSE(b.take());
  EXPECT_GE(b.lane.next_due(slot), b.now + 29s);
  EXPECT_LE(b.lane.next_due(slot), b.now + 60s);
  ASSERT_TRUE(b.ask_next());
  EXPECT_FALSE(b.lane.resync_marked(slot));
}

TEST(LaneResync, DoesNotPassTheBreaker) {
  LaneBundle b(config_with(1));
  b.add_range(1, 20);
  for (int i = 0; i < 3; ++i) b.finish(*b.take_next(), Kind::failed);
  ASSERT_EQ(b.lane.status(b.now).breaker, BreakerState::open);
  mark(b, {1, 2, 3});
  EXPECT_FALSE(b.take());
  EXPECT_EQ(b.lane.next_wake(b.now), b.lane.status(b.now).resting_until);
}

TEST(LaneResync, DoesNotPassTheRate) {
  LaneConfig config = config_with(1);
  config.requests_per_second = 5;
  LaneBundle b(config);
  b.add_range(1, 20);
  b.now += 1s;
  mark(b, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  int taken = 0;
  while (b.take()) ++taken;
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(b.lane.next_wake(b.now), b.now + 200ms);
}

TEST(LaneResync, AMarkOutlivesASetBackClockAndALongSilence) {
  for (const std::chrono::hours jump : {-100h, 100h}) {
    LaneBundle b(config_with(1));
    b.add_range(1, 20);
    mark(b, {7});
    b.now += jump;
    const std::optional<Batch> batch = b.take();
    ASSERT_TRUE(batch);
    EXPECT_EQ(b.lane.shipment_id(batch->slots.front()), 7);
  }
}

TEST(LaneResync, ARemovedShipmentTakesItsMarkAlong) {
  LaneBundle b(config_with(1));
  b.add_range(1, 2);
  mark(b, {1, 2});
  b.lane.remove(1);
  EXPECT_EQ(b.lane.status(b.now).resync_left, 1U);
  const Batch batch = *b.take();
  b.lane.remove(2);
  EXPECT_EQ(b.lane.status(b.now).resync_left, 0U);
  b.finish(batch, Kind::answered);
  EXPECT_EQ(b.lane.status(b.now).resync_left, 0U);
}

TEST(LaneResync, MarkedShipmentsShareBatches) {
  LaneBundle b(config_with(10));
  b.add_range(1, 1000);
  std::vector<std::int64_t> ids;
  for (std::int64_t id = 1; id <= 100; ++id) ids.push_back(id * 10);
  mark(b, ids);
  int requests = 0;
  while (b.lane.status(b.now).resync_left != 0) {
    const std::optional<Batch> batch = b.take();
    ASSERT_TRUE(batch);
    b.finish(*batch, Kind::answered);
    ++requests;
  }
  EXPECT_EQ(requests, 10);
}

}  // namespace
}  // namespace remitod::scheduler
