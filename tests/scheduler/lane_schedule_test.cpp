#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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
using test::unhurried;
using Kind = BatchOutcome::Kind;

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
  std::map<std::int64_t, std::vector<Instant>> asked;
  std::array<int, 60> minutes{};
  run(b, 1h + 1s, asked);
  EXPECT_EQ(asked.size(), 3600U);
  for (const auto& [id, moments] : asked) ++minutes[static_cast<std::size_t>((moments[0] - monday) / 1min) % 60];
  for (const int asked_in_minute : minutes) EXPECT_LT(asked_in_minute, 120);  // 60 are expected
}

TEST(HourlyLane, WhatAShortStopMissedComesInItsOrderAsLongAfterwards) {
  LaneBundle b(unhurried());
  std::map<std::int64_t, Instant> missed;
  for (std::int64_t id = 1; id <= 3600; ++id) {  // all were asked at their phase, until ten minutes ago
    const Instant point = to_instant(PhaseGrid(3600).next_point(to_second(monday - 10min), id)) - 1h;
    b.add(id, point);
    if (point + 1h <= monday) missed[id] = point + 1h;
  }
  ASSERT_GT(missed.size(), 500U);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 10min + 5s, asked);
  for (const auto& [id, point] : missed) {
    ASSERT_TRUE(asked.contains(id)) << id;
    // How long the stop was is known to the distance between the requests of those who are here already.
    EXPECT_NEAR(static_cast<double>((asked[id].front() - point) / 1s), 600, 5 + 3600. / static_cast<double>(id)) << id;
  }
}

TEST(HourlyLane, WhatAStopMissedIsPutOffOnceThoughNothingMayGoWhileTheLaneFills) {
  std::vector<Instant> due;
  for (const bool is_held_up : {false, true}) {
    LaneBundle b(unhurried());
    for (std::int64_t id = 1; id <= 100; ++id) {
      b.add(id, to_instant(PhaseGrid(3600).next_point(to_second(monday - 20min), id)) - 1h);
      if (is_held_up) b.lane.held_up(b.now);
    }
    EXPECT_TRUE(b.take()) << "the first one goes at once";
    for (std::int64_t id = 1; id <= 100; ++id) due.push_back(b.lane.next_due(*b.lane.find(id)));
  }
  EXPECT_TRUE(std::equal(due.begin(), due.begin() + 100, due.begin() + 100, due.end()));
}

TEST(HourlyLane, WhatAStopMissedIsPutOffWhereTheCarrierIsTriedFirstAfterARest) {
  LaneBundle b(unhurried());
  const Instant stopped = monday - 3h;
  for (std::int64_t id = 1; id <= 3600; ++id)
    b.add(id, to_instant(PhaseGrid(3600).next_point(to_second(stopped), id)) - 1h);
  b.lane.restore_wishes({monday + 10min, {}}, b.now);
  b.now = monday + 10min;
  std::map<std::int64_t, std::vector<Instant>> asked;
  EXPECT_LT(run(b, 5min, asked), 400);  // 300 are expected
  run(b, 1h, asked);
  EXPECT_EQ(asked.size(), 3600U);
}

TEST(HourlyLane, OneThatWasNeverAskedIsNotPutOffByAnIntervalWhereAShortStopMissedItsFirstPoint) {
  LaneBundle b(unhurried());
  const Instant point = monday + std::chrono::seconds{phase(1, 3600)};
  const auto came = [&](Instant moment) {
    return b.lane.add({.shipment_id = 1, .remito = "R1", .registered_at = monday - 24h, .status_since = moment}, b.now);
  };
  b.now = point + 20s;
  EXPECT_EQ(b.lane.next_due(came(point - 50min)), point);
  EXPECT_TRUE(b.take());
  b.lane = Lane(unhurried(), 1);
  EXPECT_EQ(b.lane.next_due(came(point + 10s)), point + 1h) << "the point was not its own yet";
}

TEST(HourlyLane, ARestartThatKnowsOfNobodyWhenHeWasAskedDoesNotBurst) {
  LaneBundle b(unhurried());
  for (std::int64_t id = 1; id <= 3600; ++id) {
    const std::string remito = "R" + std::to_string(id);
    const Instant came = monday - std::chrono::minutes{id};
    b.lane.add({.shipment_id = id, .remito = remito, .registered_at = came, .status_since = came}, b.now);
  }
  std::map<std::int64_t, std::vector<Instant>> asked;
  std::array<int, 60> minutes{};
  run(b, 1h + 1s, asked);
  EXPECT_EQ(asked.size(), 3600U);
  for (const auto& [id, moments] : asked) ++minutes[static_cast<std::size_t>((moments[0] - monday) / 1min) % 60];
  for (const int asked_in_minute : minutes) EXPECT_LT(asked_in_minute, 120);  // 60 are expected
}

TEST(HourlyLane, ABatchThatAShortStopMissedGoesAtOnceAndTogether) {
  LaneBundle before(batches_of(50));
  before.add_range(1, 5);
  ASSERT_EQ(before.ask_next()->slots.size(), 5U) << "few share one point, and an hour lies between two requests";
  LaneBundle after(batches_of(50), 99);
  after.now = before.now + 1h + 8s;
  for (std::int64_t id = 1; id <= 5; ++id) after.add(id, before.now);
  const std::optional<Batch> missed = after.ask_next();
  ASSERT_TRUE(missed);
  EXPECT_EQ(after.now, before.now + 1h + 8s);
  EXPECT_EQ(missed->slots.size(), 5U);
}

TEST(HourlyLane, AsksTheMostOverdueFirst) {
  LaneConfig config = unhurried();
  config.concurrency = 1;
  LaneBundle b(config);
  b.add_range(1, 50);
  const std::optional<Batch> slow = b.take_next();
  ASSERT_TRUE(slow);
  b.now += 58min;
  b.finish(*slow, Kind::answered);
  Instant last = monday;
  int taken = 0;
  while (const std::optional<Batch> batch = b.take()) {
    const Instant due = b.lane.next_due(batch->slots.front());  // in flight: when it was due
    EXPECT_GE(due, last);
    EXPECT_LE(due, b.now);
    last = due;
    ++taken;
    b.finish(*batch, Kind::answered);
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

TEST(HourlyLane, WhatALongSilenceMissedComesWithinAnIntervalInItsOrder) {
  LaneBundle b(unhurried());
  b.add_range(1, 3600);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 2h + 17min, asked);
  std::map<Instant, std::int64_t> by_due;
  for (std::int64_t id = 1; id <= 3600; ++id) by_due[b.lane.next_due(*b.lane.find(id))] = id;
  b.now += 100h;
  asked.clear();
  run(b, 1min, asked);
  EXPECT_LT(asked.size(), 120U);
  run(b, 59min + 1s, asked);
  EXPECT_EQ(asked.size(), 3600U);
  Instant last{};
  for (const auto& [due, id] : by_due) {
    EXPECT_GE(asked[id].front(), last);
    last = asked[id].front();
  }
}

TEST(HourlyLane, ALaneThatSleepsAWholeIntervalBetweenItsTurnsIsNotSilent) {
  LaneBundle b(unhurried());
  b.add(1);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 24h, asked);
  EXPECT_EQ(asked[1].size(), 24U);
}

TEST(HourlyLane, ALookThatComesSecondsLateAfterAnHourWithNobodyToAskAsksAtOnce) {
  LaneBundle b(unhurried());
  b.add(1);
  ASSERT_TRUE(b.ask_next());
  b.now = b.lane.next_due(*b.lane.find(1)) + 10s;
  EXPECT_TRUE(b.take());
}

TEST(HourlyLane, WhatWaitedForWhatOthersWereSentKeepsItsTurn) {
  LaneConfig config = unhurried();
  config.requests_per_second = 1 / 1800.;
  LaneBundle b(config);
  b.add_range(1, 2);
  ASSERT_TRUE(b.ask_next());
  ASSERT_TRUE(b.ask_next());
  const Slot first = *b.lane.find(1), second = *b.lane.find(2);
  const Instant due = std::max(b.lane.next_due(first), b.lane.next_due(second));
  const Slot later = b.lane.next_due(first) == due ? first : second;
  b.now = b.lane.next_due(later == first ? second : first) - 1min;
  for (int i = 0; i < 3; ++i) b.lane.spend_request(b.now, Lane::Purpose::others);
  b.now += 2min;
  ASSERT_EQ(b.lane.spare_requests(b.now), 0U);
  b.lane.held_up(b.now);
  b.now = *b.lane.next_wake(b.now);
  ASSERT_GT(b.now, due) << "the rate held both";
  EXPECT_TRUE(b.take());
  EXPECT_EQ(b.lane.next_due(later), due);
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

TEST(HourlyLane, WhatAShortSilenceMissedComesAsLongAfterwardsAndNotInABurst) {
  LaneBundle b(unhurried());
  b.add_range(1, 3600);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 2h, asked);
  b.now += 10min;
  asked.clear();
  run(b, 1min, asked);
  EXPECT_LT(asked.size(), 200U);  // 120 are expected: those of the silence besides those of now
  run(b, 9min + 5s, asked);
  EXPECT_GT(asked.size(), 1000U);  // 1200 are expected
}

TEST(HourlyLane, AStepOfSecondsIsNoSilence) {
  LaneBundle b(unhurried());
  b.add_range(1, 3600);
  std::map<std::int64_t, std::vector<Instant>> asked;
  run(b, 2h, asked);
  b.now += 50s;
  int taken = 0;
  while (b.take()) ++taken;
  EXPECT_GT(taken, 25);  // 50 are expected
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
    EXPECT_EQ(b.lane.next_due(*b.lane.find(id)), to_instant(PhaseGrid(6 * 3600).next_point(to_second(b.now), id)));
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
