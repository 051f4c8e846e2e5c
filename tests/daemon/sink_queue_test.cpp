#include "daemon/sink_queue.h"

#include <gmock/gmock.h>

#include <set>

namespace remitod::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Failure = SinkQueue::Failure;

constexpr Instant noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + 12h;

class SinkQueueTest : public testing::Test {
 protected:
  /// A new transition of this order.
  void tell(std::int64_t seq, const std::string& key, Instant now = noon) { queue.add({seq, key, 0, {}}, now); }
  Failure fail(std::int64_t seq, Instant now = noon, std::optional<std::chrono::seconds> retry_after = {}) {
    return queue.failed(seq, "answered 500", retry_after, now);
  }
  /// Fails, and again each time that it is due, until it is dead. Returns when that was.
  Instant fail_to_death(std::int64_t seq, Instant now = noon) {
    while (fail(seq, now) == Failure::again) {
      now = queue.next_start().value();
      EXPECT_THAT(queue.start(now), ElementsAre(seq));
    }
    return now;
  }
  std::string rows(const db::SinkChanges& changes) {
    std::string text;
    for (const auto& row : changes.failed)
      text += (text.empty() ? "" : " ") + std::to_string(row.seq) + (row.dead ? "dead" : "") + "#" +
              std::to_string(row.attempts);
    return text;
  }

  SinkQueue queue{{3, standard_retries()}, 0, 7};
};

// ------------------------------------------------------------------ order

TEST_F(SinkQueueTest, LettersOfOneKeyGoOneAfterTheOther) {
  tell(1, "a");
  tell(2, "a");
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
  EXPECT_THAT(queue.start(noon), IsEmpty());
  queue.delivered(1, noon);
  EXPECT_THAT(queue.start(noon), ElementsAre(2));
}

TEST_F(SinkQueueTest, LettersOfDifferentKeysGoSideBySideUpToTheConcurrency) {
  for (int i = 1; i <= 4; ++i) tell(i, std::to_string(i));
  EXPECT_THAT(queue.start(noon), ElementsAre(1, 2, 3));
  EXPECT_EQ(queue.in_flight(), 3u);
  queue.delivered(2, noon);
  EXPECT_THAT(queue.start(noon), ElementsAre(4));
}

TEST_F(SinkQueueTest, FailedLetterHoldsUpItsOwnKeyAlone) {
  tell(1, "a");
  tell(2, "a");
  tell(3, "b");
  EXPECT_THAT(queue.start(noon), ElementsAre(1, 3));
  fail(1);
  queue.delivered(3, noon);
  EXPECT_THAT(queue.start(noon), IsEmpty());
  EXPECT_THAT(queue.start(noon + 5s), ElementsAre(1));
  queue.delivered(1, noon + 5s);
  EXPECT_THAT(queue.start(noon + 5s), ElementsAre(2));
}

TEST_F(SinkQueueTest, LetterThatComesBackGoesBeforeWhatWaitsBehindIt) {
  tell(5, "a");
  fail((queue.start(noon), 5));
  queue.add({2, "a", 0, noon}, noon);
  EXPECT_THAT(queue.start(noon + 5s), ElementsAre(2));
  queue.delivered(2, noon + 5s);
  EXPECT_THAT(queue.start(noon + 5s), ElementsAre(5));
}

TEST_F(SinkQueueTest, LetterThatComesBackWaitsForTheOneOfItsKeyThatIsInFlight) {
  tell(5, "a");
  EXPECT_THAT(queue.start(noon), ElementsAre(5));
  queue.add({2, "a", 0, noon}, noon);
  EXPECT_THAT(queue.start(noon), IsEmpty());
  queue.delivered(5, noon);
  EXPECT_THAT(queue.start(noon), ElementsAre(2));
}

// ------------------------------------------------------------------ failures

TEST_F(SinkQueueTest, RetriesFollowTheScheduleOfStandardWebhooks) {
  tell(1, "a");
  Instant now = noon;
  const auto retries = standard_retries();
  std::chrono::milliseconds least{0};
  for (const auto most : retries) {
    ASSERT_THAT(queue.start(now), ElementsAre(1));
    ASSERT_EQ(fail(1, now), Failure::again);
    const Instant next = queue.take_changes().failed.at(0).next_try_at;
    EXPECT_GE(next - now, least);
    EXPECT_LE(next - now, most);
    least = most;
    now = next;
  }
  EXPECT_GT(now, noon + std::chrono::days{2});
  ASSERT_THAT(queue.start(now), ElementsAre(1));
  EXPECT_EQ(fail(1, now), Failure::dead);
}

TEST(RetryPause, OfLettersThatFailTogetherLiesAllOverItsStep) {
  const auto retries = standard_retries();
  scheduler::Jitter jitter(1);
  int in_first_half = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto pause = retry_pause(retries, 2, jitter).value();
    ASSERT_GE(pause, 5s);
    ASSERT_LE(pause, 5min);
    in_first_half += pause < 150s ? 1 : 0;
  }
  EXPECT_GT(in_first_half, 400);
  EXPECT_LT(in_first_half, 600);
}

TEST(RetryPause, OfStepsThatGrowShorterIsTheStep) {
  scheduler::Jitter jitter(1);
  const std::vector<std::chrono::milliseconds> retries{10s, 1s};
  EXPECT_EQ(retry_pause(retries, 2, jitter), 1s);
  EXPECT_EQ(retry_pause(retries, 3, jitter), std::nullopt);
}

TEST_F(SinkQueueTest, AfterADeadLetterItsKeyGoesOn) {
  tell(1, "a");
  tell(2, "a");
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
  const Instant death = fail_to_death(1);
  EXPECT_THAT(queue.start(death), ElementsAre(2));
  EXPECT_EQ(rows(queue.take_changes()), "1dead#10");
}

TEST_F(SinkQueueTest, RetryAfterLetsTheWholeSinkRest) {
  tell(1, "a");
  tell(2, "b");
  EXPECT_THAT(queue.start(noon), ElementsAre(1, 2));
  fail(1, noon, 90s);
  tell(3, "c");
  EXPECT_THAT(queue.start(noon + 89s), IsEmpty());
  EXPECT_EQ(queue.next_start(), noon + 90s);
  EXPECT_THAT(queue.start(noon + 90s), ElementsAre(3, 1));
}

TEST_F(SinkQueueTest, RetryAfterOfYearsIsCut) {
  tell(1, "a");
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
  fail(1, noon, std::chrono::years{2});
  EXPECT_EQ(queue.next_start(), noon + SinkQueue::retry_after_max);
}

TEST_F(SinkQueueTest, LetterThatIsPutBackHasLostNoAttempt) {
  tell(1, "a");
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
  queue.put_back(1, noon);
  EXPECT_EQ(queue.attempts(1), 0);
  EXPECT_EQ(queue.in_flight(), 0u);
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
}

TEST_F(SinkQueueTest, ClockThatIsSetBackDelaysNothing) {
  for (int i = 1; i <= 5; ++i) tell(i, i <= 2 ? "a" : std::to_string(i));
  EXPECT_THAT(queue.start(noon), ElementsAre(1, 3, 4));
  fail(3);
  const auto pause = std::max(*queue.next_start(), noon) - noon;
  const Instant earlier = noon - 1h;
  queue.delivered(1, earlier);
  queue.delivered(4, earlier);
  EXPECT_THAT(queue.start(earlier), ElementsAre(2, 5));
  queue.delivered(2, earlier);
  queue.delivered(5, earlier);
  EXPECT_LE(*queue.next_start(), earlier + 5s);
  EXPECT_GE(*queue.next_start(), earlier + pause);
}

// ------------------------------------------------------------------ after an outage

TEST_F(SinkQueueTest, DeliveryAfterAnOutageHasAllTriedAtOnce) {
  for (int i = 1; i <= 3; ++i) tell(i, std::to_string(i));
  for (const std::int64_t seq : queue.start(noon)) fail(seq);
  Instant now = noon + 5s;
  for (const std::int64_t seq : queue.start(now)) fail(seq, now);  // now each waits for minutes
  now += 1s;
  tell(4, "d", now);
  EXPECT_THAT(queue.start(now), ElementsAre(4));
  queue.delivered(4, now);
  EXPECT_THAT(queue.start(now), testing::UnorderedElementsAre(1, 2, 3));
}

TEST_F(SinkQueueTest, DeliveryAfterAnOutageThatARestartFellIntoHasAllTriedAtOnce) {
  for (int i = 1; i <= 3; ++i) queue.add({i, std::to_string(i), 4, noon + 5h}, noon);
  tell(4, "d");
  EXPECT_THAT(queue.start(noon), ElementsAre(4));
  queue.delivered(4, noon);
  EXPECT_THAT(queue.start(noon), testing::UnorderedElementsAre(1, 2, 3));
}

TEST_F(SinkQueueTest, AttemptBesidesThatFailsLeavesEverythingAsItWas) {
  for (int i = 1; i <= 3; ++i) tell(i, std::to_string(i));
  for (const std::int64_t seq : queue.start(noon)) fail(seq);
  Instant now = noon + 5s;
  for (const std::int64_t seq : queue.start(now)) fail(seq, now);
  Instant scheduled = Instant::max();
  for (const auto& row : queue.take_changes().failed) scheduled = std::min(scheduled, row.next_try_at);
  tell(4, "d", now);
  EXPECT_THAT(queue.start(now), ElementsAre(4));
  queue.delivered(4, now);
  queue.take_changes();
  for (const std::int64_t seq : queue.start(now)) EXPECT_EQ(fail(seq, now), Failure::again);
  EXPECT_EQ(queue.next_start(), scheduled);
  EXPECT_EQ(queue.attempts(1), 2);
  EXPECT_FALSE(queue.changed());
  tell(5, "e", now);
  EXPECT_THAT(queue.start(now), ElementsAre(5));
  queue.delivered(5, now);
  EXPECT_THAT(queue.start(now), IsEmpty()) << "they do not call each other for ever";
}

TEST_F(SinkQueueTest, OneThatWaitsIsTriedBesidesToSeeWhetherTheReceiverIsBack) {
  for (int i = 1; i <= 3; ++i) queue.add({i, std::to_string(i), 4, noon + 5h}, noon);
  Instant now = noon;
  std::vector<std::chrono::microseconds> pauses;
  for (int tried = 0; tried < 6; ++tried) {
    const Instant next = std::max(queue.next_start().value(), noon);
    pauses.push_back(next - now);
    now = next;
    const auto started = queue.start(now);
    ASSERT_THAT(started, testing::SizeIs(1));
    EXPECT_THAT(queue.start(now), IsEmpty());
    EXPECT_EQ(fail(started.front(), now), Failure::again);
    EXPECT_EQ(queue.attempts(started.front()), 4) << "an attempt besides";
  }
  EXPECT_THAT(pauses, ElementsAre(1min, 2min, 4min, 8min, 15min, 15min));
  now = queue.next_start().value();
  queue.delivered(queue.start(now).at(0), now);
  EXPECT_THAT(queue.start(now), testing::SizeIs(2)) << "it is back";
}

TEST_F(SinkQueueTest, AReceiverThatIsNotAwayIsTriedByTheScheduleAlone) {
  tell(1, "a");
  queue.start(noon);
  fail(1);
  queue.start(noon + 5s);
  fail(1, noon + 5s);
  EXPECT_EQ(queue.next_start(), queue.take_changes().failed.at(0).next_try_at);
}

TEST_F(SinkQueueTest, AReceiverThatAskedToBeLeftAloneIsNotTriedBesides) {
  for (int i = 1; i <= 3; ++i) tell(i, std::to_string(i));
  for (const std::int64_t seq : queue.start(noon)) fail(seq, noon, 1h);
  EXPECT_GE(*queue.next_start(), noon + 1h);
  EXPECT_THAT(queue.start(noon + 59min), IsEmpty());
}

TEST_F(SinkQueueTest, AnotherOneIsTriedBesidesEachTime) {
  for (int i = 1; i <= 3; ++i) queue.add({i, std::to_string(i), 4, noon + 5h}, noon);
  std::set<std::int64_t> tried;
  for (int k = 0; k < 3; ++k) {
    const Instant now = queue.next_start().value();
    const auto started = queue.start(now);
    ASSERT_THAT(started, testing::SizeIs(1));
    tried.insert(started.front());
    fail(started.front(), now);
  }
  EXPECT_THAT(tried, testing::SizeIs(3)) << "one that is never taken hides no return";
}

TEST_F(SinkQueueTest, RowOfAClockThatWasAheadIsNotWaitedFor) {
  queue.add({1, "a", 2, noon + 1000h}, noon);
  EXPECT_LE(*queue.next_start(), noon + 24h);
}

// ------------------------------------------------------------------ what is written

TEST_F(SinkQueueTest, DeliveriesAtOnceMoveTheCursorAndNeedNoRow) {
  for (int i = 1; i <= 3; ++i) tell(i, std::to_string(i));
  EXPECT_THAT(queue.start(noon), ElementsAre(1, 2, 3));
  queue.delivered(1, noon);
  queue.delivered(3, noon);
  EXPECT_EQ(queue.take_changes(), (db::SinkChanges{1, {}, {}, {}}));
  queue.delivered(2, noon);
  EXPECT_EQ(queue.take_changes(), (db::SinkChanges{3, {}, {}, {}}));
  EXPECT_FALSE(queue.changed());
}

TEST_F(SinkQueueTest, FailedOnesAndThoseBehindThemGetRowsAndLetTheCursorPass) {
  tell(1, "a");
  tell(2, "a");
  tell(3, "b");
  EXPECT_THAT(queue.start(noon), ElementsAre(1, 3));
  fail(1);
  queue.delivered(3, noon);
  const db::SinkChanges changes = queue.take_changes();
  EXPECT_EQ(rows(changes), "1#1 2#0");
  EXPECT_EQ(changes.cursor_seq, 3);
  EXPECT_TRUE(changes.delivered.empty());
  EXPECT_EQ(changes.failed.at(0).error, "answered 500");
  EXPECT_EQ(queue.without_row(), 0u);
}

TEST_F(SinkQueueTest, OneThatComesToStandBehindAFailedOneIsWritten) {
  tell(1, "a");
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
  fail(1);
  queue.take_changes();
  tell(2, "a");
  EXPECT_TRUE(queue.changed());
  EXPECT_EQ(rows(queue.take_changes()), "2#0");
}

TEST_F(SinkQueueTest, DeliveryOfALetterWithARowRemovesTheRow) {
  queue.add({7, "a", 2, noon}, noon);
  EXPECT_THAT(queue.start(noon), ElementsAre(7));
  queue.delivered(7, noon);
  EXPECT_THAT(queue.take_changes().delivered, ElementsAre(7));
}

TEST_F(SinkQueueTest, TransitionsThatArePassedOverDoNotHoldTheCursor) {
  tell(1, "a");
  queue.pass_over(2);
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
  queue.delivered(1, noon);
  EXPECT_EQ(queue.take_changes().cursor_seq, 2);
  EXPECT_EQ(queue.last_seq(), 2);
}

TEST_F(SinkQueueTest, RowThatWasChangedByOthersIsTakenOver) {
  tell(1, "a");
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
  fail(1);
  queue.take_changes();
  queue.add({1, "a", 0, noon}, noon);
  EXPECT_EQ(queue.attempts(1), 0);
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
}

TEST_F(SinkQueueTest, RowDoesNotReplaceNewsThatIsNotWrittenYet) {
  tell(1, "a");
  EXPECT_THAT(queue.start(noon), ElementsAre(1));
  fail(1);
  queue.add({1, "a", 0, noon}, noon);
  EXPECT_EQ(queue.attempts(1), 1);
  EXPECT_EQ(rows(queue.take_changes()), "1#1");
}

}  // namespace
}  // namespace remitod::daemon
