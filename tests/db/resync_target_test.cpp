#include <gtest/gtest.h>

#include "db/stores.h"

namespace remitod::db {
namespace {

using Kind = ResyncTarget::Kind;

void expect_target(std::string_view text, Kind kind, std::string_view carrier, std::string_view value) {
  const std::optional<ResyncTarget> target = ResyncTarget::parse(text);
  ASSERT_TRUE(target) << text;
  EXPECT_EQ(target->kind, kind) << text;
  EXPECT_EQ(target->carrier, carrier) << text;
  EXPECT_EQ(target->value, value) << text;
  EXPECT_EQ(target->to_string(), text);
}

TEST(ResyncTarget, ReadsItsFourForms) {
  expect_target("all", Kind::all, "", "");
  expect_target("oca", Kind::carrier, "oca", "");
  expect_target("oca:0001234", Kind::shipment, "oca", "0001234");
  expect_target("order:1001", Kind::order, "", "1001");
}

TEST(ResyncTarget, FirstColonSplits) {
  expect_target("olva:24:12345", Kind::shipment, "olva", "24:12345");
  expect_target("order:A:1", Kind::order, "", "A:1");
}

TEST(ResyncTarget, KeepsBlanksInside) {
  expect_target("correios:AA 123 BR", Kind::shipment, "correios", "AA 123 BR");
}

TEST(ResyncTarget, RefusesWhatIsNoTarget) {
  for (const std::string_view text :
       {"", ":", "oca:", ":123", "order:", " oca", "oca ", "oca: 1", "oca:1\n", "order: 1"})
    EXPECT_FALSE(ResyncTarget::parse(text)) << '"' << text << '"';
}

}  // namespace
}  // namespace remitod::db
