// What is noticed in the public tables, and what becomes of transitions, resyncs and raw answers.
#include "daemon/intake.h"

#include <gmock/gmock.h>

#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using db::DbError;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const WireEvent picked_up{monday + 1min, "", "Recogido"};

struct IntakeTest : testing::Test, VirtualWorld {
  void start() {
    daemon->add_carrier("chazki");
    daemon->start();
  }
  std::size_t followed() { return daemon->poller.lane("chazki")->size(); }
  void ask_resync(const std::string& target) {
    database.sql("insert into resync_requests (target) values ('" + target + "')");
    daemon->intake.wake();
    clock().run_queued();
  }
};
struct ResyncTest : IntakeTest {};
struct OutboxTest : IntakeTest {};
struct RawKeeperTest : IntakeTest {};

// ------------------------------------------------------------------ intake

TEST_F(IntakeTest, AWakeUpTakesInWhatWasInserted) {
  start();
  follow("chazki", "C1");
  EXPECT_EQ(followed(), 0u);
  daemon->intake.wake();
  clock().run_queued();
  EXPECT_EQ(followed(), 1u);
  EXPECT_EQ(count("shipments where accepted_at is null"), 0);
}

TEST_F(IntakeTest, WithoutAnyWakeUpTheSlowSweepTakesItIn) {
  start();
  follow("chazki", "C1");
  ask_remito("chazki", "1001", "{}");
  clock().run_for(31s);
  EXPECT_EQ(followed(), 1u);
  EXPECT_EQ(database.text("select state from remito_requests"), "refused") << "looked at: it lacks everything";
}

TEST_F(IntakeTest, MoreThanOneSweepTakesIsTakenAtOnce) {
  start();
  database.sql(R"(with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000)
                  insert into shipments (order_number, carrier, remito) select i, 'chazki', 'C' || i from n)");
  daemon->intake.wake();
  clock().run_queued();
  EXPECT_EQ(followed(), 12000u);
}

TEST_F(IntakeTest, WakeUpsDuringASweepMakeOneMore) {
  start();
  const std::size_t works = daemon->executor.works();
  daemon->executor.set_latency(1s);
  daemon->intake.wake();
  clock().run_for(500ms);
  follow("chazki", "C1");
  for (int i = 0; i < 100; ++i) daemon->intake.wake();
  clock().run_for(10s);
  EXPECT_EQ(followed(), 1u);
  EXPECT_LE(daemon->executor.works(), works + 6) << "two sweeps, and each looks into both queues";
}

TEST_F(IntakeTest, ADatabaseThatIsAwayDelaysAndLosesNothing) {
  start();
  daemon->executor.fail_always(DbError::Kind::connection);
  follow("chazki", "C1");
  daemon->intake.wake();
  clock().run_for(1h);
  EXPECT_TRUE(daemon->intake.database_trouble());
  daemon->executor.stop_failing();
  clock().run_for(3s);
  EXPECT_FALSE(daemon->intake.database_trouble());
  EXPECT_EQ(followed(), 1u);
}

TEST_F(IntakeTest, AfterStopNothingIsTakenIn) {
  start();
  daemon->intake.stop();
  follow("chazki", "C1");
  daemon->intake.wake();
  clock().run_for(5min);
  EXPECT_EQ(count("shipments where accepted_at is null"), 1);
}

// ------------------------------------------------------------------ resync

TEST_F(ResyncTest, OneThatIsTakenUpWhileTheLanesFillWaitsForThem) {
  start();
  follow("chazki", "C1");
  daemon->intake.wake();
  clock().run_queued();
  restart();
  daemon->add_carrier("chazki");
  database.sql("insert into resync_requests (target) values ('all')");
  daemon->resync.begin({1, db::ResyncTarget{}, {}}, {{1, "chazki"}});
  clock().run_queued();
  EXPECT_EQ(count("resync_requests where finished_at is not null"), 0) << "nobody was asked yet";
  daemon->start();
  ASSERT_TRUE(daemon->resync.progress(1).has_value());
  EXPECT_FALSE(daemon->resync.progress(1)->finished);
  clock().run_for(5s);
  EXPECT_THAT(carriers.asked_at("chazki", "C1"), SizeIs(1));
  EXPECT_TRUE(daemon->resync.progress(1)->finished);
}

TEST_F(ResyncTest, WhileTheLanesFillNothingIsWrittenOverWhatTheLastProcessRemembered) {
  daemon->add_carrier("chazki");
  database.sql("insert into lane_checkpoints (carrier, asked, saved_at) values ('chazki', 'before', 1)");
  daemon->housekeeping.round();
  bool done = false;
  daemon->housekeeping.save_checkpoints([&] { done = true; });
  clock().run_queued();
  EXPECT_TRUE(done);
  EXPECT_EQ(count("lane_checkpoints where saved_at = 1"), 1);
}

TEST_F(IntakeTest, HousekeepingTakesOnePlaceInTheDatabasesQueueHoweverManyCarriersThereAre) {
  for (const char* carrier : {"chazki", "correios", "oca"}) daemon->add_carrier(carrier);
  daemon->start();
  clock().run_queued();
  const std::size_t before = daemon->executor.works();
  daemon->housekeeping.round();
  EXPECT_EQ(daemon->executor.works(), before + 1);
  daemon->housekeeping.round();
  EXPECT_EQ(daemon->executor.works(), before + 1) << "the round before is still under way";
  clock().run_queued();
  EXPECT_EQ(daemon->executor.works(), before + 6) << "a checkpoint and a look for ends each";
  EXPECT_EQ(count("lane_checkpoints"), 3);
  daemon->housekeeping.round();
  EXPECT_EQ(daemon->executor.works(), before + 7) << "the next one comes in its turn";
  clock().run_queued();
  bool done = false;
  daemon->housekeeping.save_checkpoints([&] { done = true; });
  EXPECT_EQ(daemon->executor.works(), before + 13);
  clock().run_queued();
  EXPECT_TRUE(done);
  EXPECT_EQ(daemon->executor.works(), before + 15);
}

TEST_F(ResyncTest, IsFinishedWhenEveryShipmentWasAnswered) {
  for (int i = 1; i <= 10; ++i) follow("chazki", "C" + std::to_string(i));
  start();
  ask_resync("chazki");
  ASSERT_TRUE(daemon->resync.progress(1));
  EXPECT_EQ(daemon->resync.progress(1)->shipments, 10u);
  EXPECT_FALSE(daemon->resync.progress(1)->finished);
  EXPECT_THAT(daemon->resync.progress(1)->carriers, ElementsAre("chazki"));
  clock().run_for(2s);
  const std::size_t half_way = daemon->resync.progress(1)->done;
  EXPECT_GT(half_way, 0u);
  EXPECT_LT(half_way, 10u);
  clock().run_for(10s);
  EXPECT_TRUE(daemon->resync.progress(1)->finished);
  EXPECT_EQ(daemon->resync.progress(1)->done, 10u);
  EXPECT_EQ(count("resync_requests where finished_at is not null and shipments = 10 and error = ''"), 1);
  EXPECT_EQ(daemon->resync.under_way(), 0u);
}

TEST_F(ResyncTest, OfOneShipmentAsksIt) {
  carriers.show("chazki", "C1", {picked_up});
  follow("chazki", "C1");
  follow("chazki", "C2");
  start();
  ask_resync("chazki:C1");
  clock().run_for(1s);
  EXPECT_EQ(told("C1"), "registered>picked_up");
  EXPECT_TRUE(daemon->resync.progress(1)->finished);
  EXPECT_THAT(carriers.asked_at("chazki", "C2"), IsEmpty());
}

TEST_F(ResyncTest, TwoAtOnceOfTheSameShipmentAreBothFinished) {
  follow("chazki", "C1");
  carriers.set_latency(2s);
  start();
  ask_resync("chazki");
  clock().run_for(1s);
  ask_resync("chazki:C1");
  clock().run_for(10s);
  EXPECT_TRUE(daemon->resync.progress(1)->finished);
  EXPECT_TRUE(daemon->resync.progress(2)->finished);
  EXPECT_THAT(carriers.asked_at("chazki", "C1"), SizeIs(2)) << "the second was asked for while the first was under way";
}

TEST_F(ResyncTest, OfNothingIsFinishedAtOnce) {
  start();
  ask_resync("chazki");
  EXPECT_TRUE(daemon->resync.progress(1)->finished);
  EXPECT_EQ(count("resync_requests where finished_at is not null and shipments = 0"), 1);
}

TEST_F(ResyncTest, ARowThatNamesWhatIsNotThereSaysSo) {
  follow("chazki", "C1");
  start();
  database.sql(
      "insert into resync_requests (target, since_at) values ('rapid', null), ('rapid:C1', null), "
      "('chazki:C9', null), ('order:9', null), ('order:9', 1), ('order:1001', 1), ('chazki', 1), ('all', 1)");
  database.sql("update shipments set detected_at = 2");
  daemon->intake.wake();
  clock().run_for(1s);
  const auto error = [this](int id) {
    return database.text("select error from resync_requests where finished_at is not null and id = " +
                         std::to_string(id));
  };
  EXPECT_EQ(error(1), "no carrier \"rapid\" is configured");
  EXPECT_EQ(error(2), error(1));
  EXPECT_EQ(error(3), "no open shipment chazki:C9");
  EXPECT_EQ(error(4), "no open shipment of order:9");
  EXPECT_EQ(error(5), error(4));
  for (const int well : {6, 7, 8}) EXPECT_EQ(error(well), "") << "it has changed since, and that is no mistake";
}

TEST_F(ResyncTest, WhatCannotBeAskedHereIsNotWaitedFor) {
  follow("nobody", "X1");
  start();
  ask_resync("all");
  EXPECT_TRUE(daemon->resync.progress(1)->finished);
}

TEST_F(ResyncTest, AShipmentThatLeavesMeanwhileIsNotWaitedFor) {
  carriers.set_latency(1h);
  follow("chazki", "C1");
  start();
  ask_resync("chazki");
  daemon->poller.remove("chazki", std::vector<std::int64_t>{1});
  clock().run_queued();
  EXPECT_TRUE(daemon->resync.progress(1)->finished);
}

TEST_F(ResyncTest, WaitsWhileTheCarrierFailsAndEndsWhenItIsWell) {
  for (int i = 1; i <= 5; ++i) follow("chazki", "C" + std::to_string(i));
  start();
  carriers.always("chazki", http_answer(503, "down", "text/plain"));
  ask_resync("chazki");
  clock().run_for(1h);
  EXPECT_FALSE(daemon->resync.progress(1)->finished);
  EXPECT_LT(carriers.sent().size(), 60u) << "a failing carrier is not hammered, whoever waits";
  carriers.ordinary("chazki");
  clock().run_for(2h);
  EXPECT_TRUE(daemon->resync.progress(1)->finished);
}

TEST_F(ResyncTest, OneThatACrashCutOffIsTakenUpAgain) {
  for (int i = 1; i <= 10; ++i) follow("chazki", "C" + std::to_string(i));
  start();
  ask_resync("chazki");
  clock().run_for(1s);
  restart();
  start();
  clock().run_for(10s);
  EXPECT_EQ(count("resync_requests where finished_at is not null"), 1);
  EXPECT_THAT(carriers.asked_at("chazki", "C10"), SizeIs(testing::Ge(1u)));
}

TEST_F(ResyncTest, NothingIsKnownOfOneThatNobodyAskedFor) {
  start();
  EXPECT_FALSE(daemon->resync.progress(77));
}

// ------------------------------------------------------------------ outbox

TEST_F(OutboxTest, NumbersWithoutGapsOverManyShipments) {
  for (int i = 1; i <= 50; ++i) {
    follow("chazki", "C" + std::to_string(i));
    carriers.show("chazki", "C" + std::to_string(i), {picked_up, {monday + 2min, "", "Entregado"}});
  }
  start();
  clock().run_for(1h);
  EXPECT_EQ(count("transitions"), 150);
  EXPECT_EQ(count("transitions where seq is null"), 0);
  EXPECT_EQ(database.number("select max(seq) - min(seq) + 1 from transitions"), 150);
  EXPECT_EQ(daemon->outbox.last_seq(), 150);
}

TEST_F(OutboxTest, ADispatchThatFailsIsTriedAgain) {
  carriers.show("chazki", "C1", {picked_up});
  follow("chazki", "C1");
  start();
  daemon->intake.stop();
  ASSERT_TRUE(clock().run_until_true([&] { return told("C1") != ""; }, monday + 1h));
  daemon->executor.fail(5, DbError::Kind::connection);
  clock().run_for(1s);
  EXPECT_TRUE(daemon->outbox.database_trouble());
  EXPECT_EQ(count("transitions where seq is null"), 1);
  clock().run_for(1min);
  EXPECT_EQ(count("transitions where seq is null"), 0);
  EXPECT_FALSE(daemon->outbox.database_trouble());
  EXPECT_TRUE(daemon->outbox.idle());
}

TEST_F(OutboxTest, WhatACrashLeftWithoutANumberIsNumberedByTheNextStart) {
  carriers.show("chazki", "C1", {picked_up});
  follow("chazki", "C1");
  start();
  daemon->intake.stop();
  ASSERT_TRUE(clock().run_until_true([&] { return told("C1") != ""; }, monday + 1h));
  restart();
  ASSERT_EQ(count("transitions where seq is null"), 1);
  start();
  EXPECT_EQ(count("transitions where seq is null"), 0);
}

TEST_F(OutboxTest, KicksDuringADispatchMakeOneMore) {
  start();
  const std::size_t works = daemon->executor.works();
  daemon->executor.set_latency(1s);
  for (int i = 0; i < 100; ++i) daemon->outbox.kick();
  clock().run_for(5s);
  EXPECT_EQ(daemon->executor.works(), works + 2);
}

// ------------------------------------------------------------------ raw answers

db::RawAnswer raw_answer(const std::string& why, const std::string& remito = "") {
  return {"chazki", "track", remito, why, 200, "text/html", "<html>"};
}

TEST_F(RawKeeperTest, TheSameReasonIsKeptOnceASecond) {
  start();
  for (int i = 0; i < 50; ++i) daemon->raw.keep(raw_answer("an HTML page"));
  clock().run_for(2s);
  EXPECT_THAT(raw_answers("chazki"), SizeIs(1));
  EXPECT_EQ(daemon->raw.dropped(), 49u);
  daemon->raw.keep(raw_answer("an HTML page"));
  clock().run_for(2s);
  EXPECT_THAT(raw_answers("chazki"), SizeIs(2));
}

TEST_F(RawKeeperTest, EveryAnswerThatToldSomethingNewIsKeptThoughItSaysTheSame) {
  start();
  for (int i = 0; i < 3; ++i) daemon->raw.keep(raw_answer("a code that the profile does not know"), true);
  clock().run_for(2s);
  EXPECT_THAT(raw_answers("chazki"), SizeIs(3));
}

TEST_F(RawKeeperTest, ManyReasonsAtOnceAreBoundedAndCostOneTransaction) {
  start();
  daemon->intake.stop();
  const std::size_t works = daemon->executor.works();
  for (int i = 0; i < 500; ++i) daemon->raw.keep(raw_answer("event " + std::to_string(i)));
  clock().run_for(5s);
  EXPECT_THAT(raw_answers("chazki"), SizeIs(100));
  EXPECT_EQ(daemon->raw.dropped(), 400u);
  EXPECT_EQ(daemon->executor.works(), works + 1);
}

TEST_F(RawKeeperTest, WhatIsKeptWaitsForADatabaseThatIsAway) {
  start();
  daemon->executor.fail_always(DbError::Kind::connection);
  daemon->raw.keep(raw_answer("an HTML page"));
  clock().run_for(5s);
  daemon->executor.stop_failing();
  daemon->raw.keep(raw_answer("another"));
  clock().run_for(5s);
  EXPECT_THAT(raw_answers("chazki"), SizeIs(2));
}

TEST_F(RawKeeperTest, ADatabaseThatHangsHoldsOnlyOneWorkAtATime) {
  start();
  daemon->intake.stop();
  const std::size_t works = daemon->executor.works();
  daemon->executor.set_latency(1h);
  for (const char* why : {"first", "second", "third"}) {
    daemon->raw.keep(raw_answer(why));
    clock().run_for(1500ms);
  }
  EXPECT_EQ(daemon->executor.works(), works + 1);
  EXPECT_FALSE(daemon->raw.idle());
  daemon->executor.set_latency(0s);
  clock().run_for(2h);
  EXPECT_THAT(raw_answers("chazki"), SizeIs(3));
  EXPECT_TRUE(daemon->raw.idle());
}

TEST_F(RawKeeperTest, WhoStopsDoesNotWaitForWhatMayStillCome) {
  start();
  daemon->raw.keep(raw_answer("before"));
  daemon->raw.stop();
  clock().run_for(100ms);
  EXPECT_THAT(raw_answers("chazki"), SizeIs(1));
  daemon->raw.keep(raw_answer("while it stops"));
  clock().run_for(100ms);
  EXPECT_THAT(raw_answers("chazki"), SizeIs(2));
  EXPECT_TRUE(daemon->raw.idle());
}

TEST_F(RawKeeperTest, AClockThatIsSetBackDoesNotLetTheAnswersGrowPastTheirLimit) {
  daemon::RawKeeper keeper(clock(), daemon->executor, 200);
  clock().set_clock_error(24h);
  keeper.keep(raw_answer("first"));
  clock().run_for(2min);
  clock().set_clock_error(0h);
  for (int i = 0; i < 50; ++i) {
    keeper.keep(raw_answer("event " + std::to_string(i)));
    clock().run_for(2s);
  }
  clock().run_for(2min);
  keeper.keep(raw_answer("last"));
  clock().run_for(2min);
  EXPECT_LE(database.number("select sum(packed_bytes) from raw_answers"), 200);
}

}  // namespace
}  // namespace remitod::test
