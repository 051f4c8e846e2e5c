#include <gtest/gtest.h>

#include <algorithm>

#include "scheduler/adaptive_batches.h"
#include "scheduler/publication_model_fit.h"
#include "tests/scheduler/published_trace.h"

namespace remitod::test {
namespace {

using namespace scheduler;

const AdaptiveCalendar utc;
constexpr Second end = monday + 42 * day_s;

/// What hourly looks tell of a carrier, and its open shipments at the end.
struct Seen {
  std::vector<Wait> waits;
  std::vector<Candidate> open;
};

Seen hourly_looks(const Publishes& publishes, int shipments) {
  Dice dice(7);
  Seen seen;
  for (int i = 0; i < shipments; ++i) {
    const Second entered = monday + static_cast<Second>(dice.uniform() * 42 * day_s);
    const Second published = publishes(entered + static_cast<Second>(dice.exponential(3.0 * day_s)));
    if (published > end) {
      seen.open.push_back({0, entered});
      continue;
    }
    const Second hi = (published + hour_s - 1) / hour_s * hour_s;
    seen.waits.push_back({entered, std::max(entered, hi - hour_s), hi, 0});
  }
  return seen;
}

BatchRegime regime_of(const Seen& seen, double table_cost_a_minute) {
  std::vector<Wait> all = seen.waits;
  for (const Candidate& shipment : seen.open) all.push_back({shipment.entered, end, 0, shipment.status});
  PublicationModel model;
  for (int i = 0; i < 3; ++i) model = fit_publications(all, utc, end, {}, {}, model).model;
  return find_batch_regime({.waits = seen.waits,
                            .open = seen.open,
                            .model = model,
                            .calendar = utc,
                            .now = end,
                            .prices = {.poll = 0.5, .request = 0.5},
                            .batch_max = 20,
                            .table_cost_a_minute = table_cost_a_minute});
}

constexpr double dear = 1000, cheap = 1e-6;

TEST(BatchRegime, IsFoundWhereACarrierPublishesOnceADay) {
  const BatchRegime regime = regime_of(hourly_looks(daily_at(20 * 60, 15), 700), dear);
  EXPECT_TRUE(regime.found);
  EXPECT_EQ(regime.gap, day_s);
  EXPECT_GT(regime.rest, 8 * hour_s);
  EXPECT_LT(regime.rest, 20 * hour_s);
  EXPECT_NEAR(double{regime.size}, 700.0 / 36, 8);
  EXPECT_FALSE(regime.sweeps.empty());
  EXPECT_TRUE(std::ranges::is_sorted(regime.sweeps));
  EXPECT_LT(regime.stragglers, 0.02F);
}

TEST(BatchRegime, ExpectsABatchAroundItsHourAndNoneOnTheFreeDay) {
  const BatchRegime regime = regime_of(hourly_looks(daily_at(20 * 60, 15), 700), dear);
  const Second thursday = end + 3 * day_s, sunday = end + 6 * day_s;
  const double in_the_hours_around = regime.expected(utc, thursday + 18 * hour_s, thursday + 22 * hour_s);
  EXPECT_GT(in_the_hours_around, 0.7);
  EXPECT_GT(in_the_hours_around, 0.9 * regime.expected(utc, thursday, thursday + day_s));
  EXPECT_LT(regime.expected(utc, sunday, sunday + day_s), 0.4 * in_the_hours_around);
}

TEST(BatchRegime, IsNotFoundWhereEachStatusComesOnItsOwn) {
  EXPECT_FALSE(regime_of(hourly_looks(at_once(), 700), dear).found);
}

TEST(BatchRegime, IsNotUsedWhereSentinelsAreDearerThanAskingEach) {
  EXPECT_FALSE(regime_of(hourly_looks(daily_at(20 * 60, 15), 700), cheap).found);
}

TEST(BatchRegime, NeedsBatchesToHaveBeenSeen) {
  EXPECT_FALSE(regime_of(hourly_looks(daily_at(20 * 60, 15), 3), dear).found);
}

TEST(BatchRegime, ADayOfTheWeekThatBringsNothingIsWorthLittle) {
  const BatchRegime regime = regime_of(hourly_looks(daily_at(20 * 60, 15), 700), dear);
  const Second thursday = end + 3 * day_s, sunday = end + 6 * day_s;
  EXPECT_LT(regime.worked(utc, sunday, sunday + day_s), 0.3 * regime.worked(utc, thursday, thursday + day_s));
  EXPECT_NEAR(regime.worked(utc, thursday, thursday + 14 * day_s), 2 * double{regime.work.back()}, 1);
}

TEST(Bursts, TakeWhatMayHaveBeenOneEventForOne) {
  const std::vector<Wait> ended{{.entered = monday, .lo = monday + 100, .hi = monday + 4000},
                                {.entered = monday, .lo = monday + 3000, .hi = monday + 4000},
                                {.entered = monday, .lo = monday + 2000, .hi = monday + 4300}};
  const Bursts bursts = find_bursts(ended);
  ASSERT_EQ(bursts.batches.size(), 1U);
  EXPECT_EQ(bursts.batches[0].lo, monday + 3000);
  EXPECT_EQ(bursts.batches[0].hi, monday + 4000);
  EXPECT_EQ(bursts.batches[0].waits.size(), 3U);
  EXPECT_EQ(bursts.stragglers, 0U);
}

TEST(Bursts, PutALateFindIntoTheBatchThatItMayHaveBeenIn) {
  const std::vector<Wait> ended{{.entered = monday, .lo = monday + 100, .hi = monday + 4000},
                                {.entered = monday, .lo = monday + 100, .hi = monday + 4000},
                                {.entered = monday, .lo = monday + 200, .hi = monday + 50'000},
                                {.entered = monday, .lo = monday + 60'000, .hi = monday + 70'000}};
  const Bursts bursts = find_bursts(ended);
  ASSERT_EQ(bursts.batches.size(), 1U);
  EXPECT_EQ(bursts.batches[0].waits.size(), 3U);
  EXPECT_EQ(bursts.stragglers, 1U) << "the last one was looked at in vain long after the batch";
}

TEST(Bursts, TellHowABatchDribblesOut) {
  // Swept at its first sight and ten minutes later: half was there, half came between.
  std::vector<Wait> ended;
  for (Second day = 0; day < 20; ++day) {
    const Second first = monday + day * day_s + 20 * hour_s;
    for (int i = 0; i < 10; ++i) ended.push_back({.entered = monday, .lo = first - 300, .hi = first});
    for (int i = 0; i < 10; ++i) ended.push_back({.entered = monday, .lo = first, .hi = first + 600});
  }
  const auto out = out_by_lag(find_bursts(ended).batches, ended);
  EXPECT_NEAR(double{out[0]}, 0.5, 0.05);
  EXPECT_NEAR(double{out[2]}, 1, 0.05);
  EXPECT_FLOAT_EQ(out[lag_bins - 1], 1);
}

}  // namespace
}  // namespace remitod::test
