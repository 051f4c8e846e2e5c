// Remitos out of ranges of numbers given ahead.
#include "tests/daemon/remito_ways.h"

#include <memory>
#include <set>

namespace remitod::test {
namespace {

using carriers::FetchError;
using carriers::FetchResult;
using testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

const std::string stated_range = head_of_all + R"toml(
[create]
remito_is = "range"
required = ["recipient.name"]
[create.range]
number = "RR{{serial}}{{check_digit}}PE"
low_water = 3
[create.range.check_digit]
modulus = 11
weights = [8, 6, 4, 2, 3, 5, 9, 7]
from = "left"
values = { "0" = "5", "10" = "0" }
)toml";

const std::string asked_range = head_of_all + R"toml(
[create]
remito_is = "range"
method = "POST"
url = "{{base_url}}/create/{{client_ref}}/{{remito}}"
[create.answer]
format = "json"
granted = "/json/ok = 'true'"
refused = "/json/ok = 'false'"
number_refused = "/json/why = 'number'"
refusal_text = "/json/why"
[create.range]
low_water = 10
block_size = 20
method = "POST"
url = "{{base_url}}/range/{{block_size}}"
[create.range.answer]
format = "json"
first = "/json/first"
last = "/json/last"
)toml";

// ------------------------------------------------------------------ numbers that people state

TEST_F(RemitoWays, ANumberOfTheRangeIsTheGrantAndNobodyIsAsked) {
  start(stated_range);
  state_range("47312482", "47312489");
  ask("1");
  ask("2");
  clock().run_for(5s);
  EXPECT_EQ(remito("1"), "RR473124829PE") << "the example of the standard";
  EXPECT_THAT(remito("2"), HasSubstr("RR47312483"));
  EXPECT_EQ(ready_to_ship(), 2);
  EXPECT_EQ(count("shipments where accepted_at is not null"), 2);
  EXPECT_THAT(carriers.creates(), IsEmpty());
  EXPECT_EQ(count("transitions where seq is null"), 0);
}

TEST_F(RemitoWays, WhatALabelNeedsIsAskedForEvenWhereNobodyIsAsked) {
  start(stated_range);
  state_range("47312482", "47312489");
  ask("1", R"({"recipient": {"name": "  "}})");
  clock().run_for(5s);
  EXPECT_EQ(state(), "refused");
  EXPECT_THAT(of("1", "refusal_text"), HasSubstr("recipient.name"));
}

TEST_F(RemitoWays, WithoutNumbersRequestsWaitForTheNextRange) {
  start(stated_range);
  ask("1");
  clock().run_for(1h);
  EXPECT_EQ(state(), "pending");
  state_range("00000001", "00000001");
  clock().run_for(5s);
  EXPECT_EQ(state(), "granted");
  ask("2");
  clock().run_for(1h);
  EXPECT_EQ(state("2"), "pending") << "one number, one shipment";
}

TEST_F(RemitoWays, ANumberThatAShipmentHasAlreadyIsPassedOver) {
  start(stated_range);
  follow("test", "RR473124829PE", "old");
  state_range("47312482", "47312483");
  ask("1");
  clock().run_for(5s);
  EXPECT_THAT(remito(), HasSubstr("RR47312483"));
  EXPECT_EQ(ready_to_ship(), 1);
}

TEST_F(RemitoWays, ARangeThatOverlapsGivesNoNumberTwice) {
  start(stated_range);
  state_range("00000001", "00000005");
  clock().run_for(1s);
  state_range("00000005", "00000009");
  for (int i = 1; i <= 9; ++i) ask(std::to_string(i));
  clock().run_for(10min);
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 5);
  EXPECT_EQ(database.number("select count(distinct remito) from shipments"), 5);
}

// ------------------------------------------------------------------ numbers that the carrier gives on request

TEST_F(RemitoWays, TheNextRangeIsAskedForBeforeTheLastRunsDry) {
  give_ranges();
  start(asked_range);
  for (int i = 0; i < 200; ++i) {
    ask(std::to_string(i));
    clock().run_for(1s);
    ASSERT_EQ(state(std::to_string(i)), "granted") << i;
  }
  EXPECT_EQ(database.number("select count(distinct remito) from shipments"), 200);
  EXPECT_EQ(sent_to("/range/20"), static_cast<std::size_t>(blocks_));
  EXPECT_LE(blocks_, 11) << "and not sooner than needed";
}

TEST_F(RemitoWays, TheCarrierIsToldTheNumberThatTheRequestGets) {
  give_ranges();
  start(asked_range);
  ask("1");
  clock().run_for(5s);
  ASSERT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_THAT(carriers.creates()[0].request.url, HasSubstr("/1000"));
  EXPECT_EQ(remito(), "1000");
}

TEST_F(RemitoWays, WhatWasNeverSentKeepsItsNumber) {
  give_ranges();
  start(asked_range);
  clock().run_for(1s);
  carriers.next("test", fetch_error(FetchError::Kind::connect, true));
  ask("1");
  clock().run_for(1min);
  ASSERT_THAT(carriers.creates(), SizeIs(2));
  EXPECT_EQ(carriers.creates()[0].request.url, carriers.creates()[1].request.url);
  EXPECT_EQ(remito(), "1000");
}

TEST_F(RemitoWays, WhoHasItsNumberIsSentThoughNoOtherIsLeft) {
  bool is_there = false;
  carriers.always("test", [&](const Asked&, Instant) {
    if (last_url().contains("/range/")) return blocks_ == 0 ? ranges_carrier() : json("{}", 500);
    return is_there ? json(R"({"ok":true})") : fetch_error(FetchError::Kind::connect, true);
  });
  start(asked_range);
  clock().run_for(1s);
  for (int i = 1; i <= 21; ++i) ask(std::to_string(i));
  clock().run_for(1min);
  ASSERT_EQ(count("remito_requests where state = 'pending' and proposed_remito <> ''"), 20);
  is_there = true;
  clock().run_for(2h);
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 20);
  EXPECT_EQ(state("21"), "pending");
}

TEST_F(RemitoWays, ANumberThatTheCarrierWillNotHaveIsReplacedByTheNext) {
  give_ranges();
  start(asked_range);
  clock().run_for(1s);
  carriers.next("test", json(R"({"ok":false,"why":"number"})"));
  ask("1");
  clock().run_for(5s);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(remito(), "1001");
  ask("2");
  clock().run_for(5s);
  EXPECT_EQ(remito("2"), "1002") << "the number that was refused is gone";
}

TEST_F(RemitoWays, CallsThatWerePutOffAreNoNumbersThatTheCarrierWillNotHave) {
  int creates = 0;
  carriers.always("test", [&](const Asked& asked, Instant) {
    if (!asked.create) return ranges_carrier();
    ++creates;
    return creates <= 6   ? fetch_error(FetchError::Kind::connect, true)
           : creates == 7 ? json(R"({"ok":false,"why":"number"})")
                          : json(R"({"ok":true})");
  });
  start(asked_range);
  clock().run_for(1s);
  ask("1");
  clock().run_for(6h);
  EXPECT_EQ(of("1", "attempts"), "8");
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(remito(), "1001");
}

TEST_F(RemitoWays, ACarrierThatWillHaveNoNumberRefusesInTheEnd) {
  carriers.always("test", [this](const Asked& asked, Instant) {
    return asked.create ? json(R"({"ok":false,"why":"number"})") : ranges_carrier();
  });
  start(asked_range);
  ask("1");
  clock().run_for(1h);
  EXPECT_EQ(state(), "refused");
  EXPECT_THAT(carriers.creates(), SizeIs(5));
}

TEST_F(RemitoWays, ACrashInTheCallLeavesItUnknownAndItsNumberIsNobodyElses) {
  give_ranges();
  start(asked_range);
  clock().run_for(1s);
  carriers.set_latency(10s);
  ask("1");
  ASSERT_TRUE(clock().run_until_true([&] { return !carriers.creates().empty(); }, monday + 1min));
  crash();
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_EQ(of("1", "proposed_remito"), "1000") << "for whoever looks into it";
  ask("2");
  clock().run_for(1min);
  EXPECT_EQ(remito("2"), "1001");
}

TEST_F(RemitoWays, AShipmentThatIsFoundUnderAnotherNumberThanItWasGivenIsForAPerson) {
  carriers.always("test", [this](const Asked&, Instant) {
    if (last_url().contains("/find/")) return json(R"({"number":"7777"})");
    return last_url().contains("/range/") ? ranges_carrier() : fetch_error(FetchError::Kind::timeout);
  });
  start(asked_range + R"toml(
[find]
url = "{{base_url}}/find/{{client_ref}}"
[find.answer]
format = "json"
found = "/json/number"
remito = "/json/number"
)toml");
  ask("1");
  clock().run_for(5min);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_EQ(of("1", "refusal_code"), "number_differs");
  EXPECT_THAT(of("1", "refusal_text"), HasSubstr("7777, but it was given the number 1000"));
  EXPECT_EQ(count("shipments"), 0);
}

TEST_F(RemitoWays, ARangeThatWasLostInACrashIsAskedForAgain) {
  give_ranges();
  carriers.set_latency(10s);
  start(asked_range);
  ask("1");
  ASSERT_TRUE(clock().run_until_true([&] { return sent_to("/range/") == 1; }, monday + 1min));
  crash();
  clock().run_for(5min);
  EXPECT_EQ(sent_to("/range/"), 2u);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(remito(), "1020");
}

TEST_F(RemitoWays, ARangeThatComesWhileTheDatabaseIsBusyIsStoredWhenItIsNot) {
  give_ranges();
  carriers.set_latency(10s);
  start(asked_range);
  ask("1");
  ASSERT_TRUE(clock().run_until_true([&] { return sent_to("/range/") == 1; }, monday + 1min));
  daemon->executor.fail_always(db::DbError::Kind::busy);
  clock().run_for(20s);
  ASSERT_EQ(count("remito_ranges"), 0);
  daemon->executor.stop_failing();
  clock().run_for(1min);
  EXPECT_EQ(sent_to("/range/"), 1u) << "it was not asked for again";
  EXPECT_EQ(remito(), "1000");
}

TEST_F(RemitoWays, ARangeWhoseCommitWasNotHeardOfIsThereOnce) {
  give_ranges();
  carriers.set_latency(10s);
  start(asked_range);
  ask("1");
  ASSERT_TRUE(clock().run_until_true([&] { return sent_to("/range/") == 1; }, monday + 1min));
  clock().run_for(5s);
  database.commits().deny(1);
  clock().run_for(1min);
  ASSERT_EQ(database.commits().denied(), 1);
  EXPECT_EQ(count("remito_ranges"), 1);
  EXPECT_EQ(remito(), "1000");
}

TEST_F(RemitoWays, ACarrierThatGivesNoRangeIsAskedWithGrowingPauses) {
  carriers.always("test", json(R"({"error":"later"})"));
  start(asked_range);
  ask("1");
  clock().run_for(24h);
  EXPECT_EQ(state(), "pending");
  EXPECT_GE(sent_to("/range/"), 100u);
  EXPECT_LE(sent_to("/range/"), 160u);
  EXPECT_THAT(database.text("select error from remito_refills"), HasSubstr("no numbers"));
  give_ranges();
  clock().run_for(11min);
  EXPECT_EQ(state(), "granted");
}

TEST_F(RemitoWays, ACarrierThatGivesTheSameRangeTwiceGivesNothingNew) {
  carriers.always("test", [this](const Asked&, Instant) {
    blocks_ = 0;
    return ranges_carrier();
  });
  start(asked_range);
  for (int i = 0; i < 30; ++i) ask(std::to_string(i));
  clock().run_for(1h);
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 20);
  EXPECT_EQ(database.number("select count(distinct remito) from shipments"), 20);
  EXPECT_THAT(database.text("select error from remito_refills"), HasSubstr("overlaps"));
}

TEST_F(RemitoWays, TwoWorkersShareTheNumbersAndOneOfThemAsksForMore) {
  give_ranges();
  start(asked_range);
  VirtualDaemon second(database, carriers, monday);
  second.add_carrier(load_small_profile(asked_range));
  second.start();
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 3; ++i) ask_remito("test", std::to_string(3 * round + i), "{}");
    daemon->worker.wake();
    second.worker.wake();
    VirtualRuntime& ahead = round % 2 == 0 ? clock() : second.runtime;
    VirtualRuntime& behind = round % 2 == 0 ? second.runtime : clock();
    for (int step = 0; step < 40; ++step) {
      ahead.run_for(50ms);
      behind.run_for(50ms);
    }
  }
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 180);
  EXPECT_EQ(database.number("select count(distinct remito) from shipments"), 180);
  EXPECT_THAT(carriers.creates(), SizeIs(180));
  EXPECT_LE(blocks_, 10) << "one range at a time";
  EXPECT_GT(second.worker.counters().granted, 0u);
  EXPECT_GT(daemon->worker.counters().granted, 0u);
}

}  // namespace
}  // namespace remitod::test
