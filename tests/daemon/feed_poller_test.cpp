// Carriers that list what changed, asked by the whole daemon on a virtual clock: whatever happens between them, nothing
// is told twice and nothing is missed.
#include "daemon/feed_poller.h"

#include <gmock/gmock.h>

#include "scheduler/limits_hours.h"
#include "tests/daemon/feed_poller_fixture.h"

namespace remitod::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// ------------------------------------------------------------------ windows

TEST_F(FeedPollerTest, WhatWindowsThatOverlapTellIsToldOnce) {
  follow("test", "T1");
  carrier.publish(monday + 5min, "T1", "picked");
  begin();
  clock().run_for(3h);
  EXPECT_EQ(told("T1"), "registered>picked_up");
  EXPECT_EQ(count("tracking_events"), 1);
  EXPECT_EQ(count("transitions where seq is null"), 0) << "the outbox was told";
  EXPECT_GT(counters().reports, 1u);
  ASSERT_THAT(carrier.windows, SizeIs(18));
  EXPECT_EQ(carrier.windows[0].since, monday - 24h);
  EXPECT_EQ(carrier.windows[0].until, monday);
  EXPECT_EQ(carrier.windows[1].since, monday - 1h);
  EXPECT_EQ(carrier.windows[1].until, monday + 10min);
}

TEST_F(FeedPollerTest, WhatIsPublishedLateIsInTheOverlap) {
  follow("test", "T1");
  begin();
  clock().run_for(1h);
  carrier.publish(monday + 5min, "T1", "picked");
  clock().run_for(10min);
  EXPECT_EQ(told("T1"), "registered>picked_up");
}

TEST_F(FeedPollerTest, IntervalAndOverlapAreThoseOfTheProfile) {
  begin(replaced(beginning + feed, "[feed]\n",
                 "[feed]\ninterval = \"1 h\"\noverlap = \"30 min\"\nwindow_max = \"2 h\"\n"));
  clock().run_for(2h - 1min);
  ASSERT_THAT(carrier.windows, SizeIs(2));
  EXPECT_EQ(carrier.windows[0].since, monday - 2h);
  EXPECT_EQ(carrier.windows[1].since, monday - 30min);
}

TEST_F(FeedPollerTest, AfterARestartItGoesOnFromItsPosition) {
  follow("test", "T1");
  begin();
  clock().run_for(1h);
  const Instant asked_until = position();
  EXPECT_GE(asked_until, monday + 50min);
  begin_again();
  clock().run_for(1s);
  ASSERT_THAT(carrier.windows, SizeIs(1));
  EXPECT_EQ(carrier.windows[0].since, std::chrono::floor<std::chrono::seconds>(asked_until - 1h));
}

TEST_F(FeedPollerTest, ALongStopIsAskedWindowAfterWindow) {
  follow("test", "T1");
  begin();
  clock().run_for(1min);
  const Instant asked_until = position();
  ASSERT_TRUE(daemon->stop());
  carrier.publish(monday + 5h, "T1", "picked");
  carrier.publish(monday + 30h, "T1", "moving");
  carrier.publish(monday + 60h, "T1", "done");
  clock().run_for(72h);
  begin_again();
  clock().run_for(1min);
  ASSERT_THAT(carrier.windows, SizeIs(4));
  EXPECT_EQ(carrier.windows[0].since, asked_until - 1h);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LE(carrier.windows[i].until - carrier.windows[i].since, 24h);
    if (i != 0) {
      EXPECT_EQ(carrier.windows[i].since, carrier.windows[i - 1].until);
    }
  }
  EXPECT_GE(carrier.windows[3].until, monday + 72h);
  EXPECT_EQ(told("T1"), "registered>picked_up picked_up>in_transit in_transit>delivered");
}

TEST_F(FeedPollerTest, WhatIsOlderThanAnyShipmentThatIsFollowedIsNotAsked) {
  begin();
  clock().run_for(1min);
  ASSERT_TRUE(daemon->stop());
  clock().run_for(400 * 24h);
  begin_again();
  clock().run_for(10min);
  ASSERT_THAT(carrier.windows, SizeIs(60)) << "a day each";
}

TEST_F(FeedPollerTest, APositionThatAWrongClockMadeSaysNothing) {
  follow("test", "T1");
  begin();
  clock().run_for(1h);
  clock().set_clock_error(10 * 24h);
  clock().run_for(15min);
  ASSERT_GT(position(), monday + 9 * 24h);
  carrier.publish(clock().true_now() - 3h, "T1", "picked");
  clock().set_clock_error(0h);
  clock().run_for(15min);
  EXPECT_EQ(told("T1"), "registered>picked_up");
  EXPECT_LE(position(), clock().now());
}

TEST_F(FeedPollerTest, AFirstWindowThatFailsForLongLosesNothing) {
  follow("test", "T1");
  carrier.publish(monday - 20h, "T1", "picked");
  carrier.trouble = fetch_error(carriers::FetchError::Kind::connect);
  begin();
  clock().run_for(48h);
  carrier.trouble.reset();
  clock().run_for(15min);
  EXPECT_EQ(told("T1"), "registered>picked_up");
}

// ------------------------------------------------------------------ pages

TEST_F(FeedPollerTest, PagesAreReadAsOne) {
  follow("test", "T1");
  carrier.page_size = 1;
  carrier.publish(monday - 3h, "T1", "done");
  carrier.publish(monday - 2h, "T1", "moving");
  carrier.publish_at(monday - 1h, "T1", "picked", to_iso8601(monday - 20h));
  begin();
  clock().run_for(1min);
  EXPECT_THAT(carriers.sent(), SizeIs(3));
  EXPECT_EQ(count("tracking_events"), 3);
  EXPECT_EQ(counters().windows, 1u);
}

TEST_F(FeedPollerTest, OfAWindowOfWhichAPageFailsNothingIsBelievedAndItIsAskedAgain) {
  follow("test", "T1");
  carrier.page_size = 1;
  carrier.publish(monday - 3h, "T1", "picked");
  carrier.publish(monday - 2h, "T1", "moving");
  carrier.trouble = http_answer(503, "busy", "text/plain");
  carrier.trouble_from_page = 2;
  begin();
  clock().run_for(59s);
  EXPECT_EQ(told("T1"), "");
  EXPECT_EQ(count("feed_positions"), 0);
  EXPECT_THAT(counters().last_error, HasSubstr("http_status: HTTP 503"));
  EXPECT_EQ(raw_answers("test").front().operation, "feed");
  carrier.trouble.reset();
  clock().run_for(1min);
  EXPECT_EQ(told("T1"), "registered>picked_up picked_up>in_transit");
  EXPECT_EQ(count("feed_positions"), 1);
}

TEST_F(FeedPollerTest, AWindowThatIsTooMuchForOneAnswerIsAskedInParts) {
  carrier.page_size = 1;
  for (int i = 1; i <= 20; ++i) {
    follow("test", "T" + std::to_string(i), std::to_string(i));
    carrier.publish(monday - 23h + i * 1h, "T" + std::to_string(i), "picked");
  }
  begin();
  clock().run_for(1h);
  EXPECT_EQ(count("shipments where status = 'picked_up'"), 20);
  EXPECT_THAT(daemon->feeds.trouble(), IsEmpty());
}

TEST_F(FeedPollerTest, AnOutageIsNoReasonToAskForEachMinuteOfItAfterwards) {
  carrier.trouble = http_answer(503, "busy", "text/plain");
  begin();
  clock().run_for(60h);
  carrier.trouble.reset();
  carrier.windows.clear();
  clock().run_for(1h);
  EXPECT_LE(carrier.windows.size(), 300u);
  EXPECT_GE(carrier.windows.back().until, monday + 60h);
}

// ------------------------------------------------------------------ beside the polls

TEST_F(FeedPollerTest, ItsRequestsKeepTheCarriersRate) {
  carrier.page_size = 1;
  follow("test", "T1");
  for (int i = 0; i < 5; ++i) carrier.publish(monday - 5h + i * 1h, "T1", "picked");
  begin(replaced(beginning + feed, "requests_per_second = 10.0", "requests_per_second = 0.1"));
  clock().run_for(2h);
  EXPECT_GT(carriers.sent().size(), 12u);
  expect_rate(carriers.sent(), 0.1);
}

TEST_F(FeedPollerTest, PollsThatAreLateLeaveItItsRequests) {
  for (int i = 1; i <= 1000; ++i) follow("test", "T" + std::to_string(i), std::to_string(i));
  begin(replaced(beginning + feed + track, "requests_per_second = 10.0", "requests_per_second = 0.1"));
  clock().run_for(3h);
  EXPECT_GE(carrier.windows.size(), 17u);
  EXPECT_GE(asked_of("/track/"), 950u) << "and they go on";
  expect_rate(carriers.sent(), 0.1);
}

TEST_F(FeedPollerTest, ItTellsSoonerThanThePollsWhichGoOn) {
  follow("test", "T1");
  begin(beginning + feed + track);
  clock().run_for(61min);
  ASSERT_EQ(asked_of("/track/"), 1u);
  carrier.publish(clock().now(), "T1", "picked");
  clock().run_for(11min);
  EXPECT_EQ(told("T1"), "registered>picked_up");
  clock().run_for(3h);
  EXPECT_GE(asked_of("/track/"), 4u);
  EXPECT_EQ(count("transitions"), 1);
}

TEST_F(FeedPollerTest, OutsideOfItsHoursTheCarrierIsLeftAlone) {
  using scheduler::Calendar, scheduler::HoursRule, scheduler::OpenHours;
  begin(beginning + feed, false, [](scheduler::LaneConfig& config) {
    config.hours =
        std::make_shared<OpenHours>(Calendar::make("America/Lima", {}).value(),
                                    std::vector{HoursRule::parse("08:00-18:00").value()}, std::vector<HoursRule>{});
  });
  clock().run_for(47h);
  ASSERT_FALSE(carriers.sent().empty());
  EXPECT_LE(carriers.sent().front().at, monday + 13h + 1s) << "at eight in Lima";
  for (const SentRequest& sent : carriers.sent()) {
    const auto of_day = (sent.at - monday) % 24h;
    EXPECT_TRUE(of_day >= 13h && of_day < 23h) << to_iso8601(sent.at);
  }
  EXPECT_THAT(carrier.windows.size(), testing::AllOf(testing::Ge(115u), testing::Le(125u)));
}

TEST_F(FeedPollerTest, AQuotaThatIsSpentHoldsItBack) {
  begin(beginning + feed, false, [](scheduler::LaneConfig& config) { config.requests_per_day = 20; });
  clock().run_for(20h);
  EXPECT_LE(carriers.sent().size(), 20u);
  EXPECT_GE(carriers.sent().size(), 10u);
}

TEST_F(FeedPollerTest, RetryAfterIsHonoured) {
  carrier.trouble = http_answer(429, "{}", "application/json");
  (*carrier.trouble)->retry_after = 2h;
  begin();
  clock().run_for(2h - 1s);
  EXPECT_THAT(carriers.sent(), SizeIs(1));
  carrier.trouble.reset();
  clock().run_for(2s);
  EXPECT_THAT(carriers.sent(), SizeIs(3)) << "a day, and what came since";
  EXPECT_EQ(counters().windows, 2u);
}

TEST_F(FeedPollerTest, ACarrierThatFailsIsAskedLessOftenAndIsTroubleUntilItAnswers) {
  carrier.trouble = fetch_error(carriers::FetchError::Kind::connect);
  begin();
  EXPECT_THAT(daemon->feeds.trouble(), IsEmpty());
  clock().run_for(46min);
  std::vector<std::chrono::minutes> asked;
  for (const SentRequest& sent : carriers.sent())
    asked.push_back(std::chrono::floor<std::chrono::minutes>(sent.at - monday));
  EXPECT_THAT(asked, ElementsAre(0min, 1min, 3min, 7min, 15min, 25min, 35min, 45min));
  const auto trouble = daemon->feeds.trouble();
  ASSERT_THAT(trouble, SizeIs(1));
  EXPECT_EQ(trouble[0].kind, "carrier");
  EXPECT_EQ(trouble[0].subject, "test");
  EXPECT_THAT(trouble[0].text, HasSubstr("carrier test fails: feed: connect"));
  carrier.trouble.reset();
  clock().run_for(11min);
  EXPECT_THAT(daemon->feeds.trouble(), IsEmpty());
}

// ------------------------------------------------------------------ a session

TEST_F(FeedPollerTest, ASessionThatIsRefusedIsRenewedOnce) {
  follow("test", "T1");
  carrier.wants_token = true;
  begin(beginning + login + feed);
  clock().run_for(5min);
  ASSERT_EQ(carrier.logins, 1);
  ASSERT_EQ(counters().windows, 1u);
  ++carrier.logins;  // it knows another token now
  carrier.publish(clock().now(), "T1", "picked");
  clock().run_for(6min);
  EXPECT_EQ(carrier.logins, 3);
  EXPECT_EQ(counters().failures, 0u);
  EXPECT_EQ(told("T1"), "registered>picked_up");
}

TEST_F(FeedPollerTest, ACarrierThatTakesNoSessionIsNotAskedForNewOnesAllTheTime) {
  carrier.trouble = http_answer(401, "{}", "application/json");
  begin(beginning + login + feed);
  clock().run_for(10h);
  EXPECT_GE(counters().failures, 50u);
  EXPECT_LE(asked_of("/changes"), 2 * counters().failures + 2);
  EXPECT_LE(asked_of("/login"), counters().failures + 1);
}

// ------------------------------------------------------------------ the database

TEST_F(FeedPollerTest, ReportsOfOthersAreCountedAndOtherwiseIgnored) {
  follow("test", "T1");
  carrier.publish(monday - 2h, "T1", "picked");
  carrier.publish(monday - 2h, "T2", "picked");
  carrier.publish(monday - 2h, "T3", "picked");
  begin();
  clock().run_for(1min);
  EXPECT_EQ(counters().reports, 1u);
  EXPECT_EQ(counters().extra, 2u);
  EXPECT_EQ(count("tracking_events"), 1);
}

TEST_F(FeedPollerTest, ManyReportsGoInByPartsAndTheLastOneRemembersTheWindow) {
  carrier.page_size = 2000;
  for (int i = 0; i < 1200; ++i) {
    follow("test", "R" + std::to_string(i), std::to_string(i));
    carrier.publish(monday - 2h, "R" + std::to_string(i), "picked");
  }
  begin();
  ASSERT_TRUE(clock().run_until_true([&] { return count("tracking_events") != 0; }, monday + 1h));
  EXPECT_EQ(count("tracking_events"), 500);
  EXPECT_EQ(count("feed_positions"), 0);
  begin_again();
  clock().run_for(1min);
  EXPECT_EQ(count("tracking_events"), 1200);
  EXPECT_EQ(count("transitions"), 1200) << "told once";
  EXPECT_EQ(count("feed_positions"), 1);
}

TEST_F(FeedPollerTest, DatabaseThatIsAwayDelaysAndLosesNothing) {
  follow("test", "T1");
  begin();
  clock().run_for(5min);
  carrier.publish(clock().now(), "T1", "picked");
  daemon->executor.fail_always(db::DbError::Kind::connection);
  clock().run_for(30min);
  EXPECT_THAT(carrier.windows, SizeIs(2)) << "nothing more is asked meanwhile";
  daemon->executor.stop_failing();
  clock().run_for(1min);
  EXPECT_EQ(told("T1"), "registered>picked_up");
}

TEST_F(FeedPollerTest, WhatWasCommittedUnheardIsToldAllTheSame) {
  follow("test", "T1");
  begin();
  clock().run_for(5min);
  carrier.publish(clock().now(), "T1", "picked");
  database.commits().deny(1);
  clock().run_for(10min);
  ASSERT_EQ(database.commits().denied(), 1);
  EXPECT_EQ(told("T1"), "registered>picked_up");
  EXPECT_EQ(count("transitions where seq is null"), 0);
}

TEST_F(FeedPollerTest, AReportThatTheDatabaseRefusesIsLeftOutAloneAndKept) {
  follow("test", "T1");
  follow("test", "T2");
  database.sql(
      "create trigger refuse before insert on tracking_events when new.code = 'moving' begin select raise(abort, "
      "'no'); "
      "end");
  carrier.publish(monday - 2h, "T1", "moving");
  carrier.publish(monday - 2h, "T2", "picked");
  begin();
  clock().run_for(1min);
  EXPECT_EQ(told("T2"), "registered>picked_up");
  EXPECT_EQ(count("feed_positions"), 1);
  ASSERT_THAT(raw_answers("test"), SizeIs(1));
  EXPECT_THAT(raw_answers("test").front().why, HasSubstr("refused the report of T1"));
}

TEST_F(FeedPollerTest, AWrongRowIsLeftOutToldAndKept) {
  follow("test", "T1");
  follow("test", "T2");
  carrier.publish_at(monday - 2h, "T1", "picked", "2026-99-99");
  carrier.publish(monday - 2h, "T2", "picked");
  begin();
  clock().run_for(1min);
  EXPECT_EQ(told("T1"), "");
  EXPECT_EQ(told("T2"), "registered>picked_up");
  EXPECT_EQ(counters().wrong_rows, 1u);
  ASSERT_THAT(raw_answers("test"), SizeIs(1));
  EXPECT_EQ(raw_answers("test").front().remito, "T1");
}

TEST_F(FeedPollerTest, ACodeThatNobodyKnowsIsKeptAndReadAgainWithABetterProfile) {
  follow("test", "T1");
  carrier.page_size = 1;
  carrier.publish(monday - 3h, "T1", "moving");
  carrier.publish(monday - 2h, "T1", "07");
  begin();
  clock().run_for(1min);
  EXPECT_EQ(counters().unmapped, 1u);
  EXPECT_EQ(count("unmapped_codes"), 1);
  ASSERT_THAT(raw_answers("test"), SizeIs(1));
  EXPECT_EQ(raw_answers("test").front().why, "a code that the profile does not know");
  carrier.trouble = http_answer(503, "busy", "text/plain");
  begin_again(beginning + feed + "[[feed.status]]\ncode = \"07\"\nstatus = \"delivered\"\n");
  daemon->reread.begin("test", std::nullopt, false, [](const auto&) {});
  clock().run_for(1min);
  EXPECT_EQ(told("T1"), "registered>in_transit in_transit>delivered");
}

TEST_F(FeedPollerTest, InShadowItIsRecordedAndToldToNobodyThenOrLater) {
  follow("test", "T1");
  carrier.publish(monday - 2h, "T1", "picked");
  begin(beginning + feed, true);
  clock().run_for(30min);
  EXPECT_EQ(count("transitions where shadow and seq is null"), 1);
  EXPECT_GE(position(), monday + 20min);
  begin_again();
  clock().run_for(30min);
  ASSERT_FALSE(carrier.windows.empty());
  EXPECT_GE(carrier.windows[0].since, monday - 40min);
  EXPECT_EQ(count("transitions where seq is not null"), 0);
}

// ------------------------------------------------------------------ the end

TEST_F(FeedPollerTest, AStopReadsWhatWasAskedAndAsksNothingMore) {
  follow("test", "T1");
  carrier.publish(monday - 2h, "T1", "picked");
  carriers.set_latency(10s);
  begin();
  ASSERT_TRUE(clock().run_until_true([&] { return carriers.sent().size() == 1; }, monday + 1h));
  EXPECT_TRUE(daemon->stop());
  EXPECT_EQ(told("T1"), "registered>picked_up");
  clock().run_for(1h);
  EXPECT_THAT(carriers.sent(), SizeIs(1));
}

TEST_F(FeedPollerTest, AStopWaitsNeitherForRoomNorForADatabaseThatIsAway) {
  carrier.page_size = 1;
  follow("test", "T1");
  for (int i = 0; i < 3; ++i) carrier.publish(monday - 5h + i * 1h, "T1", "picked");
  begin(replaced(beginning + feed, "requests_per_second = 10.0", "requests_per_second = 0.001"));
  ASSERT_TRUE(clock().run_until_true([&] { return carriers.sent().size() == 1; }, monday + 2h));
  clock().run_for(1s);
  daemon->feeds.stop();
  EXPECT_TRUE(daemon->feeds.idle());
  EXPECT_EQ(count("feed_positions"), 0);

  begin_again();
  daemon->executor.fail_always(db::DbError::Kind::connection);
  clock().run_for(1min);
  EXPECT_FALSE(daemon->feeds.idle());
  daemon->feeds.stop();
  EXPECT_TRUE(daemon->feeds.idle());
}

}  // namespace
}  // namespace remitod::test
