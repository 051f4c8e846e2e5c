// Whom the poller asks and when: over days, over a stop and a restart, and when somebody asks by hand.
#include <gmock/gmock.h>

#include <map>

#include "tests/daemon/poller_fixture.h"

namespace remitod::test {
namespace {

using scheduler::Lane;
using testing::Ge;
using testing::IsEmpty;
using testing::SizeIs;

// ------------------------------------------------------------------ stopping and starting

TEST_F(PollerTest, StopFinishesWhatIsUnderWay) {
  carriers.set_latency(10s);
  follow_chazki(100);
  show_all_chazki(100, {picked_up});
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 2; }, monday + 2h));
  const std::size_t sent = carriers.sent().size();
  const std::int64_t committed = count("tracking_events");
  EXPECT_TRUE(daemon->stop());
  EXPECT_THAT(carriers.sent(), SizeIs(sent)) << "nothing new goes out";
  EXPECT_EQ(count("tracking_events"), committed + 2) << "what was under way is committed";
}

TEST_F(PollerTest, ARestartWithCheckpointsNeitherBurstsNorForgets) {
  constexpr int shipments = 600;
  follow_chazki(shipments);
  clock().run_for(3h + 7min);
  const std::string checkpoint = lane().checkpoint();
  const Instant saved_at = clock().now();
  const auto before = carriers.sent();
  clock().run_for(10s);
  restart();
  daemon->add_carrier("chazki");
  std::map<std::int64_t, Instant> last_asked;
  const auto restored = Lane::restore(checkpoint);
  ASSERT_TRUE(restored);
  for (const Lane::Asked& asked : *restored) last_asked[asked.shipment_id] = asked.last_asked;
  ASSERT_THAT(last_asked, SizeIs(shipments));
  const Instant started_at = clock().now();
  daemon->start(last_asked);
  clock().run_for(1h);

  std::size_t in_first_hour = 0;
  std::map<std::int64_t, int> in_minute;
  for (const SentRequest& sent : carriers.sent())
    if (sent.at >= started_at) {
      ++in_first_hour;
      ++in_minute[(sent.at - started_at) / 1min];
    }
  EXPECT_NEAR(static_cast<double>(in_first_hour), shipments, 5) << "an hour's polls in an hour";
  for (const auto& [minute, polls] : in_minute) EXPECT_LT(polls, 30) << "10 are due in a minute on average";
  for (int i = 1; i <= shipments; ++i) {
    const auto asked = carriers.asked_at("chazki", "C" + std::to_string(i));
    // Who was asked after the checkpoint is taken for one who was missed.
    for (std::size_t k = 1; k < asked.size(); ++k)
      EXPECT_TRUE(asked[k] - asked[k - 1] >= 57min || asked[k - 1] >= saved_at) << "C" << i;
  }
}

// ------------------------------------------------------------------ the schedule

TEST_F(PollerTest, OverADayEveryShipmentIsAskedOnceAnHour) {
  constexpr int shipments = 300;
  follow_chazki(shipments);
  clock().run_for(24h);
  for (int i = 1; i <= shipments; ++i) {
    const auto asked = carriers.asked_at("chazki", "C" + std::to_string(i));
    EXPECT_NEAR(static_cast<double>(asked.size()), 24, 1) << "C" << i;
    for (std::size_t k = 1; k < asked.size(); ++k) EXPECT_GE(asked[k] - asked[k - 1], 57min) << "C" << i;
  }
  expect_rate(carriers.sent(), 2);
}

TEST_F(PollerTest, OverADayEveryShipmentOfABatchCarrierIsAskedOnceAnHour) {
  constexpr int shipments = 300;
  daemon->add_carrier("correios");
  for (int i = 1; i <= shipments; ++i) follow("correios", "QB" + std::to_string(i));
  daemon->start();
  clock().run_for(24h);
  for (int i = 1; i <= shipments; ++i) {
    const auto asked = carriers.asked_at("correios", "QB" + std::to_string(i));
    EXPECT_NEAR(static_cast<double>(asked.size()), 24, 1) << "QB" << i;
    for (std::size_t k = 1; k < asked.size(); ++k) EXPECT_GT(asked[k] - asked[k - 1], 3min) << "QB" << i;
  }
  EXPECT_LE(carriers.sent().size(), 24u * 25) << "requests are shared";
}

TEST_F(PollerTest, MoreThanTheRateAllowsIsAskedInTurnAndNeverFaster) {
  constexpr int shipments = 700;
  follow_chazki(shipments, [](scheduler::LaneConfig& config) { config.requests_per_second = 0.1; });
  clock().run_for(8h);
  expect_rate(carriers.sent(), 0.1);
  EXPECT_NEAR(static_cast<double>(carriers.sent().size()), 8 * 360, 5) << "the rate is used to the full";
  for (int i = 1; i <= shipments; ++i)
    EXPECT_THAT(carriers.asked_at("chazki", "C" + std::to_string(i)), SizeIs(Ge(3u))) << "C" << i;
}

TEST_F(PollerTest, AResyncPassesOverFingerprintsButNotOverLimits) {
  constexpr int shipments = 60;
  show_all_chazki(shipments, {picked_up});
  follow_chazki(shipments);
  clock().run_for(1h);
  stop_sweeping();
  carriers.forget_sent();
  const std::uint64_t maps = counters().mapped;
  const std::size_t works = daemon->executor.works();
  std::vector<db::ResyncScope> scope;
  for (std::int64_t id = 1; id <= shipments; ++id) scope.push_back({id, "chazki"});
  EXPECT_EQ(daemon->poller.mark_resync(scope), shipments);
  clock().run_for(29s);
  EXPECT_LT(carriers.sent().size(), 61u);
  clock().run_for(6s);
  EXPECT_THAT(carriers.sent(), SizeIs(Ge(shipments)));
  expect_rate(carriers.sent(), 2);
  EXPECT_GE(counters().mapped, maps + shipments) << "equal bytes are read all the same";
  EXPECT_GT(daemon->executor.works(), works) << "and compared with the database";
  for (int i = 1; i <= shipments; ++i) EXPECT_EQ(told("C" + std::to_string(i)), "registered>picked_up");
  EXPECT_EQ(lane().status(clock().now()).resync_left, 0u);
}

TEST_F(PollerTest, NobodySleepsForAClockThatWasSetBack) {
  follow_chazki(1);
  stop_sweeping();
  const auto asked = [&] { return carriers.asked_at("chazki", "C1"); };
  ASSERT_TRUE(clock().run_until_true([&] { return asked().size() == 1; }, monday + 2h));
  clock().run_for(1min);
  clock().set_clock_error(-50min);
  clock().run_for(1h);
  EXPECT_THAT(asked(), SizeIs(2));
}

TEST_F(PollerTest, AShipmentThatWasRemovedWhileItIsAskedIsForgotten) {
  carriers.set_latency(10s);
  show_all_chazki(1, {picked_up});
  follow_chazki(1);
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1h));
  daemon->poller.remove("chazki", std::vector<std::int64_t>{1});
  clock().run_for(3h);
  EXPECT_THAT(carriers.sent(), SizeIs(1));
  EXPECT_EQ(lane().size(), 0u);
  EXPECT_TRUE(daemon->poller.idle());
}

TEST_F(PollerTest, AShipmentPastItsTailLeaves) {
  show_all_chazki(1, {picked_up, delivered});
  follow_chazki(1);
  clock().run_for(47h);
  EXPECT_EQ(lane().size(), 1u);
  clock().run_for(4h);
  const auto rules = daemon->poller.carriers().front().rules;
  daemon->executor.run<std::vector<std::int64_t>>(
      [rules, now = clock().now()](db::Session& session) {
        return db::end_finished_shipments(session, rules, now, 100);
      },
      [this](db::DbResult<std::vector<std::int64_t>> ended) { daemon->poller.remove("chazki", ended.value()); });
  clock().run_queued();
  EXPECT_EQ(lane().size(), 0u);
  const std::size_t sent = carriers.sent().size();
  clock().run_for(5h);
  EXPECT_THAT(carriers.sent(), SizeIs(sent));
}

TEST_F(PollerTest, ShipmentsOfACarrierThatIsNotConfiguredAreCountedAndLeftAlone) {
  daemon->add_carrier("chazki");
  follow("nobody", "X1");
  daemon->start();
  clock().run_for(3h);
  EXPECT_EQ(daemon->poller.orphans(), 1u);
  EXPECT_THAT(carriers.sent(), IsEmpty());
  const std::int64_t shipment_id = database.number("select id from shipments");
  daemon->poller.remove("nobody", std::vector{shipment_id});
  EXPECT_EQ(daemon->poller.orphans(), 0u) << "when it is forgotten";
}

TEST_F(PollerTest, ACarrierOfWhichNobodyIsLeftIsNotSaidToFail) {
  carriers.always("chazki", http_answer(503, "", "text/plain"));
  follow_chazki(1);
  ASSERT_TRUE(clock().run_until_true([&] { return lane().status(clock().now()).is_failing(); }, monday + 12h));
  daemon->poller.remove("chazki", std::vector<std::int64_t>{1});
  clock().run_for(3h);
  EXPECT_FALSE(lane().status(clock().now()).is_failing());
}

}  // namespace
}  // namespace remitod::test
