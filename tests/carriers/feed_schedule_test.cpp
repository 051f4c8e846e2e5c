// When a feed is asked, and for what stretch of time, as profiles say it.
#include "carriers/feed_schedule.h"

#include <gmock/gmock.h>

#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

class FeedScheduleTest : public ProfileTest {
 protected:
  FeedScheduleTest() { settings_ = {.name = "c", .base_url = "", .values = {}, .secrets = {}}; }
  static std::string feed_with(const std::string& keys) {
    return "title = \"C\"\nzone = \"America/Lima\"\nbase_url = \"https://c.example\"\n[feed]\n"
           "url = \"{{base_url}}/changes?from={{#since}}%F{{/since}}\"\n" +
           keys +
           "[feed.answer]\nformat = \"json\"\nshipments = \"/json/rows\"\nremito = \"n\"\nevents = \".\"\n"
           "[feed.event]\ncode = \"c\"\ntime = \"t\"\nformats = [\"iso\"]\n";
  }
  void expect_refused(const std::string& keys, const std::string& key, const std::string& message) {
    const auto found = errors(feed_with(keys));
    ASSERT_EQ(found.size(), 1u) << keys;
    EXPECT_EQ(found[0].key, key) << keys;
    EXPECT_THAT(found[0].message, HasSubstr(message)) << keys;
  }
};

TEST_F(FeedScheduleTest, ItIsEveryTenMinutesWithAnHoursOverlapWhereNothingElseIsSaid) {
  const auto profile = loaded(feed_with(""));
  ASSERT_TRUE(profile);
  const carriers::FeedSchedule* const schedule = carriers::feed_schedule(*profile);
  ASSERT_TRUE(schedule);
  EXPECT_EQ(schedule->interval, 10min);
  EXPECT_EQ(schedule->overlap, 1h);
  EXPECT_EQ(schedule->window_max, 24h);
}

TEST_F(FeedScheduleTest, ItIsAsTheProfileSays) {
  const auto profile = loaded(feed_with("interval = \"90 s\"\noverlap = \"10 min\"\nwindow_max = \"31 d\"\n"));
  ASSERT_TRUE(profile);
  const carriers::FeedSchedule* const schedule = carriers::feed_schedule(*profile);
  ASSERT_TRUE(schedule);
  EXPECT_EQ(schedule->interval, 90s);
  EXPECT_EQ(schedule->overlap, 10min);
  EXPECT_EQ(schedule->window_max, 31 * 24h);
}

TEST_F(FeedScheduleTest, ProfileWithoutAFeedHasNone) {
  settings_ = {.name = "c", .base_url = "", .values = {{"account", "a"}}, .secrets = {{"password", "p"}}};
  const auto profile = loaded(std::string(good_profile));
  ASSERT_TRUE(profile);
  EXPECT_FALSE(carriers::feed_schedule(*profile));
}

TEST_F(FeedScheduleTest, WindowThatTheOverlapFillsIsRefused) {
  EXPECT_THAT(errors(feed_with("overlap = \"29 min\"\nwindow_max = \"30 min\"\n")), IsEmpty());
  expect_refused("overlap = \"1 d\"\n", "feed.overlap", "less than window_max");
  expect_refused("window_max = \"30 min\"\n", "feed.window_max", "overlap (default 1 h)");
}

TEST_F(FeedScheduleTest, TimesOutOfTheirRangeAreRefused) {
  expect_refused("interval = \"500 ms\"\n", "feed.interval", "whole seconds");
  expect_refused("interval = \"25 h\"\n", "feed.interval", "from 1 s to 86400 s");
  expect_refused("window_max = \"32 d\"\n", "feed.window_max", "from 60 s");
}

}  // namespace
}  // namespace remitod::test
