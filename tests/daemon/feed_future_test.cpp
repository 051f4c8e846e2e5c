// What a feed tells of the future.
#include "tests/daemon/feed_poller_fixture.h"

namespace remitod::test {
namespace {

TEST_F(FeedPollerTest, WhatLiesInTheFutureIsTakenAsItComesSinceItWouldNotComeAgain) {
  follow("test", "T1");
  carrier.publish_at(monday - 2h, "T1", "picked", to_iso8601(monday + 30h));
  begin();
  clock().run_for(1min);
  EXPECT_EQ(told("T1"), "registered>picked_up");
}

}  // namespace
}  // namespace remitod::test
