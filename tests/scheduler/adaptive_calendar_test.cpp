#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scheduler/adaptive_calendar.h"
#include "tests/scheduler/published_trace.h"

namespace remitod::test {
namespace {

using namespace scheduler;

AdaptiveCalendar calendar_of(const std::string& zone, const std::vector<std::string>& holidays = {}) {
  const auto calendar = Calendar::make(zone, holidays);
  EXPECT_TRUE(calendar.has_value()) << (calendar ? "" : calendar.error());
  return {*calendar, monday - 300 * day_s, monday + 600 * day_s};
}

TEST(AdaptiveCalendar, CountsTheWeekFromMonday) {
  const AdaptiveCalendar utc;
  EXPECT_EQ(utc.week_step(monday), 0U);
  EXPECT_EQ(utc.week_step(monday + 299), 0U);
  EXPECT_EQ(utc.week_step(monday + 300), 1U);
  EXPECT_EQ(utc.week_step(monday + 7 * day_s - 1), steps_per_week - 1);
  EXPECT_EQ(utc.into_step(monday + 301), 1U);
}

TEST(AdaptiveCalendar, TellsFourKindsOfDays) {
  const AdaptiveCalendar utc;
  const std::vector<DayType> week{DayType::monday_to_thursday,
                                  DayType::monday_to_thursday,
                                  DayType::monday_to_thursday,
                                  DayType::monday_to_thursday,
                                  DayType::friday,
                                  DayType::saturday,
                                  DayType::sunday};
  for (Second day = 0; day < 7; ++day) {
    EXPECT_EQ(utc.day_type((monday + day * day_s) / day_s), week[day]);
    EXPECT_EQ(utc.slot_class(monday + day * day_s + 601), static_cast<std::size_t>(week[day]) * slots_per_day + 1);
  }
}

TEST(AdaptiveCalendar, LivesByTheCarriersClock) {
  const AdaptiveCalendar lima = calendar_of("America/Lima");
  EXPECT_EQ(lima.local(monday), std::int64_t{monday} - 5 * 3600);
  EXPECT_EQ(lima.week_step(monday), steps_per_week - 60) << "Sunday 19:00";
}

TEST(AdaptiveCalendar, FollowsTheChangesOfTheClock) {
  const AdaptiveCalendar santiago = calendar_of("America/Santiago");
  const Second winter = monday + 150 * day_s;
  EXPECT_EQ(santiago.local(monday), std::int64_t{monday} - 3 * 3600);
  EXPECT_EQ(santiago.local(winter), std::int64_t{winter} - 4 * 3600);
}

TEST(AdaptiveCalendar, TakesAHolidayForASunday) {
  const AdaptiveCalendar calendar = calendar_of("UTC", {"2026-01-07"});
  const Second wednesday = monday + 2 * day_s;
  EXPECT_EQ(calendar.day_type(wednesday / day_s), DayType::sunday);
  EXPECT_EQ(calendar.week_step(wednesday + 3600), 6U * 288 + 12);
  EXPECT_EQ(calendar.week_step(wednesday + day_s), 3U * 288);
}

TEST(AdaptiveCalendar, AStepOfTheWeekHasTheClassOfItsMoment) {
  const AdaptiveCalendar utc;
  for (Second at = 0; at < 7 * day_s; at += step_s)
    EXPECT_EQ(slot_class_of_step(utc.week_step(monday + at)), utc.slot_class(monday + at));
}

}  // namespace
}  // namespace remitod::test
