// Arithmetic in request templates.
#include "carriers/number_expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace remitod::carriers {
namespace {

using testing::HasSubstr;

std::string number(std::string_view expression) {
  const auto result = evaluate_number(expression);
  return result ? *result : "error: " + result.error();
}

TEST(NumberExpression, ConvertsUnits) {
  EXPECT_EQ(number("0.50 * 1000"), "500");
  EXPECT_EQ(number("ceiling(0.4567 * 1000)"), "457");
  EXPECT_EQ(number("round(2 * 2.20462 * 100) div 100"), "4.41");
  EXPECT_EQ(number("20 * 15 * 10 div 1000000"), "0.003");
}

TEST(NumberExpression, AddsUpWhatASectionRepeats) {
  EXPECT_EQ(number("0 + 0.5 * 1 + 2 * 3"), "6.5");
  EXPECT_EQ(number("0"), "0");
}

TEST(NumberExpression, HasNoTraceOfBinaryFractions) {
  EXPECT_EQ(number("0.1 + 0.2"), "0.3");
  EXPECT_EQ(number("1.1 * 3"), "3.3");
}

TEST(NumberExpression, HasAsManyPlacesAsAreWanted) {
  EXPECT_EQ(evaluate_number("2.5", 2), "2.50");
  EXPECT_EQ(evaluate_number("0.05 * 1", 1), "0.1");
  EXPECT_EQ(evaluate_number("0", 2), "0.00");
  EXPECT_EQ(evaluate_number("2.675", 2), "2.68") << "money is rounded half up";
  EXPECT_EQ(evaluate_number("999999999999.5", 0), "1000000000000");
}

TEST(NumberExpression, WritesLargeNumbersWithoutAnExponent) {
  EXPECT_EQ(number("999999999 * 1000"), "999999999000");
  EXPECT_EQ(number("100"), "100");
}

TEST(NumberExpression, RefusesWhatIsNoNumber) {
  for (const char* expression : {"", "1 div 0", "0 div 0", "1 - 2", "1 +", "(1", "999999999999 * 10", "1 2"}) {
    EXPECT_THAT(number(expression), HasSubstr("error: ")) << expression;
  }
}

TEST(NumberExpression, LooksAtNoDocumentAndTakesNoText) {
  for (const char* expression :
       {"count(//a)", "//a", "'1' + 1", "string-length(.)", "last()", "1 + x", "$a", "1e3", "floorx(1)"}) {
    EXPECT_THAT(number(expression), HasSubstr("is not arithmetic")) << expression;
  }
}

RC_GTEST_PROP(NumberExpression, KeepsWholeNumbers, ()) {
  const auto whole = *rc::gen::inRange<long long>(0, 1'000'000'000'000);
  RC_ASSERT(number(std::to_string(whole)) == std::to_string(whole));
}

}  // namespace
}  // namespace remitod::carriers
