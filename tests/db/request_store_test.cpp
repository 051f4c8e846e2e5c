// The queue of remito requests up to the call.
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;

class RequestQueue : public test::RequestStoreTest {
 protected:
  std::size_t refuse_unknown(std::vector<std::string> known) {
    return run<std::size_t>([=](Session& at) { return refuse_unknown_carriers(at, known, noon); });
  }
  std::optional<Instant> next_due() {
    return run<std::optional<Instant>>([](Session& at) { return next_request_due(at); });
  }
};
REMITOD_ON_BOTH_ENGINES(RequestQueue);

TEST_P(RequestQueue, NewRowIsAcceptedOnceAndGetsItsReference) {
  ask({.key = "K"});
  EXPECT_EQ(accept(), 1u);
  EXPECT_EQ(accept(), 0u);
  EXPECT_EQ(text("select client_ref from remito_requests"),
            "R" + std::to_string(number("select id from remito_requests")) + "-1001");
  EXPECT_EQ(number("select accepted_at from remito_requests"), to_micros(noon));
  const auto views = view();
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].state, "pending");
  EXPECT_EQ(views[0].request_key, "K");
  EXPECT_GT(views[0].requested_at, noon - 24h * 366 * 2);
}

TEST_P(RequestQueue, AcceptsAtMostTheLimitOldestFirst) {
  for (const char* order : {"1", "2", "3"}) ask({.order = order});
  EXPECT_EQ(accept(noon, 2), 2u);
  EXPECT_EQ(text("select order_number from remito_requests where accepted_at is null"), "3");
}

TEST_P(RequestQueue, RepeatedRequestKeyIsRefusedByTheTable) {
  ask({.key = "K"});
  EXPECT_THROW(ask({.order = "1002", .key = "K"}), std::runtime_error);
  EXPECT_EQ(number("select count(*) from remito_requests"), 1);
}

TEST_P(RequestQueue, DefectiveRowIsRefusedWithItsReasonAndTheOrderHearsOfIt) {
  ask({.carrier = " "});
  ask({.order = "1002", .payload = "no JSON"});
  EXPECT_EQ(accept(), 2u);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(view()[0].state, "refused");
  EXPECT_EQ(view()[0].refusal_code, "invalid_request");
  EXPECT_EQ(view()[0].refusal_text, "carrier is empty");
  EXPECT_EQ(view()[0].settled_at, noon);
  EXPECT_EQ(view("1002")[0].refusal_text, "payload is not a JSON object");
  const auto transitions = dispatch();
  ASSERT_EQ(transitions.size(), 2u);
  EXPECT_EQ(transitions[1].subject, "request");
  EXPECT_EQ(transitions[1].order_number, "1002");
  EXPECT_EQ(transitions[1].from, "confirmed");
  EXPECT_EQ(transitions[1].to, "remito_refused");
  EXPECT_EQ(transitions[1].text, "payload is not a JSON object");
}

TEST_P(RequestQueue, RowWithoutAnOrderIsRefusedInSilence) {
  ask({.order = ""});
  accept();
  EXPECT_EQ(view("")[0].refusal_text, "order_number is empty");
  EXPECT_TRUE(dispatch().empty());
}

TEST_P(RequestQueue, SecondRequestOfAnyActiveStateIsRefusedWithoutMovingTheOrder) {
  using Kind = RequestOutcome::Kind;
  ask({.order = "1", .key = "pending-one"});
  const RemitoRequest unknown = claimed({.order = "3", .carrier = "olva", .key = "unknown-one"});
  settle({outcome(unknown, Kind::unknown)});
  const RemitoRequest grant = claimed({.order = "4", .carrier = "olva", .key = "granted-one"});
  settle({granted(grant, "900")});
  claimed({.order = "2", .carrier = "olva", .key = "sending-one"});
  dispatch();

  for (const char* order : {"1", "2", "3", "4"}) ask({.order = order});
  EXPECT_EQ(accept(), 4u);
  const std::vector<std::string> states{"pending", "sending", "unknown", "granted"};
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::string order = std::to_string(i + 1);
    const auto views = view(order);
    ASSERT_EQ(views.size(), 2u);
    EXPECT_EQ(views[0].state, states[i]);
    EXPECT_EQ(views[1].state, "refused");
    EXPECT_EQ(views[1].refusal_code, "duplicate_request");
    EXPECT_EQ(views[1].refusal_text,
              "order " + order + ", parcel group 1 already has request " + states[i] + "-one in state " + states[i]);
  }
  EXPECT_TRUE(dispatch().empty());
}

TEST_P(RequestQueue, OfTwoRowsInsertedTogetherTheFirstIsTaken) {
  sql(insert({.key = "first"}) + insert({.key = "second"}));
  accept();
  EXPECT_EQ(view()[0].state, "pending");
  EXPECT_EQ(view()[1].refusal_text, "order 1001, parcel group 1 already has request first in state pending");
}

TEST_P(RequestQueue, OrderMayHaveSeveralParcelGroupsAndAskAgainAfterARefusalOrAnEnd) {
  const RemitoRequest first = claimed({});
  settle({refused(first, "sin cobertura")});
  const RemitoRequest second = claimed({});
  settle({granted(second, "0001")});
  claimed({.parcel_group = 2});
  sql("update shipments set ended_at = 1");
  claimed({});
  EXPECT_EQ(view().size(), 4u);
}

TEST_P(RequestQueue, ClaimTakesDueRowsOfTheNamedCarriersAndCountsTheAttempt) {
  ask({.order = "1", .key = "K"});
  ask({.order = "2", .carrier = "olva"});
  ask({.order = "3"});
  EXPECT_TRUE(claim().empty()) << "rows that nobody judged yet must not be sent";
  accept();
  const auto requests = claim({"oca", "chazki"});
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].order_number, "1");
  EXPECT_EQ(requests[1].order_number, "3");
  EXPECT_EQ(requests[0].request_key, "K");
  EXPECT_EQ(requests[0].parcel_group, 1);
  EXPECT_EQ(requests[0].carrier, "oca");
  EXPECT_EQ(requests[0].payload, R"({"notes": "it's fragile"})");
  EXPECT_EQ(requests[0].attempts, 1);
  EXPECT_TRUE(requests[0].client_ref.ends_with("-1"));
  EXPECT_EQ(number("select lease_expires_at from remito_requests where order_number = '1'"), to_micros(noon + 2min));
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(claim({"olva"}).size(), 1u);
}

TEST_P(RequestQueue, ClaimKeepsToItsLimitOldestFirst) {
  for (const char* order : {"1", "2", "3"}) ask({.order = order});
  accept();
  EXPECT_EQ(claim({"oca"}, noon, 1).at(0).order_number, "1");
  EXPECT_EQ(claim({"oca"}, noon, 5).size(), 2u);
  EXPECT_TRUE(claim({}, noon, 5).empty());
}

TEST_P(RequestQueue, UnsentRequestComesBackAtItsTimeWithItsReferenceAndAnotherToken) {
  const RemitoRequest first = claimed({});
  EXPECT_EQ(next_due(), std::nullopt);
  RequestOutcome unsent = outcome(first, RequestOutcome::Kind::unsent);
  unsent.retry_at = noon + 5s;
  unsent.text = "connect: refused";
  settle({unsent});
  EXPECT_EQ(view()[0].state, "pending");
  EXPECT_EQ(view()[0].attempts, 1);
  EXPECT_EQ(view()[0].refusal_text, "connect: refused");
  EXPECT_EQ(next_due(), noon + 5s);

  EXPECT_TRUE(claim({"oca"}, noon + 4s).empty());
  const RemitoRequest second = claim({"oca"}, noon + 5s).at(0);
  EXPECT_EQ(second.attempts, 2);
  EXPECT_EQ(second.client_ref, first.client_ref);
  EXPECT_GT(second.fencing_token, first.fencing_token);
  EXPECT_EQ(view()[0].refusal_text, "");
  EXPECT_TRUE(dispatch().empty());
}

TEST_P(RequestQueue, NextDueIsTheEarliestOfWhatWasAccepted) {
  EXPECT_EQ(next_due(), std::nullopt);
  ask({.order = "1"});
  EXPECT_EQ(next_due(), std::nullopt);
  accept(noon + 1h);
  ask({.order = "2"});
  accept(noon);
  EXPECT_EQ(next_due(), noon);
}

TEST_P(RequestQueue, UnknownCarrierIsRefusedWithTheNamesOfThoseThatAreKnown) {
  ask({.order = "1", .carrier = "ocaa"});
  ask({.order = "2"});
  EXPECT_EQ(refuse_unknown({"oca"}), 0u) << "not judged yet";
  accept();
  EXPECT_EQ(refuse_unknown({"oca", "olva"}), 1u);
  EXPECT_EQ(refuse_unknown({"oca", "olva"}), 0u);
  EXPECT_EQ(view("1")[0].state, "refused");
  EXPECT_EQ(view("1")[0].refusal_code, "unknown_carrier");
  EXPECT_EQ(view("1")[0].refusal_text, "no carrier 'ocaa' takes remito requests here; these do: oca, olva");
  EXPECT_EQ(view("2")[0].state, "pending");
  const auto transitions = dispatch();
  ASSERT_EQ(transitions.size(), 1u);
  EXPECT_EQ(transitions[0].to, "remito_refused");

  EXPECT_EQ(refuse_unknown({}), 1u);
  EXPECT_EQ(view("2")[0].refusal_text, "no carrier 'oca' takes remito requests here; none is configured");
}

TEST_P(RequestQueue, RequestCutOffWhileSendingIsUnknownAndNeverClaimedAgain) {
  const RemitoRequest cut = claimed({});
  ask({.order = "2"});
  accept();
  const auto mark = [this] {
    return run<std::size_t>([](Session& at) { return mark_interrupted_requests(at, noon + 1h); });
  };
  EXPECT_EQ(mark(), 1u);
  EXPECT_EQ(mark(), 0u);
  EXPECT_EQ(view()[0].state, "unknown");
  EXPECT_EQ(view()[0].refusal_code, "interrupted");
  EXPECT_EQ(view()[0].refusal_text,
            "attempt 1 was found cut off at 2026-11-23T13:00:00Z: the carrier may have made a shipment or not");
  EXPECT_EQ(view()[0].settled_at, std::nullopt);
  EXPECT_EQ(claim({"oca"}, noon + 999h).size(), 1u) << "only the other one";
  EXPECT_TRUE(settle({granted(cut, "0001")}).at(0).stale);
}

}  // namespace
}  // namespace remitod::db
