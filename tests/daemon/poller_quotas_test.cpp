// Requests of an hour and of a day, reserved in the database before they are sent: over restarts, with a database that
// fails, and shared between polls and creates.
#include <gmock/gmock.h>

#include <algorithm>

#include "scheduler/limits_hours.h"
#include "tests/daemon/poller_fixture.h"

namespace remitod::test {
namespace {

using scheduler::Hold;
using testing::IsEmpty;
using testing::SizeIs;

std::function<void(scheduler::LaneConfig&)> quota_of(int per_hour, int per_day = 1'000'000) {
  return [=](scheduler::LaneConfig& config) {
    config.requests_per_second = 100;
    config.requests_per_hour = per_hour;
    config.requests_per_day = per_day;
    config.leaves_tenth_for_creates = true;
  };
}

std::size_t most_in(const std::vector<SentRequest>& sent, std::chrono::microseconds window) {
  std::size_t most = 0;
  for (std::size_t first = 0, last = 0; last < sent.size(); ++last) {
    while (sent[last].at - sent[first].at >= window) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

TEST_F(PollerTest, AnHourHasNoMoreRequestsThanItsQuotaAndUsesIt) {
  follow_chazki(500, quota_of(100));
  clock().run_for(30min);
  EXPECT_EQ(lane().status(clock().now()).hold.kind, Hold::Kind::quota);
  clock().run_for(24h);
  EXPECT_LE(most_in(carriers.sent(), 1h), 90u) << "a tenth is left to creates";
  EXPECT_GE(carriers.sent().size(), 23u * 85);
}

TEST_F(PollerTest, AQuotaHoldsOverKills) {
  follow_chazki(500, quota_of(100, 1000));
  for (int kill = 0; kill < 40; ++kill) {
    clock().run_for(7min + kill * 13s);
    restart();
    daemon->add_carrier("chazki", quota_of(100, 1000));
    daemon->start();
  }
  clock().run_for(24h);
  EXPECT_LE(most_in(carriers.sent(), 1h), 100u);
  EXPECT_LE(most_in(carriers.sent(), 24h), 1000u);
  EXPECT_GE(carriers.sent().size(), 850u) << "little is lost with a kill";
}

TEST_F(PollerTest, NothingGoesOutThatTheDatabaseHasNotReserved) {
  follow_chazki(500, quota_of(100));
  clock().run_for(30min);
  daemon->executor.fail_always(db::DbError::Kind::connection);
  clock().run_for(3min);
  const std::size_t sent = carriers.sent().size();
  clock().run_for(2h);
  EXPECT_THAT(carriers.sent(), SizeIs(sent)) << "what was reserved is for its slot";
  daemon->executor.stop_failing();
  clock().run_for(2min);
  EXPECT_GT(carriers.sent().size(), sent);
  clock().run_for(12h);
  EXPECT_LE(most_in(carriers.sent(), 1h), 100u);
}

TEST_F(PollerTest, ACreateIsGrantedThoughPollsHaveUsedTheirPartOfTheDay) {
  follow_chazki(500, quota_of(1000, 100));
  clock().run_for(3h);
  ASSERT_THAT(carriers.sent(), SizeIs(90));
  ask_remito("chazki", "2001", R"({"recipient": {}})");
  daemon->intake.wake();
  clock().run_for(5s);
  EXPECT_EQ(count("remito_requests where state in ('sending', 'granted', 'refused')"), 1) << "it did not have to wait";
}

TEST_F(PollerTest, AQuietCarrierWritesNoReservations) {
  follow_chazki(1, quota_of(1000));
  stop_sweeping();
  clock().run_for(2h);
  const std::size_t works = daemon->executor.works();
  clock().run_for(10h);
  EXPECT_LE(daemon->executor.works() - works, 11u) << "one for the one poll of each hour";
}

TEST_F(PollerTest, OutsideOfItsHoursACarrierIsLeftAloneAndAfterwardsAskedInOrder) {
  using scheduler::Calendar, scheduler::HoursRule, scheduler::OpenHours;
  follow_chazki(120, [](scheduler::LaneConfig& config) {
    config.hours =
        std::make_shared<OpenHours>(Calendar::make("America/Lima", {}).value(),
                                    std::vector{HoursRule::parse("08:00-18:00").value()}, std::vector<HoursRule>{});
  });
  clock().run_until(monday + 5h + 8h - 1us);  // eight in Lima
  EXPECT_THAT(carriers.sent(), IsEmpty());
  EXPECT_EQ(lane().status(clock().now()).hold.kind, Hold::Kind::hours);
  clock().run_until(monday + 5h + 20h);
  EXPECT_GE(carriers.sent().size(), 120u * 9);
  for (const SentRequest& sent : carriers.sent()) {
    EXPECT_GE(sent.at, monday + 5h + 8h);
    EXPECT_LT(sent.at, monday + 5h + 18h);
  }
}

}  // namespace
}  // namespace remitod::test
