// Ranges of numbers as texts.
#include "db/number_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace remitod::db {
namespace {

using testing::HasSubstr;

std::string problem(const std::string& first, const std::string& last) {
  const auto numbers = count_numbers({first, last});
  return numbers ? "" : numbers.error();
}

TEST(NumberRange, CountsBothEnds) {
  EXPECT_EQ(count_numbers({"0001", "0001"}), 1);
  EXPECT_EQ(count_numbers({"0001", "0500"}), 500);
  EXPECT_EQ(count_numbers({"RA000400098", "RA000400102"}), 5);
  EXPECT_EQ(count_numbers({"0000000000000000000099", "0000000000000000000101"}), 3) << "more digits than an integer";
  EXPECT_EQ(count_numbers({"RR473124829PE", "RR473124829PE"}), 1) << "a number of any form by itself";
}

TEST(NumberRange, KeepsZerosAndLettersInFront) {
  EXPECT_EQ(number_at("RA000400098", 0), "RA000400098");
  EXPECT_EQ(number_at("RA000400098", 3), "RA000400101");
  EXPECT_EQ(number_at("0999", 1), "1000");
}

TEST(NumberRange, SaysWhatIsWrongWithIt) {
  EXPECT_THAT(problem("", ""), HasSubstr("equally long"));
  EXPECT_THAT(problem("999", "1000"), HasSubstr("equally long"));
  EXPECT_THAT(problem("0500", "0001"), HasSubstr("the first comes after the last"));
  EXPECT_THAT(problem("RA0001", "RB0002"), HasSubstr("only in the digits at their end"));
  EXPECT_THAT(problem("001PE", "009PE"), HasSubstr("only in the digits at their end"));
  EXPECT_THAT(problem("00 1", "00 9"), HasSubstr("blank"));
  EXPECT_THAT(problem("00\n1", "00\n9"), HasSubstr("blank"));
  EXPECT_THAT(problem("00000000", "99999999"), HasSubstr("over 10000000 numbers"));
  EXPECT_THAT(problem("0" + std::string(30, '0'), "9" + std::string(30, '0')), HasSubstr("too many numbers"));
  EXPECT_THAT(problem(std::string(41, '1'), std::string(41, '1')), HasSubstr("over 40 characters"));
  EXPECT_EQ(problem("0000000", "9999999"), "");
}

RC_GTEST_PROP(NumberRange, EveryNumberOfItIsAnotherOneAndTheLastIsTheLast, ()) {
  const auto from = *rc::gen::inRange<std::int64_t>(0, 999'000);
  const auto numbers = *rc::gen::inRange<std::int64_t>(1, 300);
  const auto text = [](std::int64_t value) { return "R" + std::to_string(1'000'000 + value); };
  const NumberRange range{text(from), text(from + numbers - 1)};
  RC_ASSERT(count_numbers(range).value_or(0) == numbers);
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < numbers; ++i) seen.insert(number_at(range.first, i));
  RC_ASSERT(seen.size() == static_cast<std::size_t>(numbers));
  RC_ASSERT(*seen.begin() == range.first);
  RC_ASSERT(*seen.rbegin() == range.last);
}

}  // namespace
}  // namespace remitod::db
