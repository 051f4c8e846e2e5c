#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "scheduler/adaptive_calendar.h"
#include "scheduler/budget.h"
#include "tests/scheduler/published_trace.h"

namespace remitod::test {
namespace {

using namespace scheduler;

ScheduleConfig::Budget share(double of_hourly) {
  ScheduleConfig::Budget budget;
  budget.share_of_hourly = of_hourly;
  return budget;
}

/// Hours of 100 open shipments in 5 requests, in which `polls` and `requests` of the price are spent.
template <typename Spend>
void live_from(Budget& budget, int begin, int end, Spend&& spend) {
  static constexpr double open = 100, full_requests = 5;
  for (int hour = begin + 1; hour <= end; ++hour) {
    const auto [polls, requests] = spend(budget.prices());
    budget.add_used(polls, requests);
    budget.add_hourly(open, full_requests);
    budget.adjust(monday + static_cast<Second>(hour) * hour_s);
  }
}

template <typename Spend>
void live(Budget& budget, int hours, Spend&& spend) {
  live_from(budget, 0, hours, std::forward<Spend>(spend));
}

struct Spent {
  double polls = 0, requests = 0;
};

TEST(Budget, RaisesThePriceWhereMoreIsSpentAndLowersItWhereLess) {
  Budget dear(share(0.25), 20, monday), cheap(share(0.25), 20, monday);
  dear.start_from(1e-4);
  cheap.start_from(1e-4);
  const double before = dear.prices().poll;
  live(dear, 48, [](const Prices&) { return Spent{50, 3}; });
  live(cheap, 48, [](const Prices&) { return Spent{10, 1}; });
  EXPECT_GT(dear.prices().poll, before);
  EXPECT_LT(cheap.prices().poll, before);
}

TEST(Budget, SettlesWhereWhatIsSpentIsWhatMayBeSpent) {
  Budget budget(share(0.25), 20, monday);
  budget.start_from(1e-4);
  // A carrier whose polls go with the root of the price, as those of a constant rate do.
  double late_polls = 0;
  const auto spend = [&](const Prices& prices) {
    const double polls = 20 / std::sqrt(prices.poll);
    return Spent{polls, polls / 15};
  };
  live(budget, 60 * 24, spend);
  live(budget, 14 * 24, [&](const Prices& prices) {
    const Spent spent = spend(prices);
    late_polls += spent.polls;
    return spent;
  });
  EXPECT_NEAR(late_polls / (14 * 24), 25, 1);
}

TEST(Budget, PutsAPriceOnRequestsWhereTheyAreTheScarceOnes) {
  Budget budget(share(0.25), 20, monday);
  budget.start_from(1e-4);
  const double before = budget.prices().early_share(20);
  live(budget, 5 * 24, [](const Prices&) { return Spent{25, 10}; });
  EXPECT_GT(budget.prices().early_share(20), 2 * before);
  EXPECT_LE(budget.prices().early_share(20), 0.4);
}

TEST(Budget, ANumberIsRequestsADay) {
  ScheduleConfig::Budget number;
  number.requests_a_day = 60;  // of 120 that the hourly pull sends
  Budget over(number, 20, monday), under(number, 20, monday);
  over.start_from(1e-4);
  under.start_from(1e-4);
  const double before = over.prices().poll;
  live(over, 48, [](const Prices&) { return Spent{80, 4}; });
  live(under, 48, [](const Prices&) { return Spent{20, 1}; });
  EXPECT_GT(over.prices().poll, before);
  EXPECT_LT(under.prices().poll, before);
}

TEST(Budget, KeepsItsPricesUntilItHasStarted) {
  Budget budget(share(0.25), 20, monday);
  live(budget, 48, [](const Prices&) { return Spent{50, 3}; });
  EXPECT_EQ(budget.prices(), Prices{});
  EXPECT_FALSE(budget.started());
}

TEST(Budget, StartsHigherWhereLessMayBeSpent) {
  Budget whole(share(1), 20, monday), tenth(share(0.1), 20, monday);
  whole.start_from(1e-4);
  tenth.start_from(1e-4);
  EXPECT_GT(tenth.prices().poll, 10 * whole.prices().poll);
}

TEST(Budget, OfTheLastDayForgetsWhatIsOlder) {
  Budget budget(share(0.5), 20, monday);
  live(budget, 30, [](const Prices&) { return Spent{100, 9}; });
  live_from(budget, 30, 30 + 24, [](const Prices&) { return Spent{20, 1}; });
  const Budget::Period lately = budget.spent_lately();
  EXPECT_GE(lately.requests, 18);
  EXPECT_LE(lately.requests, 24);
  EXPECT_GT(lately.requests_allowed, lately.requests);
  EXPECT_GT(budget.spent().requests, 100) << "two days";
}

TEST(Budget, DoesNotWaitUntilAClockThatWasSetBackHasComeSoFarAgain) {
  Budget budget(share(0.25), 20, monday + 30 * day_s);
  budget.start_from(1e-4);
  const double before = budget.prices().poll;
  budget.clock_set_back(monday);
  live(budget, 48, [](const Prices&) { return Spent{50, 3}; });
  EXPECT_GT(budget.prices().poll, before);
  EXPECT_LE(budget.spent_lately().requests, 24 * 3);
}

}  // namespace
}  // namespace remitod::test
