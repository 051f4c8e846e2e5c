// What became of claimed requests.
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using Kind = RequestOutcome::Kind;

class Settlement : public test::RequestStoreTest {};
REMITOD_ON_BOTH_ENGINES(Settlement);

TEST_P(Settlement, GrantedRemitoIsAShipmentAndMakesTheOrderReadyToShip) {
  const RemitoRequest request = claimed({.order = "1001", .parcel_group = 2});
  const SettledRequest settled = settle({granted(request, "0001234500000000000022")}, noon + 3s).at(0);
  EXPECT_FALSE(settled.stale);
  EXPECT_FALSE(settled.remito_in_use);
  ASSERT_TRUE(settled.shipment);
  EXPECT_EQ(settled.shipment->shipment_id, number("select id from shipments"));
  EXPECT_EQ(settled.shipment->carrier, "oca");
  EXPECT_EQ(settled.shipment->remito, "0001234500000000000022");
  EXPECT_EQ(settled.shipment->registered_at, noon) << "when the call began";

  EXPECT_EQ(number("select count(*) from shipments where order_number = '1001' and parcel_group = 2 and cycle = 1 and "
                   "status = 'registered' and ended_at is null and accepted_at = registered_at + 3000000"),
            1);
  EXPECT_EQ(number("select count(*) from shipments s join remito_requests r on r.id = s.request_id "
                   "and r.shipment_id = s.id and r.lease_expires_at is null and r.request_hash = 'hash'"),
            1);
  EXPECT_EQ(view()[0].state, "granted");
  EXPECT_EQ(view()[0].remito, "0001234500000000000022");
  EXPECT_EQ(view()[0].settled_at, noon + 3s);

  const auto transitions = dispatch();
  ASSERT_EQ(transitions.size(), 1u);
  EXPECT_EQ(transitions[0].subject, "request");
  EXPECT_EQ(transitions[0].order_number, "1001");
  EXPECT_EQ(transitions[0].parcel_group, 2);
  EXPECT_EQ(transitions[0].carrier, "oca");
  EXPECT_EQ(transitions[0].remito, "0001234500000000000022");
  EXPECT_EQ(transitions[0].from, "confirmed");
  EXPECT_EQ(transitions[0].to, "ready_to_ship");
  EXPECT_EQ(transitions[0].detected_at, noon + 3s);
  EXPECT_EQ(transitions[0].occurred_at, std::nullopt);
}

TEST_P(Settlement, RefusalKeepsTheCarriersWords) {
  const RemitoRequest request = claimed({});
  EXPECT_FALSE(settle({refused(request, "Código postal sin cobertura: \"15001\"")}).at(0).shipment);
  EXPECT_EQ(view()[0].state, "refused");
  EXPECT_EQ(view()[0].refusal_code, "17");
  EXPECT_EQ(view()[0].refusal_text, "Código postal sin cobertura: \"15001\"");
  EXPECT_EQ(view()[0].settled_at, noon);
  const auto transitions = dispatch();
  ASSERT_EQ(transitions.size(), 1u);
  EXPECT_EQ(transitions[0].to, "remito_refused");
  EXPECT_EQ(transitions[0].text, "Código postal sin cobertura: \"15001\"");
  EXPECT_EQ(number("select count(*) from shipments"), 0);
}

TEST_P(Settlement, UnknownOutcomeTellsNobodyAndIsNoNewRequest) {
  const RemitoRequest request = claimed({});
  RequestOutcome unknown = outcome(request, Kind::unknown);
  unknown.text = "timeout: no answer";
  unknown.request_hash = "hash";
  settle({unknown});
  EXPECT_EQ(view()[0].state, "unknown");
  EXPECT_EQ(view()[0].refusal_text, "timeout: no answer");
  EXPECT_EQ(view()[0].settled_at, std::nullopt);
  EXPECT_EQ(text("select request_hash from remito_requests"), "hash");
  EXPECT_TRUE(claim({"oca"}, noon + 9999h).empty());
  EXPECT_TRUE(dispatch().empty());
}

TEST_P(Settlement, RemitoThatIsStillOpenIsForAPerson) {
  settle({granted(claimed({.order = "1"}), "0001")});
  dispatch();
  const SettledRequest second = settle({granted(claimed({.order = "2"}), "0001")}).at(0);
  EXPECT_TRUE(second.remito_in_use);
  EXPECT_FALSE(second.shipment);
  EXPECT_EQ(view("2")[0].state, "needs_operator");
  EXPECT_EQ(view("2")[0].remito, "");
  EXPECT_EQ(view("2")[0].refusal_code, "remito_in_use");
  EXPECT_EQ(view("2")[0].refusal_text, "the carrier gave remito 0001, which another open shipment of this carrier has");
  EXPECT_EQ(number("select count(*) from shipments"), 1);
  EXPECT_TRUE(dispatch().empty());
}

TEST_P(Settlement, OneRemitoTwiceInABatchIsGrantedOnce) {
  const RemitoRequest first = claimed({.order = "1"});
  const RemitoRequest second = claimed({.order = "2"});
  const auto settled = settle({granted(second, "0001"), granted(first, "0001")});
  EXPECT_EQ(settled[0].request_id, second.request_id) << "results come in the order of the outcomes";
  EXPECT_NE(settled[0].remito_in_use, settled[1].remito_in_use);
  EXPECT_EQ(number("select count(*) from shipments"), 1);
  EXPECT_EQ(dispatch().size(), 1u);
}

TEST_P(Settlement, RemitoOfAnotherCarrierIsAnotherRemito) {
  settle({granted(claimed({.order = "1"}), "0001")});
  EXPECT_TRUE(settle({granted(claimed({.order = "2", .carrier = "olva"}), "0001")}).at(0).shipment);
}

TEST_P(Settlement, RemitoUsedAgainAfterItsEndCountsTheCycleUp) {
  settle({granted(claimed({.order = "1"}), "0001")});
  sql("update shipments set ended_at = 1");
  settle({granted(claimed({.order = "2"}), "0001")});
  EXPECT_EQ(number("select cycle from shipments where order_number = '2'"), 2);
  EXPECT_EQ(number("select max(cycle) from transitions"), 2);
}

TEST_P(Settlement, RemitoThatTheCarrierGaveThisOrderBeforeIsForAPerson) {
  settle({granted(claimed({.order = "1", .key = "first"}), "0001")});
  sql("update shipments set status = 'cancelled'");
  dispatch();
  RequestOutcome again = granted(claimed({.order = "1", .key = "again"}), "0001");
  again.may_repeat_order = true;
  const SettledRequest settled = settle({again}).at(0);
  EXPECT_TRUE(settled.remito_in_use);
  EXPECT_FALSE(settled.shipment);
  EXPECT_EQ(view("1")[1].state, "needs_operator");
  EXPECT_EQ(view("1")[1].refusal_code, "remito_in_use");
  EXPECT_EQ(view("1")[1].refusal_text,
            "the carrier gave remito 0001 again, which a shipment of this order had that was cancelled or has ended");
  EXPECT_EQ(number("select count(*) from shipments"), 1);
  EXPECT_TRUE(dispatch().empty()) << "nobody is told that the order is ready";
}

TEST_P(Settlement, RemitoThatWasCancelledForThisOrderIsForAPersonWhereverTheCarrierChoosesIt) {
  for (const std::string order : {"open", "ended"}) {
    settle({granted(claimed({.order = order, .key = order + "-1"}), "N-" + order)});
    sql("update shipments set status = 'cancelled' where order_number = '" + order + "'");
    if (order == "ended") sql("update shipments set ended_at = 1 where order_number = 'ended'");
    dispatch();
    for (const int parcel_group : {1, 2}) {
      RequestOutcome again = granted(
          claimed({.order = order, .parcel_group = parcel_group, .key = order + "-2-" + std::to_string(parcel_group)}),
          "N-" + order);
      again.may_repeat_cancelled = true;
      EXPECT_TRUE(settle({again}).at(0).remito_in_use) << order << parcel_group;
    }
    EXPECT_EQ(view(order)[1].state, "needs_operator");
    EXPECT_EQ(view(order)[1].refusal_code, "remito_in_use");
    EXPECT_TRUE(dispatch().empty()) << "nobody is told that the order is ready";
  }
  EXPECT_EQ(number("select count(*) from shipments"), 2);
}

TEST_P(Settlement, RemitoOfADeliveredShipmentOfThisOrderIsGrantedAgainWhereTheCarrierChoosesIt) {
  settle({granted(claimed({.order = "1"}), "0001")});
  sql("update shipments set status = 'delivered', ended_at = 1");
  RequestOutcome again = granted(claimed({.order = "1", .parcel_group = 2, .key = "again"}), "0001");
  again.may_repeat_cancelled = true;
  EXPECT_TRUE(settle({again}).at(0).shipment) << "without a promise of one shipment for an order it may be another one";
}

TEST_P(Settlement, RemitoOfACancelledShipmentOfAnotherOrderIsGrantedWhereTheCarrierChoosesIt) {
  settle({granted(claimed({.order = "1"}), "0001")});
  sql("update shipments set status = 'cancelled'");
  RequestOutcome other = granted(claimed({.order = "2"}), "0001");
  other.may_repeat_cancelled = true;
  EXPECT_TRUE(settle({other}).at(0).shipment);
}

TEST_P(Settlement, RemitoOfACancelledShipmentIsGrantedAgainWhereItIsTheOrdersNumber) {
  settle({granted(claimed({.order = "1", .key = "first"}), "1")});
  sql("update shipments set status = 'cancelled'");
  const RequestOutcome again = granted(claimed({.order = "1", .key = "again"}), "1");
  const SettledRequest settled = settle({again}).at(0);
  EXPECT_TRUE(settled.shipment);
  EXPECT_EQ(settled.ended_shipment_id, 1) << "it leaves its lane";
}

TEST_P(Settlement, RemitoThatTheCarrierChoosesAgainForAnotherOrderIsGranted) {
  settle({granted(claimed({.order = "1"}), "0001")});
  sql("update shipments set ended_at = 1");
  RequestOutcome other = granted(claimed({.order = "2"}), "0001");
  other.may_repeat_order = true;
  EXPECT_TRUE(settle({other}).at(0).shipment) << "carriers use numbers again after years";
}

TEST_P(Settlement, GrantWithoutARemitoIsForAPerson) {
  const SettledRequest settled = settle({granted(claimed({}), "")}).at(0);
  EXPECT_FALSE(settled.shipment);
  EXPECT_FALSE(settled.remito_in_use);
  EXPECT_EQ(view()[0].state, "needs_operator");
  EXPECT_EQ(view()[0].refusal_code, "no_remito");
}

TEST_P(Settlement, OfTwoOutcomesOfARequestOnlyTheLaterClaimsIsTaken) {
  const RemitoRequest first = claimed({});
  RequestOutcome unsent = outcome(first, Kind::unsent);
  unsent.retry_at = noon;
  settle({unsent});  // made, and not heard of: it is settled once more, beside what the next claim came to
  const RemitoRequest second = claim().at(0);
  const auto settled = settle({unsent, granted(second, "0001")});
  EXPECT_TRUE(settled.at(0).stale);
  EXPECT_FALSE(settled.at(0).shipment) << "it would be followed without its number";
  ASSERT_TRUE(settled.at(1).shipment);
  EXPECT_EQ(settled.at(1).shipment->remito, "0001");
}

TEST_P(Settlement, StaleTokenChangesNothing) {
  const RemitoRequest first = claimed({});
  RequestOutcome unsent = outcome(first, Kind::unsent);
  unsent.retry_at = noon;
  settle({unsent});
  const RemitoRequest second = claim().at(0);

  for (const RequestOutcome& late : {granted(first, "0001"), refused(first, "no"), outcome(first, Kind::unknown)})
    EXPECT_TRUE(settle({late}).at(0).stale);
  EXPECT_EQ(view()[0].state, "sending");
  EXPECT_EQ(number("select count(*) from shipments"), 0);
  EXPECT_FALSE(settle({granted(second, "0002")}).at(0).stale);
  EXPECT_TRUE(settle({granted(second, "0003")}).at(0).stale) << "settled already";
  EXPECT_EQ(view()[0].remito, "0002");
  EXPECT_EQ(dispatch().size(), 1u);
}

TEST_P(Settlement, MixedBatchSettlesEachRowByItself) {
  const std::uint64_t before = session().statements();
  std::vector<RequestOutcome> outcomes;
  for (int i = 0; i < 40; ++i) ask({.order = std::to_string(i)});
  accept();
  for (const RemitoRequest& request : claim()) switch (request.request_id % 4) {
      case 0:
        outcomes.push_back(granted(request, "R" + request.order_number));
        break;
      case 1:
        outcomes.push_back(refused(request, "no"));
        break;
      case 2:
        outcomes.push_back(outcome(request, Kind::unknown));
        break;
      default: {
        RequestOutcome stale = granted(request, "S" + request.order_number);
        ++stale.fencing_token;
        outcomes.push_back(stale);
      }
    }
  const std::uint64_t claimed_at = session().statements();
  EXPECT_LE(claimed_at - before, 40u + 6u);
  const auto settled = settle(outcomes);
  EXPECT_LE(session().statements() - claimed_at, 4u) << "set-based, however many there are";
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(settled[i].request_id, outcomes[i].request_id);
    EXPECT_EQ(settled[i].stale, outcomes[i].request_id % 4 == 3);
    EXPECT_EQ(settled[i].shipment.has_value(), outcomes[i].request_id % 4 == 0);
  }
  EXPECT_EQ(number("select count(*) from remito_requests where state = 'granted'"), 10);
  EXPECT_EQ(number("select count(*) from remito_requests where state = 'refused'"), 10);
  EXPECT_EQ(number("select count(*) from remito_requests where state = 'unknown'"), 10);
  EXPECT_EQ(number("select count(*) from remito_requests where state = 'sending'"), 10);
  EXPECT_EQ(dispatch().size(), 20u);
}

TEST_P(Settlement, CarriersBytesThatAreNoTextDoNotStopTheBatch) {
  const RemitoRequest request = claimed({});
  settle({refused(request, std::string("c\xf3") + std::string("digo\0 malo", 10))});
  EXPECT_EQ(view()[0].refusal_text,
            "c\xef\xbf\xbd"
            "digo malo");
}

TEST_P(Settlement, FailedTransactionLeavesTheClaimAsItWas) {
  const RemitoRequest request = claimed({});
  const auto result = another().transact<int>([&](Session& at) -> DbResult<int> {
    const std::vector outcomes{granted(request, "0001")};
    EXPECT_TRUE(settle_requests(at, outcomes, noon));
    return std::unexpected(DbError{DbError::Kind::bug, "", "cut off"});
  });
  EXPECT_FALSE(result);
  EXPECT_EQ(view()[0].state, "sending");
  EXPECT_EQ(number("select count(*) from shipments"), 0);
  EXPECT_TRUE(dispatch().empty());
  EXPECT_TRUE(settle({granted(request, "0001")}).at(0).shipment);
}

}  // namespace
}  // namespace remitod::db
