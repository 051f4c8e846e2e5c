#include "scheduler/calendar.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "scheduler/limits_hours.h"

namespace remitod::scheduler {
namespace {

using namespace std::chrono_literals;
using std::chrono::local_days, std::chrono::year;
using testing::HasSubstr;

local_days date(std::string_view text) {
  return parse_date(text).value();
}

Calendar calendar(std::string_view zone, std::vector<std::string> holidays = {}) {
  return Calendar::make(zone, holidays).value();
}

Instant utc(std::string_view text) {
  return from_iso8601(text).value();
}

// ------------------------------------------------------------------ days

TEST(Calendar, KnowsEasterOfEveryKindOfYear) {
  EXPECT_EQ(easter_sunday(2024), date("2024-03-31"));
  EXPECT_EQ(easter_sunday(2025), date("2025-04-20"));
  EXPECT_EQ(easter_sunday(2026), date("2026-04-05"));
  EXPECT_EQ(easter_sunday(2000), date("2000-04-23"));
  EXPECT_EQ(easter_sunday(1981), date("1981-04-19")) << "the moon of the first exception";
  EXPECT_EQ(easter_sunday(1954), date("1954-04-18")) << "of the second";
  EXPECT_EQ(easter_sunday(2285), date("2285-03-22")) << "the earliest that there is";
  EXPECT_EQ(easter_sunday(2038), date("2038-04-25")) << "the latest";
}

TEST(Calendar, EasterIsASundayInItsFiveWeeks) {
  for (int in = 1900; in < 2400; ++in) {
    const local_days easter = easter_sunday(in);
    EXPECT_EQ(std::chrono::weekday{easter}, std::chrono::Sunday) << in;
    EXPECT_GE(easter, local_days{year{in} / 3 / 22}) << in;
    EXPECT_LE(easter, local_days{year{in} / 4 / 25}) << in;
  }
}

TEST(Calendar, PeruvianHolidaysAreTheSeventeenOfTheLaw) {
  const Calendar peru = calendar("America/Lima", {"peru"});
  std::vector<std::string> found;
  for (local_days day = date("2026-01-01"); day <= date("2026-12-31"); day += std::chrono::days{1}) {
    if (!peru.is_holiday(day)) continue;
    const std::chrono::year_month_day at{day};
    found.push_back(std::to_string(unsigned{at.month()}) + "/" + std::to_string(unsigned{at.day()}));
  }
  EXPECT_THAT(found, testing::ElementsAre("1/1", "4/2", "4/3", "4/5", "5/1", "6/7", "6/29", "7/23", "7/28", "7/29",
                                          "8/6", "8/30", "10/8", "11/1", "12/8", "12/9", "12/25"));
}

TEST(Calendar, AHolidayHoldsFromTheYearOfItsLaw) {
  const Calendar peru = calendar("America/Lima", {"peru"});
  EXPECT_FALSE(peru.is_holiday(date("2023-06-07")));
  EXPECT_TRUE(peru.is_holiday(date("2024-06-07")));
  EXPECT_FALSE(peru.is_holiday(date("2022-07-23")));
  EXPECT_TRUE(peru.is_holiday(date("2023-07-23")));
  EXPECT_FALSE(peru.is_holiday(date("2021-08-06")));
  EXPECT_TRUE(peru.is_holiday(date("2022-12-09")));
}

TEST(Calendar, StatedDaysAreHolidaysOnceOrEveryYear) {
  const Calendar arequipa = calendar("America/Lima", {"peru", "08-15", "2026-12-24"});
  EXPECT_TRUE(arequipa.is_holiday(date("2026-08-15")));
  EXPECT_TRUE(arequipa.is_holiday(date("2031-08-15")));
  EXPECT_TRUE(arequipa.is_holiday(date("2026-12-24")));
  EXPECT_FALSE(arequipa.is_holiday(date("2027-12-24")));
  EXPECT_TRUE(calendar("UTC", {"02-29"}).is_holiday(date("2028-02-29")));
}

TEST(Calendar, WhatIsNoHolidayIsToldWithWhatIs) {
  for (const std::string wrong : {"", "chile", "2026-02-29", "02-30", "24-12", "2026-1-01", "12/24", "+8-15"}) {
    const auto made = Calendar::make("America/Lima", std::vector<std::string>{"peru", wrong});
    ASSERT_FALSE(made) << wrong;
    EXPECT_THAT(made.error(), HasSubstr("\"" + wrong + "\": expected \"peru\"")) << wrong;
  }
  EXPECT_THAT(Calendar::make("Lima", {}).error(), HasSubstr("not an IANA time zone"));
}

TEST(Calendar, TheClockOnTheWallIsTheZones) {
  const Calendar::Local lima = calendar("America/Lima").local(utc("2026-11-23T03:30:00Z"));
  EXPECT_EQ(lima.day, date("2026-11-22"));
  EXPECT_EQ(lima.time, 22h + 30min);
  // Until Sunday, 5 April 2026, 03:00 UTC, Santiago is at -03:00; then at -04:00.
  const Calendar santiago = calendar("America/Santiago");
  const Instant change = utc("2026-04-05T03:00:00Z");
  EXPECT_EQ(santiago.local(change - 1s).clock_change, change);
  EXPECT_EQ(santiago.local(change - 1s).time, 24h - 1s);
  EXPECT_EQ(santiago.local(change).time, 23h) << "an hour comes twice";
}

// ------------------------------------------------------------------ rules

OpenHours hours(std::vector<std::string> windows, std::vector<std::string> blackouts = {},
                Calendar of = calendar("America/Lima", {"peru"})) {
  const auto rules = [](const std::vector<std::string>& texts) {
    std::vector<HoursRule> parsed;
    for (const std::string& text : texts) parsed.push_back(HoursRule::parse(text).value());
    return parsed;
  };
  return OpenHours(std::move(of), rules(windows), rules(blackouts));
}

/// A moment in Lima.
Instant lima(std::string_view text) {
  return utc(std::string(text) + ":00-05:00");
}

bool open_at(const OpenHours& of, std::string_view moment) {
  return of.at(lima(moment)).open;
}

TEST(OpenHours, BusinessHoursAreOpenFromTheirBeginningUpToTheirEnd) {
  const OpenHours business = hours({"mon-fri 08:00-18:00", "sat 08:00-13:00"});
  EXPECT_FALSE(open_at(business, "2026-11-23T07:59"));
  EXPECT_TRUE(open_at(business, "2026-11-23T08:00"));
  EXPECT_TRUE(open_at(business, "2026-11-23T17:59"));
  EXPECT_FALSE(open_at(business, "2026-11-23T18:00"));
  EXPECT_TRUE(open_at(business, "2026-11-28T12:59"));
  EXPECT_FALSE(open_at(business, "2026-11-28T13:00"));
  EXPECT_FALSE(open_at(business, "2026-11-29T10:00")) << "a Sunday";
  EXPECT_EQ(business.next_open(lima("2026-11-28T13:00")), lima("2026-11-30T08:00"));
  EXPECT_EQ(business.next_open(lima("2026-11-23T09:00")), lima("2026-11-23T09:00"));
}

TEST(OpenHours, AHolidayHasWindowsOfItsOwn) {
  const OpenHours closed = hours({"mon-fri 08:00-18:00"});
  EXPECT_FALSE(open_at(closed, "2026-12-08T10:00")) << "a Tuesday, Inmaculada Concepción";
  EXPECT_EQ(closed.next_open(lima("2026-12-08T10:00")), lima("2026-12-10T08:00")) << "the ninth is one, too";
  const OpenHours shorter = hours({"mon-fri 08:00-18:00", "holiday 09:00-12:00"});
  EXPECT_FALSE(open_at(shorter, "2026-12-08T08:30"));
  EXPECT_TRUE(open_at(shorter, "2026-12-08T10:00"));
  EXPECT_FALSE(open_at(shorter, "2026-12-08T13:00"));
  EXPECT_TRUE(open_at(hours({"daily 08:00-18:00"}), "2026-12-08T10:00"));
}

TEST(OpenHours, BlackoutsOfTheWeekdayHoldOnAHolidayToo) {
  const OpenHours of = hours({}, {"tue 10:00-11:00", "holiday 15:00-16:00"});
  EXPECT_FALSE(open_at(of, "2026-12-08T10:30"));
  EXPECT_FALSE(open_at(of, "2026-12-08T15:30"));
  EXPECT_TRUE(open_at(of, "2026-12-08T12:00"));
  EXPECT_TRUE(open_at(of, "2026-12-15T15:30"));
}

TEST(OpenHours, ABlackoutOverMidnightBelongsToTheDayOnWhichItBegins) {
  const OpenHours of = hours({}, {"sat 23:30-01:00"});
  EXPECT_TRUE(open_at(of, "2026-11-28T00:30"));
  EXPECT_FALSE(open_at(of, "2026-11-28T23:30"));
  EXPECT_FALSE(open_at(of, "2026-11-29T00:59"));
  EXPECT_TRUE(open_at(of, "2026-11-29T01:00"));
  EXPECT_TRUE(open_at(of, "2026-11-29T23:45"));
  EXPECT_EQ(of.next_open(lima("2026-11-28T23:30")), lima("2026-11-29T01:00"));
}

TEST(OpenHours, DatesCloseWholeDaysOrPartsOfThem) {
  const OpenHours of = hours({}, {"2026-12-24 13:00-24:00", "2026-12-31..2027-01-02"});
  EXPECT_TRUE(open_at(of, "2026-12-24T12:59"));
  EXPECT_FALSE(open_at(of, "2026-12-24T13:00"));
  EXPECT_TRUE(open_at(of, "2026-12-25T00:00"));
  EXPECT_EQ(of.next_open(lima("2026-12-31T00:00")), lima("2027-01-03T00:00"));
}

TEST(OpenHours, ASkippedHourDelaysNothingAndARepeatedOneHoldsTwice) {
  // New York: 2026-03-08 02:00 becomes 03:00; 2026-11-01 02:00 becomes 01:00.
  const OpenHours of = hours({"02:30-04:00", "01:15-01:45"}, {}, calendar("America/New_York"));
  EXPECT_EQ(of.next_open(utc("2026-03-08T06:50:00Z")), utc("2026-03-08T07:00:00Z")) << "02:30 never comes: 03:00 does";
  EXPECT_EQ(of.next_open(utc("2026-11-01T05:50:00Z")), utc("2026-11-01T06:15:00Z")) << "01:15 for the second time";
}

TEST(OpenHours, WhatNeverOpensSaysSo) {
  EXPECT_FALSE(hours({"2020-01-01"}).next_open(lima("2026-11-23T00:00")));
  EXPECT_FALSE(hours({"mon 08:00-09:00"}, {"daily"}).next_open(lima("2026-11-23T00:00")));
}

struct Written {
  std::string text;
  std::string same_as;
};

TEST(HoursRule, WritesOneMeaningInSeveralWays) {
  for (const auto& [text, same_as] : {Written{"daily", "mon-sun,holiday"}, Written{"08:00-12:00", "daily 08:00-12:00"},
                                      Written{"sat-mon", "sat,sun,mon"}, Written{"daily", "daily 00:00-24:00"},
                                      Written{"2026-12-24", "2026-12-24..2026-12-24"}}) {
    ASSERT_TRUE(HoursRule::parse(text)) << text;
    EXPECT_EQ(HoursRule::parse(text), HoursRule::parse(same_as)) << text;
  }
}

TEST(HoursRule, WhatCannotBeReadIsToldWithWhatCan) {
  for (const std::string wrong : {"",
                                  " ",
                                  "mon ",
                                  " mon",
                                  "monday",
                                  "mon-fry 08:00-18:00",
                                  "mon-",
                                  "-mon",
                                  "mon,",
                                  "mon-holiday",
                                  "8:00-18:00",
                                  "08:00",
                                  "08:00-",
                                  "08:00-08:00",
                                  "24:00-08:00",
                                  "08:00-24:01",
                                  "08:60-09:00",
                                  "-1:00-08:00",
                                  "mon 08:00-18:00 ",
                                  "mon  08:00-18:00",
                                  "08:00-18:00 mon",
                                  "2026-02-30",
                                  "2026-12-31..2026-12-01",
                                  "2026-12-31..",
                                  "daily daily"}) {
    const auto parsed = HoursRule::parse(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_THAT(parsed.error(), HasSubstr("\"mon-fri 08:00-18:00\"")) << wrong;
  }
}

}  // namespace
}  // namespace remitod::scheduler
