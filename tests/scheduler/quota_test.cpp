#include <gmock/gmock.h>

#include <map>

#include "scheduler/quota.h"
#include "scheduler/quota_book.h"
#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using namespace std::chrono_literals;
using test::monday;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = QuotaWork::Kind;

/// A book and its database, which keeps what is committed.
struct BookBundle {
  explicit BookBundle(QuotaBook::Stated stated) { book.configure(stated); }

  /// Does the work that there is, at once. How many transactions that were.
  int work() {
    int transactions = 0;
    while (const auto todo = book.work(now)) {
      ++transactions;
      todo->kind == Kind::load ? load() : commit(*todo);
    }
    return transactions;
  }
  void load() {
    std::vector<QuotaRecord> records;
    for (const auto& [period, record] : stored) records.push_back(record);
    book.loaded(records, now);
  }
  void commit(const QuotaWork& work) {
    for (const QuotaRecord& record : work.records) {
      EXPECT_EQ(record.revision, stored[record.period].revision);
      stored[record.period] = record;
      ++stored[record.period].revision;
    }
    book.reserved();
  }
  bool send() {
    book.want(now);
    work();
    if (!book.may_poll(now)) return false;
    book.spend(now);
    return true;
  }
  int send_all() {
    int sent = 0;
    while (send()) ++sent;
    return sent;
  }
  /// The process is gone, and another one finds what was committed.
  void kill(QuotaBook::Stated stated) {
    book = QuotaBook();
    book.configure(stated);
  }

  Instant now = monday;
  QuotaBook book;
  std::map<QuotaPeriod, QuotaRecord> stored;
};

QuotaBook::Stated hourly(std::int64_t requests) {
  return {.per_hour = requests, .per_day = {}, .tenth_for_others = false};
}

// ------------------------------------------------------------------ counting

TEST(Quota, WhatWaitsAfterItWasTakenCountsFromWhenItGoesOut) {
  BookBundle b(hourly(10));
  ASSERT_EQ(b.send_all(), 10);
  for (const auto waited : {0min, 1min, 58min}) b.book.sent_late(monday, monday + waited);
  b.now = monday + 1h + 150s;
  EXPECT_EQ(b.send_all(), 9) << "of the hour that the late one is in";
  b.now = monday + 2h;
  EXPECT_EQ(b.send_all(), 1);
}

TEST(Quota, GivesNothingThatIsNotReserved) {
  Quota quota(QuotaPeriod::hour, 100);
  EXPECT_EQ(quota.left(monday), 100);
  EXPECT_EQ(quota.ready(monday), 0);
  quota.reserved(quota.record_of_next_block(monday), monday);
  EXPECT_EQ(quota.ready(monday), 1);
  quota.spend(monday);
  EXPECT_EQ(quota.ready(monday), 0);
  EXPECT_EQ(quota.left(monday), 99);
}

TEST(Quota, BlocksGrowUpToATwentieth) {
  Quota quota(QuotaPeriod::day, 1000);
  std::vector<std::int64_t> blocks;
  for (int i = 0; i < 7; ++i) {
    quota.reserved(quota.record_of_next_block(monday), monday);
    blocks.push_back(quota.ready(monday));
    while (quota.ready(monday) > 0) quota.spend(monday);
  }
  EXPECT_THAT(blocks, ElementsAre(3, 6, 12, 24, 48, 50, 50));
}

TEST(Quota, ABlockIsForItsSlotAlone) {
  Quota quota(QuotaPeriod::hour, 100);
  quota.reserved(quota.record_of_next_block(monday), monday);
  quota.reserved(quota.record_of_next_block(monday), monday);
  quota.spend(monday);
  EXPECT_EQ(quota.ready(monday), 1);
  EXPECT_EQ(quota.ready(monday + 150s), 0);
  EXPECT_THAT(quota.record_of_next_block(monday + 150s).slots,
              ElementsAre(QuotaSlot{monday, 1}, QuotaSlot{monday + 150s, 4}))
      << "what was not spent is given back";
}

TEST(Quota, ARequestCountsUntilAnHourAfterTheEndOfItsSlot) {
  Quota quota(QuotaPeriod::hour, 3);
  for (const Instant at : {monday, monday + 149s, monday + 150s}) quota.spend(at);
  const Instant after_first_slot = monday + 150s + 1h;
  EXPECT_EQ(quota.left(after_first_slot - 1us), 0);
  EXPECT_EQ(quota.when_left(0, monday + 200s), after_first_slot);
  EXPECT_EQ(quota.left(after_first_slot), 2);
  EXPECT_EQ(quota.when_left(2, monday + 200s), after_first_slot + 150s);
}

TEST(Quota, WhatWasSpentWithoutBeingThereIsOwed) {
  Quota quota(QuotaPeriod::day, 2);
  for (int i = 0; i < 4; ++i) quota.spend(monday);
  quota.spend(monday + 1h);
  EXPECT_EQ(quota.left(monday + 1h), 0);
  EXPECT_TRUE(quota.is_low(monday + 1h)) << "it has to be written";
  EXPECT_EQ(quota.when_left(0, monday + 1h), monday + 25h);
}

TEST(Quota, AClockSetBackForgetsNothingAndBlocksForOnePeriodAtMost) {
  Quota quota(QuotaPeriod::hour, 2);
  quota.spend(monday);
  quota.spend(monday);
  const Instant back = monday - 1000h;
  quota.clock_set_back(back);
  EXPECT_EQ(quota.left(back), 0);
  EXPECT_EQ(quota.left(back + 1h + 150s), 2);
}

TEST(Quota, WhatTheDatabaseSaysOfTheFutureCountsNow) {
  Quota quota(QuotaPeriod::hour, 10);
  quota.restore({QuotaPeriod::hour, 3, {{monday - 2h, 4}, {monday - 30min, 2}, {monday + 30h, 3}}}, monday);
  EXPECT_EQ(quota.left(monday), 5);
  EXPECT_EQ(quota.left(monday + 30min + 150s), 7);
}

// ------------------------------------------------------------------ the book

TEST(QuotaBook, NothingGoesOutBeforeTheDatabaseHasToldWhatWasSpent) {
  BookBundle b(hourly(100));
  EXPECT_FALSE(b.book.may_poll(b.now));
  const auto todo = b.book.work(b.now);
  ASSERT_TRUE(todo);
  EXPECT_EQ(todo->kind, Kind::load);
  EXPECT_FALSE(b.book.work(b.now)) << "one at a time";
  EXPECT_FALSE(b.book.next_poll(b.now)) << "only the database's word can change that";
  b.book.loaded({}, b.now);
  EXPECT_TRUE(b.send());
}

TEST(QuotaBook, AnHourGivesItsQuotaAndAQuietOneWritesNothing) {
  BookBundle b(hourly(100));
  EXPECT_EQ(b.send_all(), 100);
  b.now += 1h;
  EXPECT_EQ(b.send_all(), 0) << "the slot of the hundred has just been left";
  EXPECT_EQ(b.book.next_poll(b.now), b.now + 150s);
  b.now += 10h;
  EXPECT_EQ(b.work(), 0);
}

TEST(QuotaBook, AQuotaThatIsUsedUpCostsTwentyWrites) {
  BookBundle b(hourly(1000));
  b.work();
  int writes = 0;
  for (int sent = 0; sent < 1000; ++sent) {
    b.book.want(b.now);
    writes += b.work();
    b.book.spend(b.now);
  }
  EXPECT_LE(writes, 40) << "a block is renewed when half of it is gone";
  EXPECT_GE(writes, 20);
}

TEST(QuotaBook, AKillLosesABlockAtMostAndSendsNothingTwice) {
  BookBundle b(hourly(100));
  for (int i = 0; i < 51; ++i) ASSERT_TRUE(b.send());
  b.kill(hourly(100));
  const int after = b.send_all();
  EXPECT_LE(51 + after, 100);
  EXPECT_GE(51 + after, 95);
}

TEST(QuotaBook, HourAndDayHoldTogether) {
  BookBundle b({.per_hour = 10, .per_day = 25, .tenth_for_others = false});
  int sent = 0;
  for (; b.now < monday + 24h; b.now += 150s) sent += b.send_all();
  EXPECT_EQ(sent, 25);
  b.now += 2h;
  EXPECT_GE(b.send_all(), 1);
}

TEST(QuotaBook, OfTwoQuotasTheOneThatRunsLowIsWritten) {
  BookBundle b({.per_hour = 40, .per_day = 10'000, .tenth_for_others = false});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(b.send());
  EXPECT_LE(b.stored[QuotaPeriod::day].revision, 2) << "31, and then 62 a block";
  EXPECT_GE(b.stored[QuotaPeriod::hour].revision, 10) << "1, and then 2 a block";
}

TEST(QuotaBook, PollsLeaveATenthToOthers) {
  BookBundle b({.per_hour = {}, .per_day = 100, .tenth_for_others = true});
  EXPECT_EQ(b.send_all(), 90);
  b.work();
  EXPECT_GT(b.book.ready(b.now), 0);
  for (int i = 0; i < 10; ++i) {
    b.book.want(b.now);
    b.work();
    ASSERT_GT(b.book.ready(b.now), 0) << i;
    b.book.spend(b.now);
  }
  b.book.want(b.now);
  b.work();
  EXPECT_EQ(b.book.ready(b.now), 0);
}

TEST(QuotaBook, ATransactionThatFailsReservesNothingAndIsTriedAgainLater) {
  BookBundle b(hourly(100));
  b.work();
  b.book.want(b.now);
  ASSERT_TRUE(b.book.work(b.now));
  b.book.failed(b.now);
  EXPECT_FALSE(b.book.may_poll(b.now));
  EXPECT_FALSE(b.book.work(b.now));
  const auto retry_at = b.book.next_poll(b.now);
  ASSERT_TRUE(retry_at);
  EXPECT_EQ(*retry_at, b.now + 1s);
  b.now = *retry_at;
  EXPECT_TRUE(b.send());
}

TEST(QuotaBook, WhatAnotherProcessWroteIsLoadedAndCounts) {
  BookBundle b(hourly(100));
  ASSERT_TRUE(b.send());
  QuotaRecord& other = b.stored[QuotaPeriod::hour];
  other.slots.back().requests = 60;
  ++other.revision;
  while (b.book.ready(b.now) > 0) b.book.spend(b.now);
  b.book.want(b.now);
  ASSERT_EQ(b.book.work(b.now)->kind, Kind::reserve);
  b.book.conflicted(b.now);
  b.now += 1s;
  EXPECT_EQ(b.send_all(), 40);
}

TEST(QuotaBook, ATighterQuotaHoldsAtOnceAndAWiderOneKnowsWhatWasSpent) {
  BookBundle b(hourly(100));
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(b.send());
  b.book.configure(hourly(20));
  EXPECT_FALSE(b.send());
  b.book.configure(hourly(50));
  EXPECT_EQ(b.send_all(), 20);
  b.book.configure({});
  EXPECT_TRUE(b.book.empty());
  b.book.configure(hourly(60));
  EXPECT_EQ(b.send_all(), 10) << "as the database remembers";
}

}  // namespace
}  // namespace remitod::scheduler
