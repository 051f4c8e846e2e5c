// Requests that the carrier has accepted and has yet to grant.
#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = RequestOutcome::Kind;

class Confirmation : public test::RequestStoreTest {
 protected:
  static RequestOutcome accepted(const RemitoRequest& request, Instant next_look,
                                 std::optional<Instant> until = std::nullopt, const std::string& remito = "") {
    RequestOutcome result = outcome(request, Kind::accepted);
    result.retry_at = next_look;
    result.confirm_until = until;
    result.remito = remito;
    return result;
  }
  /// Called at noon; to be looked at a minute later, and for a day.
  void accepted_at_noon(const Row& row, const std::string& remito = "") {
    settle({accepted(claimed(row), noon + 1min, noon + 24h, remito)});
  }
  std::vector<RemitoRequest> look(Instant now, const std::string& carrier = "oca", std::size_t limit = 100) {
    return run<std::vector<RemitoRequest>>(
        [&](Session& at) { return claim_confirmations(at, carrier, now, now + 90s, limit); });
  }
  std::optional<Instant> next_look(std::vector<std::string> carriers = {"oca"}) {
    return run<std::optional<Instant>>([&](Session& at) { return next_confirmation_due(at, carriers); });
  }
};
REMITOD_ON_BOTH_ENGINES(Confirmation);

TEST_P(Confirmation, AnAcceptedRequestMovesNoOrderAndIsLookedAtWhenItIsTime) {
  accepted_at_noon({}, "0077");
  EXPECT_EQ(view()[0].state, "accepted");
  EXPECT_EQ(view()[0].remito, "") << "not granted yet";
  EXPECT_EQ(number("select count(*) from shipments"), 0);
  EXPECT_THAT(dispatch(), IsEmpty());
  EXPECT_EQ(next_look(), noon + 1min);
  EXPECT_EQ(next_look({"olva"}), std::nullopt);
  EXPECT_THAT(look(noon + 59s), IsEmpty());
  EXPECT_THAT(look(noon + 1min, "olva"), IsEmpty());
  const RemitoRequest request = look(noon + 1min).at(0);
  EXPECT_EQ(request.proposed_remito, "0077");
  EXPECT_EQ(request.confirm_until, noon + 24h);
  EXPECT_EQ(request.attempts, 1) << "a look is no attempt";
}

TEST_P(Confirmation, IsGrantedByALook) {
  accepted_at_noon({});
  const SettledRequest settled = settle({granted(look(noon + 1min).at(0), "0001")}).at(0);
  ASSERT_TRUE(settled.shipment);
  EXPECT_EQ(view()[0].state, "granted");
  EXPECT_EQ(view()[0].remito, "0001");
  EXPECT_EQ(dispatch().at(0).to, "ready_to_ship");
  EXPECT_EQ(number("select count(*) from remito_requests where confirm_at is null and confirm_until is null"), 1);
  EXPECT_THAT(look(noon + 99h), IsEmpty());
}

TEST_P(Confirmation, IsRefusedByALook) {
  accepted_at_noon({}, "0001");
  settle({refused(look(noon + 1min).at(0), "sin cobertura")});
  EXPECT_EQ(view()[0].state, "refused");
  EXPECT_EQ(dispatch().at(0).to, "remito_refused");
}

TEST_P(Confirmation, StaysAcceptedWithItsDeadlineAndItsNumber) {
  accepted_at_noon({}, "0001");
  settle({accepted(look(noon + 1min).at(0), noon + 2min)});
  EXPECT_THAT(look(noon + 1min + 30s), IsEmpty());
  const RemitoRequest again = look(noon + 2min).at(0);
  EXPECT_EQ(again.confirm_until, noon + 24h);
  EXPECT_EQ(again.proposed_remito, "0001");
}

TEST_P(Confirmation, ALookThatDiesIsMadeAgainWhenItsLeaseHasEnded) {
  accepted_at_noon({});
  const RemitoRequest first = look(noon + 1min).at(0);
  EXPECT_THAT(look(noon + 1min + 89s), IsEmpty());
  const RemitoRequest second = look(noon + 1min + 90s).at(0);
  EXPECT_GT(second.fencing_token, first.fencing_token);
  EXPECT_TRUE(settle({granted(first, "0001")}).at(0).stale) << "a paused worker changes nothing";
  EXPECT_TRUE(settle({granted(second, "0001")}).at(0).shipment);
}

TEST_P(Confirmation, IsNoInterruptedCall) {
  accepted_at_noon({});
  EXPECT_EQ(run<std::size_t>([](Session& at) { return mark_interrupted_requests(at, noon); }), 0u);
  EXPECT_EQ(view()[0].state, "accepted");
}

TEST_P(Confirmation, StandsInTheWayOfASecondRequestForTheSameParcels) {
  accepted_at_noon({.key = "first"});
  ask({.key = "second"});
  accept();
  EXPECT_EQ(view()[1].refusal_text, "order 1001, parcel group 1 already has request first in state accepted");
}

TEST_P(Confirmation, IsForAPersonWhenNobodyIsLeftToAsk) {
  accepted_at_noon({.order = "1", .carrier = "oca"});
  accepted_at_noon({.order = "2", .carrier = "olva"});
  const auto give_up = [this](Instant now) {
    const std::vector<std::string> askable{"oca"};
    return run<std::size_t>([&](Session& at) { return give_up_confirmations(at, askable, now); });
  };
  EXPECT_EQ(give_up(noon + 24h - 1s), 0u);
  EXPECT_EQ(give_up(noon + 24h), 1u);
  EXPECT_EQ(view("1")[0].state, "accepted");
  EXPECT_EQ(view("2")[0].state, "needs_operator");
  EXPECT_EQ(view("2")[0].refusal_code, refusal_not_confirmed);
  EXPECT_THAT(dispatch(), IsEmpty());
}

TEST_P(Confirmation, TwoWorkersNeverLookAtTheSameRequest) {
  for (int i = 0; i < 6; ++i) accepted_at_noon({.order = std::to_string(i)});
  EXPECT_THAT(look(noon + 1min, "oca", 4), SizeIs(4));
  EXPECT_THAT(look(noon + 1min, "oca", 4), SizeIs(2));
}

// ------------------------------------------------------------------ numbers that wait for their grant

TEST_P(Confirmation, AProposedNumberStaysOverWhatWasNeverSentAndGoesWhenTheCarrierWillNotHaveIt) {
  RemitoRequest request = claimed({});
  request.proposed_remito = "0500";
  run<void>([&](Session& at) { return propose_remitos(at, std::vector{request}); });
  RequestOutcome ended = outcome(request, Kind::unsent);
  ended.retry_at = noon;
  settle({ended});
  request = claim().at(0);
  EXPECT_EQ(request.proposed_remito, "0500");
  ended = outcome(request, Kind::renumber);
  ended.retry_at = noon + 1s;
  ended.text = "number already used";
  settle({ended});
  EXPECT_EQ(view()[0].refusal_text, "number already used");
  request = claim({"oca"}, noon + 1s).at(0);
  EXPECT_EQ(request.proposed_remito, "");
  EXPECT_EQ(request.attempts, 3);
  EXPECT_EQ(request.numbers_refused, 1);
}

TEST_P(Confirmation, AProposedNumberOfAnUnknownRequestIsKeptForWhoeverLooksIntoIt) {
  RemitoRequest request = claimed({});
  request.proposed_remito = "0500";
  run<void>([&](Session& at) { return propose_remitos(at, std::vector{request}); });
  run<std::size_t>([](Session& at) { return mark_interrupted_requests(at, noon); });
  EXPECT_EQ(view()[0].state, "unknown");
  EXPECT_EQ(text("select proposed_remito from remito_requests"), "0500");
}

}  // namespace
}  // namespace remitod::db
