// A commit that happened and was called a failure, as when a server is lost with the COMMIT on its way: the same is
// done again, finds nothing left to do, and what had been done is not forgotten.
#include <gmock/gmock.h>

#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using testing::IsEmpty;
using testing::Not;

struct UnheardCommit : testing::Test, VirtualWorld {
  UnheardCommit() {
    daemon->add_carrier("oca");
    daemon->start();
    clock().run_for(1s);
  }
  const scheduler::Lane& lane() { return *daemon->poller.lane("oca"); }
};

TEST_F(UnheardCommit, AShipmentThatWasTakenInIsFollowed) {
  follow("oca", "100");
  database.commits().deny(1);
  daemon->intake.wake();
  clock().run_for(10s);
  ASSERT_EQ(database.commits().denied(), 1);
  ASSERT_EQ(count("shipments where accepted_at is not null"), 1);
  EXPECT_EQ(lane().size(), 1u);
  follow("oca", "101");
  daemon->intake.wake();
  clock().run_for(10s);
  EXPECT_EQ(lane().size(), 2u) << "and then each is taken in once";
}

TEST_F(UnheardCommit, AResyncThatWasTakenUpIsCarriedOut) {
  follow("oca", "100");
  daemon->intake.wake();
  clock().run_for(1s);
  const std::size_t asked_before = carriers.asked_at("oca", "100").size();
  database.sql("insert into resync_requests (target) values ('oca')");
  database.commits().deny(1);
  daemon->intake.wake();
  clock().run_for(1min);
  ASSERT_EQ(database.commits().denied(), 1);
  EXPECT_EQ(carriers.asked_at("oca", "100").size(), asked_before + 1);
  EXPECT_EQ(count("resync_requests where finished_at is null"), 0);
}

TEST_F(UnheardCommit, AResyncWhoseEndWasNotRecordedIsNotCarriedOutAgain) {
  follow("oca", "100");
  daemon->intake.wake();
  clock().run_for(1s);
  const std::size_t asked_before = carriers.asked_at("oca", "100").size();
  database.sql("insert into resync_requests (target) values ('oca')");
  daemon->intake.wake();
  ASSERT_TRUE(clock().run_until_true([&] { return carriers.asked_at("oca", "100").size() > asked_before; },
                                     clock().now() + 1min));
  daemon->executor.fail_always(db::DbError::Kind::busy);
  clock().run_for(30s);
  daemon->executor.stop_failing();
  clock().run_for(1min);
  EXPECT_EQ(carriers.asked_at("oca", "100").size(), asked_before + 1);
  EXPECT_EQ(count("resync_requests where finished_at is null"), 0);
}

TEST_F(UnheardCommit, ATransitionThatWasWrittenIsNumberedAndTold) {
  follow("oca", "100");
  carriers.show("oca", "100", {{monday, "63", "Entregado"}});
  daemon->intake.wake();
  ASSERT_TRUE(clock().run_until_true([&] { return !carriers.asked_at("oca", "100").empty(); }, monday + 2h));
  database.commits().deny(1);
  clock().run_for(5min);
  ASSERT_EQ(database.commits().denied(), 1);
  EXPECT_EQ(told("100"), "registered>in_transit~ in_transit>delivered");
  EXPECT_EQ(count("transitions where seq is null"), 0);
}

TEST_F(UnheardCommit, AShipmentThatWasEndedLeavesItsLane) {
  follow("oca", "100");
  carriers.show("oca", "100", {{monday, "63", "Entregado"}});
  daemon->intake.wake();
  clock().run_for(std::chrono::days{4});  // past its tail; nobody kept house
  ASSERT_THAT(carriers.asked_at("oca", "100"), Not(IsEmpty()));
  ASSERT_EQ(lane().size(), 1u);
  // The round writes the checkpoint first.
  database.commits().deny(2);
  daemon->housekeeping.round();
  clock().run_for(1s);
  ASSERT_EQ(database.commits().denied(), 2);
  ASSERT_EQ(count("shipments where ended_at is null"), 0);
  daemon->housekeeping.round();
  clock().run_for(1s);
  EXPECT_EQ(lane().size(), 0u);
}

/// All that OCA wants to know.
const std::string payload = R"({
  "sender": {"name": "Tienda Demo", "email": "tienda@example.com",
             "address": {"street": "Av. Demo", "number": "1", "postcode": "1001", "district": "CABA", "province": "CABA"}},
  "recipient": {"first_name": "Ana", "last_name": "Prueba",
                "address": {"street": "Calle Falsa", "number": "123", "postcode": "1001", "district": "Lince",
                            "province": "Lima"}},
  "parcels": [{"weight_kg": 1, "length_cm": 10, "width_cm": 10, "height_cm": 10}]})";

TEST_F(UnheardCommit, AShipmentThatWasGrantedIsFollowed) {
  carriers.set_latency(10s);
  ask_remito("oca", "1001", payload);
  daemon->intake.wake();
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1min));
  clock().run_for(1s);
  database.commits().deny(1);  // of the settlement
  clock().run_for(1min);
  ASSERT_EQ(database.commits().denied(), 1);
  EXPECT_EQ(database.text("select state from remito_requests"), "granted");
  EXPECT_EQ(lane().size(), 1u);
  EXPECT_EQ(count("transitions where to_status = 'ready_to_ship' and seq is not null"), 1);
}

TEST_F(UnheardCommit, AClaimThatNobodyKnowsOfIsGivenUpWhenItsLeaseEnds) {
  ask_remito("oca", "1001", payload);
  database.commits().deny(2);  // the intake's has nothing to write; accepted and claimed in one
  daemon->intake.wake();
  clock().run_for(5s);
  ASSERT_GE(database.commits().denied(), 1);
  ASSERT_EQ(database.text("select state from remito_requests"), "sending");
  database.commits().deny(0);
  clock().run_for(5min);
  EXPECT_EQ(database.text("select state from remito_requests"), "needs_operator");
  EXPECT_THAT(carriers.creates(), IsEmpty());
}

TEST_F(UnheardCommit, ACallThatWaitsForItsSettlementIsNotGivenUp) {
  carriers.set_latency(5s);
  ask_remito("oca", "1001", payload);
  daemon->intake.wake();
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1min));
  // Works fail for longer than the lease; the sweeps among them are those that would give it up.
  daemon->executor.fail_always(db::DbError::Kind::connection);
  clock().run_for(10min);
  daemon->executor.stop_failing();
  clock().run_for(1min);
  EXPECT_EQ(database.text("select state from remito_requests"), "granted");
  EXPECT_EQ(lane().size(), 1u);
}

}  // namespace
}  // namespace remitod::test
