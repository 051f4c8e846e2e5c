#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "scheduler/lane.h"
#include "scheduler/phase.h"
#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using namespace std::chrono_literals;
using test::LaneBundle;
using test::monday;
using Kind = BatchOutcome::Kind;

LaneConfig unhurried() {
  LaneConfig config;
  config.requests_per_second = 1000;
  config.concurrency = 1000;
  return config;
}

LaneConfig batches_of(int batch_max) {
  LaneConfig config = unhurried();
  config.batch_max = batch_max;
  return config;
}

/// Runs the lane for so long, with every request answered at once. How many requests went out.
int run(LaneBundle& b, std::chrono::seconds length, std::map<std::int64_t, std::vector<Instant>>& asked) {
  const Instant end = b.now + length;
  int requests = 0;
  for (;;) {
    if (const std::optional<Batch> batch = b.take()) {
      ++requests;
      for (const Slot slot : batch->slots) asked[b.lane.shipment_id(slot)].push_back(b.now);
      b.finish(*batch, Kind::answered);
      continue;
    }
    const std::optional<Instant> wake = b.lane.next_wake(b.now);
    if (!wake || *wake >= end) break;
    b.now = *wake;
  }
  b.now = end;
  return requests;
}

TEST(HourlyLane, AsksEveryShipmentOnceAnHourAtItsPhase) {
  LaneBundle b(unhurried());
  b.add_range(1, 500);
  std::map<std::int64_t, std::vector<Instant>> asked;
  EXPECT_EQ(run(b, 24h, asked), 24 * 500);
  ASSERT_EQ(asked.size(), 500U);
  for (const auto& [id, moments] : asked) {
    ASSERT_EQ(moments.size(), 24U);
    for (std::size_t hour = 0; hour < 24; ++hour) {
      const std::chrono::seconds offset{phase(id, 3600)};
      // Whose phase is the first second of the hour had its point when it came, and begins an hour later.
      EXPECT_EQ(moments[hour], monday + std::chrono::hours{hour + (offset == 0s ? 1 : 0)} + offset);
    }
  }
}

TEST(HourlyLane, FillsItsBatchesWhereThereAreEnoughShipments) {
  LaneBundle b(batches_of(50));
  b.add_range(1, 2000);
  std::map<std::int64_t, std::vector<Instant>> asked;
  const int requests = run(b, 24h, asked);
  EXPECT_GE(requests, 24 * 2000 / 50);
  EXPECT_LE(requests, 24 * 2000 / 50 * 105 / 100);
}

TEST(HourlyLane, SpendsAtMostTwentyRequestsAnHourBeyondFullBatches) {
  LaneBundle b(batches_of(50));
  b.add_range(1, 200);
  std::map<std::int64_t, std::vector<Instant>> asked;
  EXPECT_LE(run(b, 24h, asked), 24 * 20);
}

TEST(HourlyLane, AFilledBatchAsksWithinTheSlackOfThePhase) {
  LaneBundle b(batches_of(20));
  b.add_range(1, 300);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 24h, asked);
  ASSERT_EQ(asked.size(), 300U);
  for (const auto& [id, moments] : asked) {
    EXPECT_GE(moments.size(), 24U) << id;
    EXPECT_LE(moments.size(), 25U) << id;  // the day may end just before a point that was run ahead of
    for (const Instant moment : moments) {
      const Instant point = to_instant(next_point(to_second(moment) - 1, id, 3600));
      EXPECT_LE(point - moment, 3min);
    }
    for (std::size_t i = 1; i < moments.size(); ++i) EXPECT_LE(moments[i] - moments[i - 1], 63min);
  }
}

TEST(HourlyLane, KeepsThePhaseOverARestart) {
  LaneBundle before(unhurried());
  LaneBundle after(unhurried(), 99);
  for (std::int64_t id = 1; id <= 100; ++id) {
    const Slot slot = before.add(id, monday - 10min);
    EXPECT_EQ(before.lane.next_due(slot), after.lane.next_due(after.add(id, monday - 10min)));
  }
}

TEST(HourlyLane, ARestartAfterADayDoesNotBurst) {
  LaneConfig config = unhurried();
  LaneBundle b(config);
  for (std::int64_t id = 1; id <= 3600; ++id) b.add(id, monday - 24h);
  EXPECT_FALSE(b.take());
  std::map<std::int64_t, std::vector<Instant>> asked;
  std::array<int, 60> minutes{};
  run(b, 1h + 1s, asked);
  EXPECT_EQ(asked.size(), 3600U);
  for (const auto& [id, moments] : asked) ++minutes[static_cast<std::size_t>((moments[0] - monday) / 1min) % 60];
  for (const int asked_in_minute : minutes) EXPECT_LT(asked_in_minute, 120);  // 60 are expected
}

TEST(HourlyLane, AShipmentAskedAheadOfItsPointIsNotAskedAgainAtItAfterARestart) {
  LaneBundle b(batches_of(20));
  const Instant point = to_instant(next_point(to_second(b.now + 10min), 1, 3600));
  b.now = point - 1min;
  EXPECT_EQ(b.lane.next_due(b.add(1, point - 2min)), point + 1h);
}

TEST(HourlyLane, AsksTheMostOverdueFirst) {
  LaneBundle b(unhurried());
  b.add_range(1, 50);
  EXPECT_FALSE(b.take());
  b.now += 59min;
  Instant last = monday;
  int taken = 0;
  while (const std::optional<Batch> batch = b.take()) {
    const Instant due = b.lane.next_due(batch->slots.front());  // in flight: when it was due
    EXPECT_GE(due, last);
    EXPECT_LE(due, b.now);
    last = due;
    ++taken;
  }
  EXPECT_GT(taken, 40);
}

TEST(HourlyLane, LastAskedIsWhenTheAnsweredRequestWentOut) {
  LaneBundle b(unhurried());
  const Slot slot = b.add(1);
  EXPECT_EQ(b.lane.last_asked(slot), Instant{});
  const std::optional<Batch> failed = b.take_next();
  ASSERT_TRUE(failed);
  b.finish(*failed, Kind::failed);
  EXPECT_EQ(b.lane.last_asked(slot), Instant{});
  const std::optional<Batch> answered = b.take_next();
  ASSERT_TRUE(answered);
  const Instant sent = b.now;
  b.now += 20s;
  b.finish(*answered, Kind::answered);
  EXPECT_EQ(b.lane.last_asked(slot), sent);
}

TEST(HourlyLane, WhatWasNotAnsweredIsAskedAgainWithinTenMinutesButNotAllAtOnce) {
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

TEST(HourlyLane, WhatWasNotAnsweredIsNotPulledIntoTheNextBatch) {
  LaneConfig config = batches_of(50);
  config.interval = 24h;
  LaneBundle b(config);
  b.add_range(1, 2000);
  const Batch failed = *b.take_next();
  ASSERT_GT(failed.slots.size(), 1U);
  ASSERT_LT(failed.slots.size(), 50U);  // there is room in the next one
  b.finish(failed, Kind::failed);
  b.now += 110s;
  b.add(5000);
  const std::vector<std::int64_t> by_hand{5000};
  b.lane.mark_resync(by_hand, b.now);
  const std::optional<Batch> next = b.take();
  ASSERT_TRUE(next);
  for (const Slot slot : next->slots) EXPECT_EQ(std::ranges::count(failed.slots, slot), 0);
}

TEST(HourlyLane, AnAbandonedBatchIsDueAsBefore) {
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

TEST(HourlyLane, AClockSetBackDoesNotStallNorBurst) {
  for (const std::chrono::seconds back :
       {std::chrono::seconds{10s}, std::chrono::seconds{1h}, std::chrono::seconds{8760h}}) {
    LaneBundle b(unhurried());
    b.add_range(1, 600);
    std::map<std::int64_t, std::vector<Instant>> asked;
    run(b, 2h, asked);
    b.now -= back;
    EXPECT_FALSE(b.take());
    asked.clear();
    const int requests = run(b, 1h + 1s, asked);
    EXPECT_EQ(asked.size(), 600U) << back.count();
    EXPECT_LE(requests, 601) << back.count();
  }
}

TEST(HourlyLane, AClockSetBackBySecondsChangesNothing) {
  LaneBundle b(unhurried());
  b.add_range(1, 100);
  EXPECT_FALSE(b.take());
  const Instant due = *b.lane.status(b.now).next_due;
  b.now -= 2s;
  EXPECT_FALSE(b.take());
  EXPECT_EQ(b.lane.status(b.now).next_due, due);
}

TEST(HourlyLane, AfterALongSilenceShipmentsComeAtTheirPhasesNotInABurst) {
  LaneBundle b(unhurried());
  b.add_range(1, 3600);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 2h, asked);
  b.now += 100h;
  asked.clear();
  run(b, 1min, asked);
  EXPECT_LT(asked.size(), 120U);
  run(b, 59min + 1s, asked);
  EXPECT_EQ(asked.size(), 3600U);
}

TEST(HourlyLane, ALaneThatSleepsAWholeIntervalBetweenItsTurnsIsNotSilent) {
  LaneBundle b(unhurried());
  b.add(1);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 24h, asked);
  EXPECT_EQ(asked[1].size(), 24U);
}

TEST(HourlyLane, EverybodyHasATurnHoweverSlowTheCarrierMustBeAsked) {
  LaneConfig config = unhurried();
  config.requests_per_second = 1 / 7200.0;  // a request in two intervals
  LaneBundle b(config);
  b.add_range(1, 20);
  std::map<std::int64_t, std::vector<Instant>> asked;
  EXPECT_GE(run(b, 2h * 45, asked), 44);
  EXPECT_EQ(asked.size(), 20U);
  for (const auto& [id, moments] : asked) EXPECT_GE(moments.size(), 2U) << id;
}

TEST(HourlyLane, EverybodyHasATurnHoweverSlowTheAnswersAre) {
  LaneConfig config = unhurried();
  config.concurrency = 1;
  LaneBundle b(config);
  b.add_range(1, 20);
  std::set<std::int64_t> asked;
  for (int i = 0; i < 40; ++i) {
    const std::optional<Batch> batch = i == 0 ? b.take_next() : b.take();  // somebody is overdue from then on
    ASSERT_TRUE(batch);
    asked.insert(b.lane.shipment_id(batch->slots.front()));
    b.now += 2h;
    b.finish(*batch, Kind::answered);
  }
  EXPECT_EQ(asked.size(), 20U);
}

TEST(HourlyLane, AShortSilenceIsCaughtUp) {
  LaneBundle b(unhurried());
  b.add_range(1, 3600);
  EXPECT_FALSE(b.take());
  b.now += 10min;
  int taken = 0;
  while (b.take()) ++taken;
  EXPECT_GT(taken, 500);  // 600 are expected
}

TEST(HourlyLane, AnotherIntervalMovesEveryShipmentToItsNewPhase) {
  LaneBundle b(unhurried());
  b.add_range(1, 200);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 1h, asked);
  LaneConfig config = unhurried();
  config.interval = 10min;
  b.lane.reconfigure(config);
  asked.clear();
  run(b, 10min + 1s, asked);
  EXPECT_EQ(asked.size(), 200U);
  config.interval = 6h;
  b.lane.reconfigure(config);
  for (std::int64_t id = 1; id <= 200; ++id) {
    EXPECT_EQ(b.lane.next_due(*b.lane.find(id)), to_instant(next_point(to_second(b.now), id, 6 * 3600)));
  }
}

TEST(HourlyLane, AddingAnIdAgainChangesNothing) {
  LaneBundle b(unhurried());
  const Slot slot = b.add(1);
  b.lane.set_fingerprints(slot, 7, 8);
  const Instant due = b.lane.next_due(slot);
  EXPECT_EQ(b.lane.add({.shipment_id = 1, .remito = "OTHER", .registered_at = {}, .last_asked = b.now}, b.now), slot);
  EXPECT_EQ(b.lane.remito(slot), "R1");
  EXPECT_EQ(b.lane.body_fingerprint(slot), 7U);
  EXPECT_EQ(b.lane.next_due(slot), due);
  EXPECT_EQ(b.lane.size(), 1U);
}

TEST(HourlyLane, ReadsBackWhatItWasGiven) {
  LaneBundle b(unhurried());
  const Slot slot =
      b.lane.add({.shipment_id = 5, .remito = "0001234", .registered_at = monday + 13h, .last_asked = {}}, b.now);
  EXPECT_EQ(b.lane.find(5), slot);
  EXPECT_EQ(b.lane.shipment_id(slot), 5);
  EXPECT_EQ(b.lane.remito(slot), "0001234");
  EXPECT_EQ(b.lane.registered_at(slot), monday);  // to the day
  EXPECT_EQ(b.lane.read_fingerprint(slot), Fingerprint{});
  const std::uint64_t body = 0xfedcba9876543210U, read = 0x0123456789abcdefU;
  b.lane.set_fingerprints(slot, body, read);
  EXPECT_EQ(b.lane.body_fingerprint(slot), body);
  EXPECT_EQ(b.lane.read_fingerprint(slot), read);
  EXPECT_NE(b.lane.body_fingerprint(slot), body + 1);
}

TEST(HourlyLane, ARemovedShipmentIsNotAskedAgain) {
  LaneBundle b(unhurried());
  b.add_range(1, 10);
  b.lane.remove(4);
  b.lane.remove(4);
  b.lane.remove(999);
  EXPECT_EQ(b.lane.size(), 9U);
  EXPECT_FALSE(b.lane.find(4));
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 2h, asked);
  EXPECT_EQ(asked.size(), 9U);
  EXPECT_FALSE(asked.contains(4));
}

TEST(HourlyLane, OneRemovedInFlightKeepsItsSlotUntilTheAnswer) {
  LaneBundle b(unhurried());
  const Slot slot = b.add(1);
  const std::optional<Batch> batch = b.take_next();
  ASSERT_TRUE(batch);
  b.lane.remove(1);
  EXPECT_EQ(b.lane.size(), 0U);
  EXPECT_EQ(b.lane.remito(slot), "R1");
  const Slot again = b.add(1);  // comes back before the answer does
  EXPECT_NE(again, slot);
  b.finish(*batch, Kind::answered);
  EXPECT_EQ(b.lane.find(1), again);
  EXPECT_EQ(b.lane.last_asked(again), Instant{});
  EXPECT_EQ(b.add(2), slot);  // free again
}

TEST(HourlyLane, AnEmptyLaneSleepsUntilSomethingIsAdded) {
  LaneBundle b(unhurried());
  EXPECT_FALSE(b.take());
  EXPECT_FALSE(b.lane.next_wake(b.now));
  b.add(1);
  EXPECT_TRUE(b.lane.next_wake(b.now));
}

}  // namespace
}  // namespace remitod::scheduler
