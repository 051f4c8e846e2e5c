#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "scheduler/publication_model_fit.h"
#include "scheduler/publication_model_hints.h"
#include "tests/scheduler/published_trace.h"

namespace remitod::test {
namespace {

using namespace scheduler;

const AdaptiveCalendar utc;

Fit learn(const std::vector<Wait>& waits, Second now, const FitSettings& settings = {}) {
  PublicationModel model;
  Fit fit;
  for (int i = 0; i < 6; ++i) {
    fit = fit_publications(waits, utc, now, settings, {}, model);
    model = fit.model;
  }
  return fit;
}

/// Waits that are published at some moment and found by looks at random moments about `looks_h` hours apart.
std::vector<Wait> waits_of(const std::function<Second(Second entered, Dice&)>& published, int count, int days,
                           double looks_h, std::uint64_t seed) {
  Dice dice(seed);
  std::vector<Wait> waits;
  for (int i = 0; i < count; ++i) {
    const Second entered = monday + static_cast<Second>(dice.uniform() * days * day_s);
    const Second at = published(entered, dice);
    Wait wait{.entered = entered, .lo = entered, .hi = entered, .status = 0};
    while (wait.hi < at) {
      wait.lo = wait.hi;
      wait.hi += 60 + static_cast<Second>(dice.exponential(looks_h * hour_s));
    }
    waits.push_back(wait);
  }
  return waits;
}

TEST(PublicationModel, RecoversAConstantRateFromLooksHoursApart) {
  const double rate = 1.0 / (3 * 1440);
  const auto waits = waits_of(
      [&](Second entered, Dice& dice) { return entered + static_cast<Second>(dice.exponential(1 / rate) * 60) + 1; },
      3000, 60, 3, 1);
  const Fit fit = learn(waits, monday + 75 * day_s, {.half_life_days = 1000});
  const Second week = monday + 30 * day_s;
  const double expected = expected_events(fit.model, utc, 0, week - day_s, week, week + day_s);
  EXPECT_NEAR(expected, rate * 1440, 0.15 * rate * 1440);
}

TEST(PublicationModel, FindsTheHourOfADailyBatchFromLooksHoursApart) {
  const Publishes daily = daily_at(20 * 60, 0, 5);
  const auto waits = waits_of(
      [&](Second entered, Dice& dice) { return daily(entered + static_cast<Second>(dice.exponential(2.0 * day_s))); },
      1500, 40, 2.5, 2);
  const Fit fit = learn(waits, monday + 55 * day_s);
  const auto& slots = fit.model.statuses[0].by_slot;
  double around = 0;
  for (std::size_t i = 20 * 6 - 1; i <= 20 * 6 + 1; ++i) around += double{slots[i]};
  const double day = std::accumulate(slots.begin(), slots.begin() + slots_per_day, 0.0);
  EXPECT_GT(around / day, 0.8) << "of Monday to Thursday lies within ten minutes of 20:00";
}

TEST(PublicationModel, ExpectsAlmostNothingOnDaysWithoutBatches) {
  const Publishes daily = daily_at(20 * 60, 0, 5);
  const auto waits = waits_of(
      [&](Second entered, Dice& dice) { return daily(entered + static_cast<Second>(dice.exponential(2.0 * day_s))); },
      2000, 60, 2, 3);
  const Fit fit = learn(waits, monday + 75 * day_s);
  const Second sunday = monday + 41 * day_s;
  EXPECT_LT(expected_events(fit.model, utc, 0, sunday, sunday, sunday + day_s),
            0.1 * expected_events(fit.model, utc, 0, sunday, sunday + day_s, sunday + 2 * day_s));
}

TEST(PublicationModel, OpenWaitsLowerTheRate) {
  std::vector<Wait> waits{{monday, monday + hour_s, monday + 2 * hour_s, 0}};
  const Second now = monday + 20 * day_s;
  const double alone = double{learn(waits, now).model.rate(0, 5, 100)};
  for (int i = 0; i < 20; ++i) waits.push_back({monday, now, 0, 0});
  EXPECT_LT(double{learn(waits, now).model.rate(0, 5, 100)}, alone / 2);
}

TEST(PublicationModel, ForgetsWhatIsOlderThanTwelveWeeks) {
  const std::vector<Wait> waits{{monday, monday + hour_s, monday + 2 * hour_s, 0}};
  const Fit fit = learn(waits, monday + 100 * day_s);
  const auto& events = fit.counts[0].events_by_slot;
  EXPECT_EQ(std::accumulate(events.begin(), events.end(), 0.0F), 0.0F);
}

TEST(PublicationModel, ALikelierStoryHasTheHigherLikelihood) {
  const Publishes daily = daily_at(20 * 60, 0, 5);
  const auto waits = waits_of(
      [&](Second entered, Dice& dice) { return daily(entered + static_cast<Second>(dice.exponential(2.0 * day_s))); },
      500, 30, 2, 4);
  const PublicationModel learned = learn(waits, monday + 45 * day_s).model;
  const PublicationModel flat = fit_publications({}, utc, monday, {}, {}, {}).model;
  double gain = 0;
  for (const Wait& wait : waits) gain += log_likelihood(learned, utc, wait) - log_likelihood(flat, utc, wait);
  EXPECT_GT(gain / static_cast<double>(waits.size()), 0.5);
}

TEST(PublicationModel, ANewCarrierFollowsThePopulation) {
  const Publishes daily = daily_at(20 * 60, 10, 5);
  const auto waits = waits_of(
      [&](Second entered, Dice& dice) { return daily(entered + static_cast<Second>(dice.exponential(2.0 * day_s))); },
      1500, 40, 2, 5);
  Population population;
  add_to_population(population, learn(waits, monday + 55 * day_s).counts);
  const std::vector<Wait> few{{monday, monday + hour_s, monday + 30 * hour_s, 0}};
  const PublicationModel model = fit_publications(few, utc, monday + 2 * day_s, {}, population, {}).model;
  EXPECT_GT(model.statuses[0].by_slot[20 * 6], 3 * model.statuses[0].by_slot[10 * 6]);
}

const std::vector<PublicationHint> daily_at_20{{std::bitset<7>("0111111"), std::chrono::hours(20)}};

TEST(PublicationHint, MakesTheModelExpectTheHourBeforeAnythingWasSeen) {
  const Population hinted = with_hints({}, daily_at_20);
  const PublicationModel model = fit_publications({}, utc, monday, {.population_events = 60}, hinted, {}).model;
  const auto& slots = model.statuses[0].by_slot;
  EXPECT_GT(slots[20 * 6], 5 * slots[15 * 6]);
  EXPECT_LT(slots[3 * slots_per_day + 20 * 6], slots[20 * 6] / 5) << "not on Sundays";
}

TEST(PublicationHint, IsFoundOutWhereItIsWrong) {
  const Publishes daily = daily_at(10 * 60, 5, 5);
  const auto waits = waits_of(
      [&](Second entered, Dice& dice) { return daily(entered + static_cast<Second>(dice.exponential(2.0 * day_s))); },
      600, 30, 1, 6);
  PublicationModel model;
  for (int i = 0; i < 6; ++i)
    model = fit_publications(waits, utc, monday + 45 * day_s, {}, with_hints({}, daily_at_20), model).model;
  EXPECT_GT(model.statuses[0].by_slot[10 * 6], 5 * model.statuses[0].by_slot[20 * 6]);
}

TEST(PublicationHint, WithoutAnyThePopulationStays) {
  Population population;
  population.statuses.resize(2);
  EXPECT_EQ(with_hints(population, {}).statuses.size(), 2U);
}

TEST(AgeBin, IsTheLastOneThatBegan) {
  EXPECT_EQ(age_bin(0), 0U);
  EXPECT_EQ(age_bin(3 * hour_s - 1), 0U);
  EXPECT_EQ(age_bin(3 * hour_s), 1U);
  EXPECT_EQ(age_bin(~Second{0}), age_bins - 1);
}

}  // namespace
}  // namespace remitod::test
