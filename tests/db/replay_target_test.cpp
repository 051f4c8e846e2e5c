#include <gtest/gtest.h>

#include "db/sinks.h"

namespace remitod::db {
namespace {

TEST(ReplayTarget, DeadMeansThoseOfEverySink) {
  const auto target = ReplayTarget::parse("dead");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->kind, ReplayTarget::Kind::dead);
}

TEST(ReplayTarget, ANameMeansOneSink) {
  const auto target = ReplayTarget::parse("shop-events");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->kind, ReplayTarget::Kind::sink);
  EXPECT_EQ(target->sink, "shop-events");
}

TEST(ReplayTarget, ARangeHasBothItsEnds) {
  const auto target = ReplayTarget::parse("shop:7..12");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->kind, ReplayTarget::Kind::range);
  EXPECT_EQ(target->sink, "shop");
  EXPECT_EQ(target->first_seq, 7);
  EXPECT_EQ(target->last_seq, 12);
}

TEST(ReplayTarget, AnythingElseIsRefused) {
  for (const char* text : {"", ":1..2", "shop:", "shop:1", "shop:1-2", "shop:2..1", "shop:0..1", "shop:1..", "shop:..2",
                           "shop:1..2x", "shop:1..99999999999999999999"})
    EXPECT_FALSE(ReplayTarget::parse(text)) << text;
}

}  // namespace
}  // namespace remitod::db
