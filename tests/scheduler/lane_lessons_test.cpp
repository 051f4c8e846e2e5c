// What was learned, as bytes, and how late statuses were seen.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scheduler/adaptive_config.h"
#include "scheduler/delay_estimate.h"
#include "scheduler/lane_lessons.h"
#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler::test {
namespace {

constexpr Second noon = 1'795'435'200;

RecentLessons any_lessons() {
  RecentLessons lessons;
  lessons.earlier_waits = *rc::gen::inRange<std::size_t>(0, 10'000);
  for (int i = 0; i < *rc::gen::inRange(0, 20); ++i) {
    const auto entered = noon + *rc::gen::inRange<Second>(0, 1'000'000);
    const auto lo = entered + *rc::gen::inRange<Second>(0, 100'000);
    lessons.state.waits.push_back({entered, lo, lo + *rc::gen::inRange<Second>(1, 10'000), 1});
  }
  lessons.state.scores = {1.5, -2, 0};
  lessons.state.last_batch = noon;
  lessons.budget_stated = *rc::gen::arbitrary<std::uint64_t>() >> 1;
  lessons.budget.started = *rc::gen::arbitrary<bool>();
  lessons.budget.prices = {.poll = 3.25, .request = 7};
  lessons.budget.polls_owed = -12.5;
  lessons.budget.current.polls = 17;
  lessons.budget.recent.resize(*rc::gen::inRange<std::size_t>(0, 9),
                               Budget::Period{.polls = 1, .requests = 2, .delay = 3});
  lessons.batches_since = noon - 5;
  return lessons;
}

RC_GTEST_PROP(RecentLessons, ComeBackAsTheyWere, ()) {
  const RecentLessons lessons = any_lessons();
  RC_ASSERT(parse_recent_lessons(serialise(lessons)) == lessons);
}

RC_GTEST_PROP(RecentLessons, DamagedBytesAreNone, ()) {
  const std::string bytes = serialise(any_lessons());
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!parse_recent_lessons(std::string_view(bytes).substr(0, cut)));
  RC_ASSERT(!parse_recent_lessons(bytes + "x"));
}

TEST(Lessons, TellBudgetsApartThatAreStatedOtherwise) {
  ScheduleConfig::Budget quarter, half, requests, delay;
  quarter.share_of_hourly = 0.25;
  half.share_of_hourly = 0.5;
  requests.requests_a_day = 60;
  delay.target_delay = 60s;
  EXPECT_EQ(number_of(quarter), number_of(quarter));
  EXPECT_NE(number_of(quarter), number_of(half));
  EXPECT_NE(number_of(requests), number_of(delay));
}

TEST(DelayEstimate, WithoutAModelEveryMomentBetweenTheLooksIsAsLikely) {
  const DelayEstimate estimate =
      estimate_delay(nullptr, {}, {.entered = noon - day_s, .lo = noon, .hi = noon + hour_s, .status = 0});
  EXPECT_NEAR(estimate.mean, 30, 1e-9);
  EXPECT_NEAR(estimate.variance, 300, 1e-6);
  EXPECT_NEAR(estimate.within_10, 1.0 / 6, 1e-9);
}

TEST(DelayEstimate, AModelThatKnowsTheMomentTellsHowLateItWas) {
  PublicationModel model;
  model.statuses.emplace_back();
  model.statuses[0].by_age.fill(1);
  model.statuses[0].by_slot.fill(0);
  const AdaptiveCalendar utc;
  model.statuses[0].by_slot[utc.slot_class(noon + 20 * minute_s)] = 1;  // from :20 to :30
  const DelayEstimate estimate =
      estimate_delay(&model, utc, {.entered = noon - day_s, .lo = noon, .hi = noon + hour_s, .status = 0});
  EXPECT_NEAR(estimate.mean, 35, 0.01);
  EXPECT_NEAR(estimate.within_10, 0, 0.001);
}

TEST(DelaySummary, IsSurerOfManyStatusesThanOfFew) {
  std::vector<Wait> waits;
  for (Second i = 0; i < 400; ++i)
    waits.push_back({noon - day_s, noon + i * hour_s, noon + i * hour_s + (1 + i % 6) * 600, 0});
  const DelaySummary many = summarise_delays(nullptr, {}, waits, 0);
  const DelaySummary few = summarise_delays(nullptr, {}, std::span(waits).first(20), 0);
  EXPECT_EQ(many.statuses, 400u);
  EXPECT_NEAR(many.mean, 17.5, 0.1);
  EXPECT_NEAR(many.mean_max, 35, 0.2);
  EXPECT_LT(many.mean_error * 3, few.mean_error);
  EXPECT_EQ(summarise_delays(nullptr, {}, waits, noon + 400 * hour_s).statuses, 0u) << "only recent ones";
}

TEST(PublicationHints, AreReadAsOpeningHoursAre) {
  const auto daily = PublicationHint::parse("daily 20:00").value();
  EXPECT_TRUE(daily.days.all());
  EXPECT_EQ(daily.time_of_day, 20h);
  EXPECT_EQ(PublicationHint::parse("20:00").value(), daily);
  EXPECT_EQ(PublicationHint::parse("mon-fri 13:05").value().days.to_ulong(), 0b0011111u);
  EXPECT_EQ(PublicationHint::parse("sat,sun 00:30").value().days.to_ulong(), 0b1100000u);
  for (const char* wrong : {"", "daily", "soon", "20:00-21:00", "2026-12-24 20:00", "holiday 20:00", "25:00"})
    EXPECT_FALSE(PublicationHint::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace remitod::scheduler::test
