// Numbers given ahead: each is handed out once, whoever takes it and whatever becomes of it.
#include <gmock/gmock.h>

#include <future>
#include <set>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class NumberRanges : public test::RequestStoreTest {
 protected:
  void state_range(const std::string& first, const std::string& last, const std::string& carrier = "oca") {
    sql("insert into remito_ranges (carrier, first_number, last_number) values ('" + carrier + "', '" + first + "', '" +
        last + "')");
  }
  std::size_t accept_ranges() {
    return run<std::size_t>([](Session& at) { return accept_number_ranges(at, noon, 100); });
  }
  std::expected<std::int64_t, std::string> add(std::vector<NumberRange> ranges) {
    return run<std::expected<std::int64_t, std::string>>(
        [&](Session& at) { return add_number_ranges(at, "oca", ranges, noon); });
  }
  std::vector<std::string> take(std::size_t count, const std::string& carrier = "oca") {
    return run<std::vector<std::string>>([&](Session& at) { return take_numbers(at, carrier, count); });
  }
  std::int64_t left(const std::string& carrier = "oca") {
    return run<std::int64_t>([&](Session& at) { return numbers_left(at, carrier); });
  }
  std::optional<int> claim_refill_at(Instant now) {
    return run<std::optional<int>>([=](Session& at) { return claim_refill(at, "oca", now, now + 1min); });
  }
  void end(Instant claimed_until, const std::string& problem, Instant next_try_at) {
    run<void>([&](Session& at) { return end_refill(at, "oca", claimed_until, problem, next_try_at); });
  }
};
REMITOD_ON_BOTH_ENGINES(NumberRanges);

TEST_P(NumberRanges, AStatedRangeIsCountedAndHandedOutInOrder) {
  state_range("RA000098", "RA000102");
  EXPECT_EQ(left(), 0) << "not before it was looked at";
  EXPECT_EQ(accept_ranges(), 1u);
  EXPECT_EQ(accept_ranges(), 0u);
  EXPECT_EQ(left(), 5);
  EXPECT_THAT(take(2), ElementsAre("RA000098", "RA000099"));
  EXPECT_THAT(take(9), ElementsAre("RA000100", "RA000101", "RA000102"));
  EXPECT_THAT(take(1), IsEmpty());
  EXPECT_EQ(left(), 0);
}

TEST_P(NumberRanges, AreOfTheirCarrierAlone) {
  state_range("001", "002", "oca");
  state_range("001", "002", "olva");
  accept_ranges();
  EXPECT_THAT(take(5, "olva"), ElementsAre("001", "002"));
  EXPECT_EQ(left("oca"), 2);
}

TEST_P(NumberRanges, AStatedRangeThatCannotBeUsedSaysWhyAndGivesNothing) {
  state_range("0500", "0001");
  state_range("0100", "0200");
  state_range("0200", "0300");
  accept_ranges();
  EXPECT_EQ(left(), 101);
  EXPECT_THAT(text("select error from remito_ranges where first_number = '0500'"), HasSubstr("comes after the last"));
  EXPECT_EQ(text("select error from remito_ranges where first_number = '0200'"),
            "0200 to 0300: overlaps 0100 to 0200, which is here already");
  state_range("0201", "0300");
  accept_ranges();
  EXPECT_EQ(left(), 201) << "one that was not taken in is in nobody's way";
}

TEST_P(NumberRanges, ANumberThatIsGoneIsNotTakenInAgain) {
  ASSERT_EQ(add({{"0001", "0010"}}), 10);
  take(10);
  EXPECT_FALSE(add({{"0010", "0010"}}));
  EXPECT_EQ(add({{"0011", "0011"}}), 1);
  EXPECT_EQ(add({{"00010", "00010"}}), 1) << "another length is another number";
  EXPECT_EQ(add({{"R001", "R010"}}), 10);
}

TEST_P(NumberRanges, WhatTheCarrierGivesIsTakenInWholeOrNotAtAll) {
  ASSERT_EQ(add({{"0001", "0010"}}), 10);
  const auto second = add({{"0020", "0030"}, {"0010", "0012"}});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("0010 to 0012: overlaps 0001 to 0010"));
  EXPECT_EQ(left(), 10);
  EXPECT_EQ(add({{"0020", "0020"}, {"AB12PE", "AB12PE"}}), 2);
}

TEST_P(NumberRanges, ATransactionThatIsAbandonedPutsItsNumbersBack) {
  ASSERT_EQ(add({{"0001", "0003"}}), 3);
  const auto abandoned = try_run<int>([](Session& at) -> DbResult<int> {
    EXPECT_THAT(*take_numbers(at, "oca", 2), SizeIs(2));
    return std::unexpected(DbError{DbError::Kind::busy, "", "the test"});
  });
  EXPECT_FALSE(abandoned);
  EXPECT_THAT(take(1), ElementsAre("0001"));
}

TEST_P(NumberRanges, TakersSideBySideNeverGetTheSameNumber) {
  std::vector<NumberRange> ranges;
  for (int i = 0; i < 20; ++i) ranges.push_back({std::to_string(1000 + 10 * i), std::to_string(1004 + 10 * i)});
  ASSERT_EQ(add(ranges), 100);
  std::vector<std::future<std::vector<std::string>>> takers;
  for (int i = 0; i < 4; ++i)
    takers.push_back(std::async(std::launch::async, [this] {
      OwnSession own = another();
      std::vector<std::string> mine;
      for (int round = 0; round < 9; ++round) {
        auto some = test::value_of(
            own.transact<std::vector<std::string>>([](Session& at) { return take_numbers(at, "oca", 3); }));
        mine.insert(mine.end(), some.begin(), some.end());
      }
      return mine;
    }));
  std::multiset<std::string> all;
  for (auto& taker : takers)
    for (std::string& number : taker.get()) all.insert(std::move(number));
  while (all.size() < 100) {
    const auto rest = take(10);
    ASSERT_THAT(rest, testing::Not(IsEmpty())) << "none is lost";
    all.insert(rest.begin(), rest.end());
  }
  EXPECT_THAT(std::set<std::string>(all.begin(), all.end()), SizeIs(100));
  EXPECT_EQ(left(), 0);
}

TEST_P(NumberRanges, RemitosThatAShipmentHasOrHadAreFound) {
  sql("insert into shipments (order_number, carrier, remito, ended_at, cycle) values ('1', 'oca', '0001', 5, 1)");
  sql("insert into shipments (order_number, carrier, remito) values ('2', 'oca', '0002')");
  sql("insert into shipments (order_number, carrier, remito) values ('3', 'olva', '0003')");
  const std::vector<std::string> remitos{"0001", "0002", "0003", "0004"};
  auto used = run<std::vector<std::string>>([&](Session& at) { return remitos_used(at, "oca", remitos); });
  EXPECT_THAT(used, testing::UnorderedElementsAre("0001", "0002"));
}

TEST_P(NumberRanges, OneOfManyAsksTheCarrierForMore) {
  EXPECT_EQ(claim_refill_at(noon), 0);
  EXPECT_EQ(claim_refill_at(noon + 59s), std::nullopt);
  EXPECT_EQ(claim_refill_at(noon + 60s), 0) << "the first has died";
  end(noon + 60s, "too late", noon + 9h);
  EXPECT_EQ(claim_refill_at(noon + 90s), std::nullopt) << "who is late changes nothing";
  end(noon + 120s, "HTTP 503", noon + 5min);
  EXPECT_EQ(claim_refill_at(noon + 4min), std::nullopt);
  EXPECT_EQ(claim_refill_at(noon + 5min), 1) << "failures in a row";
  end(noon + 6min, "", noon + 6min);
  EXPECT_EQ(claim_refill_at(noon + 6min), 0);
  EXPECT_EQ(text("select error from remito_refills"), "");
}

}  // namespace
}  // namespace remitod::db
