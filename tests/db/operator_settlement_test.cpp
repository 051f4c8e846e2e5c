// What a person decides about a request that ended without a clear answer.
#include "db/operator_settlement.h"

#include <gmock/gmock.h>

#include "db/unclear_requests.h"
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::HasSubstr, testing::IsEmpty, testing::SizeIs;
using Kind = RequestOutcome::Kind;
using Action = OperatorSettlement::Action;

class OperatorSettlements : public test::RequestStoreTest {
 protected:
  RemitoRequest left_to_a_person(const Row& row) {
    const RemitoRequest request = claimed(row);
    RequestOutcome person = outcome(request, Kind::needs_operator);
    person.code = "unclear";
    person.text = "timeout";
    person.call_was_unclear = true;
    settle({person});
    return request;
  }
  std::expected<OperatorSettled, NotSettled> decide(const std::string& request, Action action,
                                                    const std::string& text = "", Instant now = noon + 1h) {
    return run<std::expected<OperatorSettled, NotSettled>>(
        [&](Session& at) { return settle_by_operator(at, {request, action, text, "ana"}, now); });
  }
};
REMITOD_ON_BOTH_ENGINES(OperatorSettlements);

TEST_P(OperatorSettlements, AnAdoptedRemitoIsAsGoodAsAGrantedOne) {
  left_to_a_person({.key = "K"});
  const auto settled = decide("K", Action::adopt, "0001");
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->request.state, "granted");
  EXPECT_EQ(settled->request.remito, "0001");
  EXPECT_EQ(settled->request.refusal_text, "");
  ASSERT_TRUE(settled->shipment);
  EXPECT_EQ(settled->shipment->remito, "0001");
  EXPECT_EQ(dispatch().at(0).to, "ready_to_ship");
  EXPECT_EQ(text("select operator || ': ' || operator_action from remito_requests"), "ana: adopted remito 0001");
  EXPECT_EQ(number("select operator_at from remito_requests"), to_micros(noon + 1h));
}

TEST_P(OperatorSettlements, ARefusalReachesTheOrderWithThePersonsWords) {
  left_to_a_person({.key = "K"});
  EXPECT_EQ(decide("K", Action::refuse, "la agencia no lo tiene")->request.state, "refused");
  const auto told = dispatch();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].to, "remito_refused");
  EXPECT_EQ(told[0].text, "la agencia no lo tiene");
  ask({.key = "again"});
  accept();
  EXPECT_EQ(view()[1].state, "pending") << "the order may ask again";
}

TEST_P(OperatorSettlements, WhatIsSentAnewBeginsFromTheBeginningUnderTheSameReference) {
  const RemitoRequest before = left_to_a_person({.key = "K"});
  EXPECT_EQ(decide("K", Action::resend)->request.state, "pending");
  const RemitoRequest again = claim({"oca"}, noon + 1h).at(0);
  EXPECT_EQ(again.client_ref, before.client_ref);
  EXPECT_EQ(again.attempts, 1);
  EXPECT_EQ(again.unclear_calls, 0);
  EXPECT_EQ(again.unclear_at, std::nullopt);
  EXPECT_EQ(again.first_sent_at, noon + 1h);
  EXPECT_THAT(dispatch(), IsEmpty());
}

TEST_P(OperatorSettlements, TheRequestIsNamedByKeyOrById) {
  left_to_a_person({.order = "1", .key = "first"});
  const auto id = std::to_string(number("select id from remito_requests"));
  EXPECT_TRUE(decide(id, Action::refuse, "no"));
  left_to_a_person({.order = "2", .key = "4711"});
  EXPECT_TRUE(decide("4711", Action::refuse, "no"));
  EXPECT_EQ(view("2")[0].state, "refused");
}

TEST_P(OperatorSettlements, ANumberThatIsTheKeyOfOneAndTheIdOfAnotherDecidesAboutNeither) {
  left_to_a_person({.order = "1", .key = "order-1-try-1"});
  const auto id = std::to_string(number("select id from remito_requests"));
  left_to_a_person({.order = "2", .key = id});
  const auto other_id = std::to_string(number("select max(id) from remito_requests"));
  const auto refused = decide(id, Action::refuse, "no");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, NotSettled::Why::ambiguous);
  EXPECT_THAT(refused.error().message, HasSubstr("key:order-1-try-1 (id " + id + ", order 1)"));
  EXPECT_THAT(refused.error().message, HasSubstr("key:" + id + " (id " + other_id + ", order 2)"));
  EXPECT_EQ(view("1")[0].state + view("2")[0].state, "needs_operatorneeds_operator");

  EXPECT_TRUE(decide("key:" + id, Action::refuse, "no"));
  EXPECT_EQ(view("2")[0].state, "refused");
  EXPECT_EQ(view("1")[0].state, "needs_operator");
  EXPECT_TRUE(decide("id:" + id, Action::refuse, "no"));
  EXPECT_EQ(view("1")[0].state, "refused");
}

TEST_P(OperatorSettlements, AKeyThatIsNotTakenInYetMakesANumberUnclearToo) {
  left_to_a_person({.order = "1", .key = "K"});
  const auto id = std::to_string(number("select id from remito_requests"));
  ask({.order = "2", .key = id});
  EXPECT_EQ(decide(id, Action::resend).error().why, NotSettled::Why::ambiguous);
  EXPECT_EQ(decide("key:" + id, Action::resend).error().why, NotSettled::Why::unknown_request) << "it is new";
  EXPECT_TRUE(decide("K", Action::resend));
}

TEST(OperatorSettlement, AKeyThatCouldBeReadAsSomethingElseIsNamedAsAKey) {
  EXPECT_EQ(unmistakable("order-1102-try-1"), "order-1102-try-1");
  EXPECT_EQ(unmistakable("9a"), "9a");
  EXPECT_EQ(unmistakable("9"), "key:9");
  EXPECT_EQ(unmistakable("-x"), "key:-x") << "no option";
  EXPECT_EQ(unmistakable("id:9"), "key:id:9");
  EXPECT_EQ(unmistakable("key:9"), "key:key:9");
}

TEST_P(OperatorSettlements, WhatIsNotThereOrNotOpenIsSaid) {
  EXPECT_EQ(decide("nobody", Action::resend).error().why, NotSettled::Why::unknown_request);
  EXPECT_EQ(decide("7", Action::resend).error().why, NotSettled::Why::unknown_request);
  ask({.order = "1", .key = "pending"});
  accept();
  EXPECT_EQ(decide("pending", Action::resend).error().why, NotSettled::Why::wrong_state);
  EXPECT_THAT(decide("pending", Action::resend).error().message, HasSubstr("is pending"));
  claim();
  EXPECT_EQ(decide("pending", Action::refuse, "no").error().why, NotSettled::Why::wrong_state) << "a call is under way";
  left_to_a_person({.order = "2", .key = "K"});
  EXPECT_TRUE(decide("K", Action::adopt, "0001"));
  EXPECT_EQ(decide("K", Action::adopt, "0002").error().why, NotSettled::Why::wrong_state) << "once is enough";
  EXPECT_EQ(number("select count(*) from shipments"), 1);
}

TEST_P(OperatorSettlements, ARemitoThatAnotherShipmentHasIsNotAdopted) {
  settle({granted(claimed({.order = "1"}), "0001")});
  left_to_a_person({.order = "2", .key = "K"});
  const auto settled = decide("K", Action::adopt, "0001");
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().why, NotSettled::Why::remito_in_use);
  EXPECT_EQ(view("2")[0].state, "needs_operator");
  EXPECT_EQ(view("2")[0].operator_action, "") << "nothing was done";
}

TEST_P(OperatorSettlements, ARemitoOfACancelledShipmentIsAdoptedWhereAPersonSaysSo) {
  settle({granted(claimed({.order = "1", .key = "first"}), "0001")});
  sql("update shipments set status = 'cancelled'");
  left_to_a_person({.order = "1", .key = "K"});
  EXPECT_TRUE(decide("K", Action::adopt, "0001"));
  EXPECT_EQ(view("1")[1].state, "granted");
  EXPECT_EQ(number("select count(*) from shipments where ended_at is null and cycle = 2"), 1);
}

TEST_P(OperatorSettlements, WhatHappenedToTheParcelUntilItsRemitoIsAdoptedIsTold) {
  left_to_a_person({.key = "K"});
  const auto settled = decide("K", Action::adopt, "0001", noon + 24h * 5);
  ASSERT_TRUE(settled);
  ASSERT_TRUE(settled->shipment);
  EXPECT_EQ(settled->shipment->registered_at, noon) << "the carrier may have made it with the first call";
  dispatch();
  TrackingEvent event;
  event.code = "EN";
  event.status = Status::delivered;
  event.occurred_at = OccurredAt{.at = noon + 24h * 2};
  const PolledReport report{settled->shipment->shipment_id, {"0001", Report::Kind::events, {event}}, {}};
  ApplyRules rules;
  rules.carrier = "oca";
  const auto applied = run<std::vector<AppliedReport>>(
      [&](Session& at) { return apply_reports(at, rules, std::span{&report, 1}, noon + 24h * 5 + 1min); });
  EXPECT_EQ(applied.at(0).too_old, 0u);
  EXPECT_EQ(dispatch().back().to, "delivered");
}

TEST_P(OperatorSettlements, ALookUnderWayComesTooLate) {
  RemitoRequest request = claimed({.key = "K"});
  RequestOutcome unknown = outcome(request, Kind::unknown);
  settle({unknown});
  request = run<std::vector<RemitoRequest>>([](Session& at) { return claim_undecided(at, "oca", 1); }).at(0);
  EXPECT_TRUE(decide("K", Action::refuse, "no"));
  EXPECT_TRUE(settle({granted(request, "0001")}).at(0).stale);
  EXPECT_EQ(view()[0].state, "refused");
}

}  // namespace
}  // namespace remitod::db
