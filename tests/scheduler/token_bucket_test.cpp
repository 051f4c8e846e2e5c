#include "scheduler/token_bucket.h"

#include <gtest/gtest.h>

#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using namespace std::chrono_literals;
using test::monday;

int take_all(TokenBucket& bucket, Instant now) {
  int taken = 0;
  while (bucket.take(now)) ++taken;
  return taken;
}

TEST(TokenBucket, StartsWithItsBurst) {
  TokenBucket fast(5, 5, monday);
  EXPECT_EQ(take_all(fast, monday), 5);
  TokenBucket slow(0.1, 0.1, monday);
  EXPECT_EQ(take_all(slow, monday), 1);
}

TEST(TokenBucket, GivesATokenAtTheMicrosecondItSays) {
  TokenBucket bucket(3, 3, monday);
  take_all(bucket, monday);
  const Instant next = bucket.next_token(monday);
  EXPECT_EQ(next, monday + 333'334us);  // a third of a second, rounded up
  EXPECT_FALSE(bucket.take(next - 1us));
  EXPECT_TRUE(bucket.take(next));
}

TEST(TokenBucket, LosesNothingToRounding) {
  TokenBucket bucket(3, 3, monday);
  take_all(bucket, monday);
  int taken = 0;
  for (Instant now = monday; now <= monday + 1000s; now += 7ms) taken += take_all(bucket, now);
  EXPECT_EQ(taken, 2999);  // 3000 by the 1000th second, and the last step ends just before it
  EXPECT_EQ(take_all(bucket, monday + 1000s), 1);
}

TEST(TokenBucket, HoldsNoMoreThanItsBurstHoweverLongItRests) {
  TokenBucket bucket(2, 2, monday);
  EXPECT_EQ(take_all(bucket, monday + std::chrono::years{80}), 2);
}

TEST(TokenBucket, AnotherRateKeepsWhatIsThere) {
  TokenBucket bucket(4, 4, monday);
  EXPECT_TRUE(bucket.take(monday));
  bucket.set_rate(2, 2, monday);
  EXPECT_EQ(take_all(bucket, monday), 2);
  bucket.set_rate(100, 100, monday);
  EXPECT_EQ(take_all(bucket, monday), 0);
  EXPECT_EQ(take_all(bucket, monday + 100ms), 10);
}

TEST(TokenBucket, WhatIsSpentBeyondItsContentIsPaidByWhatComesNext) {
  TokenBucket bucket(2, 2, monday);
  EXPECT_EQ(bucket.spend(monday), monday);
  EXPECT_EQ(bucket.spend(monday), monday);
  EXPECT_EQ(bucket.spend(monday), monday + 500ms);
  EXPECT_EQ(bucket.spend(monday), monday + 1s);
  EXPECT_EQ(bucket.whole_tokens(monday), 0u);
  EXPECT_EQ(bucket.next_token(monday), monday + 1500ms);
  EXPECT_FALSE(bucket.take(monday + 1500ms - 1us));
  EXPECT_TRUE(bucket.take(monday + 1500ms));
  EXPECT_EQ(take_all(bucket, monday + 1h), 2);
}

TEST(TokenBucket, AClockThatWasSetBackNeitherGivesNorStalls) {
  TokenBucket bucket(1, 1, monday);
  EXPECT_TRUE(bucket.take(monday));
  const Instant back = monday - 24h;
  bucket.restart_clock(back);
  EXPECT_FALSE(bucket.take(back));
  EXPECT_EQ(bucket.next_token(back), back + 1s);
}

}  // namespace
}  // namespace remitod::scheduler
