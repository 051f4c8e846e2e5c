#include "scheduler/breaker.h"

#include <gtest/gtest.h>

#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using namespace std::chrono_literals;
using test::monday;
using Permission = Breaker::Permission;

LaneConfig config() {
  LaneConfig config;
  config.failures_to_open = 3;
  config.backoff_first = 30s;
  config.backoff_max = 3600s;
  config.retry_after_max = 6h;
  return config;
}

struct BreakerBundle {
  explicit BreakerBundle(std::uint64_t seed = 1) : jitter(seed) {}
  void fail(bool probe = false) { breaker.failed(probe, std::nullopt, now, jitter); }
  void throttle(std::optional<std::chrono::seconds> retry_after, bool probe = false) {
    breaker.throttled(probe, retry_after, now, jitter);
  }
  void open() {
    for (int i = 0; i < 3; ++i) fail();
  }
  /// To the end of the rest, and the probe goes out.
  void send_probe() {
    now = std::max(now, breaker.resting_until());
    ASSERT_EQ(breaker.permission(now), Permission::probe);
    breaker.probe_sent();
  }
  Breaker breaker{config()};
  Jitter jitter;
  Instant now = monday;
};

TEST(Breaker, OpensAfterSoManyFailuresInARow) {
  BreakerBundle b;
  b.fail();
  b.fail();
  EXPECT_EQ(b.breaker.permission(b.now), Permission::request);
  b.fail();
  EXPECT_EQ(b.breaker.state(), BreakerState::open);
  EXPECT_EQ(b.breaker.failures_in_row(), 3);
  EXPECT_LE(b.breaker.resting_until(), b.now + 30s);
}

TEST(Breaker, AnAnswerBetweenFailuresKeepsItClosed) {
  BreakerBundle b;
  for (int i = 0; i < 10; ++i) {
    b.fail();
    b.fail();
    b.breaker.answered(false);
  }
  EXPECT_EQ(b.breaker.state(), BreakerState::closed);
  EXPECT_EQ(b.breaker.failures_in_row(), 0);
}

TEST(Breaker, SendsOneProbeAfterTheRest) {
  BreakerBundle b;
  b.open();
  const Instant end = b.breaker.resting_until();
  ASSERT_GT(end, b.now);
  EXPECT_EQ(b.breaker.permission(end - 1us), Permission::none);
  EXPECT_EQ(b.breaker.permission(end), Permission::probe);
  b.breaker.probe_sent();
  EXPECT_EQ(b.breaker.state(), BreakerState::half_open);
  EXPECT_EQ(b.breaker.permission(end + 24h), Permission::none);
}

TEST(Breaker, AnAnsweredProbeCloses) {
  BreakerBundle b;
  b.open();
  b.send_probe();
  b.breaker.answered(true);
  EXPECT_EQ(b.breaker.state(), BreakerState::closed);
  EXPECT_EQ(b.breaker.permission(b.now), Permission::request);
  EXPECT_EQ(b.breaker.resting_until(), Instant{});
}

TEST(Breaker, RestsTwiceAsLongAfterEachFailedProbeUpToTheMost) {
  // Full jitter: the longest of many seeds shows the bound, the shortest that it is no fixed time.
  std::vector<std::chrono::microseconds> longest(10), shortest(10, 1h);
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    BreakerBundle b(seed * 7919);
    b.open();
    for (std::size_t k = 0; k < 10; ++k) {
      const std::chrono::microseconds rest = b.breaker.resting_until() - b.now;
      longest[k] = std::max(longest[k], rest);
      shortest[k] = std::min(shortest[k], rest);
      b.send_probe();
      b.fail(true);
    }
  }
  for (std::size_t k = 0; k < 10; ++k) {
    const std::chrono::microseconds bound = std::min<std::chrono::microseconds>(30s * (1 << k), 3600s);
    EXPECT_LE(longest[k], bound) << k;
    EXPECT_GT(longest[k], bound * 9 / 10) << k;
    EXPECT_LT(shortest[k], bound / 10) << k;
  }
}

TEST(Breaker, AfterItClosedTheNextRestIsShortAgain) {
  BreakerBundle b;
  b.open();
  for (int i = 0; i < 8; ++i) {
    b.send_probe();
    b.fail(true);
  }
  b.send_probe();
  b.breaker.answered(true);
  b.open();
  EXPECT_LE(b.breaker.resting_until(), b.now + 30s);
}

TEST(Breaker, SameSeedSameRests) {
  BreakerBundle a(5), b(5), c(6);
  for (BreakerBundle* one : {&a, &b, &c}) one->open();
  EXPECT_EQ(a.breaker.resting_until(), b.breaker.resting_until());
  EXPECT_NE(a.breaker.resting_until(), c.breaker.resting_until());
}

TEST(Breaker, RestsAsLongAsTheCarrierWantsAndNoLongerThanTheCut) {
  BreakerBundle b;
  b.throttle(120s);
  EXPECT_EQ(b.breaker.resting_until(), b.now + 120s);
  BreakerBundle greedy;
  greedy.throttle(std::chrono::seconds::max());
  EXPECT_EQ(greedy.breaker.resting_until(), greedy.now + 6h);
  BreakerBundle nonsense;
  nonsense.throttle(-5s);
  EXPECT_EQ(nonsense.breaker.resting_until(), nonsense.now + 1s);
}

TEST(Breaker, AThrottleIsNoFailure) {
  BreakerBundle b;
  b.throttle(std::nullopt);
  EXPECT_EQ(b.breaker.state(), BreakerState::open);
  EXPECT_EQ(b.breaker.failures_in_row(), 0);
}

TEST(Breaker, AFailureWithRetryAfterRestsAtOnce) {
  BreakerBundle b;
  b.breaker.failed(false, 90s, b.now, b.jitter);
  EXPECT_EQ(b.breaker.resting_until(), b.now + 90s);
  EXPECT_EQ(b.breaker.failures_in_row(), 1);
}

TEST(Breaker, LateAnswersOfEarlierRequestsDoNotEndARest) {
  BreakerBundle b;
  b.open();
  const Instant end = b.breaker.resting_until();
  b.breaker.answered(false);
  b.fail();
  EXPECT_EQ(b.breaker.state(), BreakerState::open);
  EXPECT_EQ(b.breaker.resting_until(), end);
  b.throttle(600s);
  EXPECT_EQ(b.breaker.resting_until(), b.now + 600s);
  b.throttle(5s);
  EXPECT_EQ(b.breaker.resting_until(), b.now + 600s);
}

TEST(Breaker, OnlyTheCarriersOwnWishIsToBeRemembered) {
  BreakerBundle b;
  b.open();
  EXPECT_EQ(b.breaker.wished_until(), Instant{});
  b.throttle(2h);
  const Instant wished = b.now + 2h;
  EXPECT_EQ(b.breaker.wished_until(), wished);
  b.send_probe();
  b.fail(true);
  EXPECT_EQ(b.breaker.wished_until(), wished) << "the carrier has said nothing since";
  b.send_probe();
  b.breaker.answered(true);
  EXPECT_EQ(b.breaker.wished_until(), Instant{});
}

TEST(Breaker, ARestThatWeWantOurselvesIsNoWishOfTheCarriers) {
  BreakerBundle b;
  b.breaker.failed(false, Breaker::Rest(77s, false), b.now, b.jitter);
  EXPECT_EQ(b.breaker.resting_until(), b.now + 77s);
  EXPECT_EQ(b.breaker.wished_until(), Instant{});
}

TEST(Breaker, ResumesAWishAndNeverForLongerThanTheCut) {
  BreakerBundle b;
  b.breaker.resume(b.now, b.now);
  EXPECT_EQ(b.breaker.state(), BreakerState::closed) << "it is over";
  b.breaker.resume(b.now + 1h, b.now);
  EXPECT_EQ(b.breaker.permission(b.now + 1h - 1us), Permission::none);
  EXPECT_EQ(b.breaker.permission(b.now + 1h), Permission::probe);
  EXPECT_EQ(b.breaker.wished_until(), b.now + 1h) << "for the process after this one";
  b.breaker.resume(b.now + 30 * 24h, b.now);
  EXPECT_EQ(b.breaker.resting_until(), b.now + 6h);
}

TEST(Breaker, AProbeThatWeAbandonedMayGoAgainAtOnce) {
  BreakerBundle b;
  b.open();
  b.send_probe();
  b.breaker.abandoned(true);
  EXPECT_EQ(b.breaker.permission(b.now), Permission::probe);
}

}  // namespace
}  // namespace remitod::scheduler
