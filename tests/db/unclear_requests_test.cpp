// Requests whose call ended without a clear answer, between two steps.
#include "db/unclear_requests.h"

#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::IsEmpty, testing::SizeIs;
using Kind = RequestOutcome::Kind;
using Step = RequestOutcome::NextStep;

class UnclearRequests : public test::RequestStoreTest {
 protected:
  static RequestOutcome unclear(const RemitoRequest& request, Step step, Instant at) {
    RequestOutcome result = outcome(request, Kind::unknown);
    result.call_was_unclear = true;
    result.next_step = step;
    result.retry_at = at;
    result.code = "code";
    result.text = "timeout: no answer";
    return result;
  }
  RemitoRequest left_unclear(const Row& row, Step step, Instant at = noon + 5s) {
    const RemitoRequest request = claimed(row);
    settle({unclear(request, step, at)});
    return request;
  }
  std::vector<RemitoRequest> finds(Instant now, const std::string& carrier = "oca", std::size_t limit = 100) {
    return run<std::vector<RemitoRequest>>(
        [=](Session& at) { return claim_finds(at, carrier, now, now + 90s, limit); });
  }
  std::vector<RemitoRequest> resends(Instant now, const std::string& carrier = "oca") {
    return run<std::vector<RemitoRequest>>(
        [=](Session& at) { return claim_resends(at, carrier, now, now + 90s, 100); });
  }
  std::vector<RemitoRequest> undecided(const std::string& carrier = "oca") {
    return run<std::vector<RemitoRequest>>([=](Session& at) { return claim_undecided(at, carrier, 100); });
  }
  std::size_t cut_off(Instant now = noon + 1min) {
    return run<std::size_t>([=](Session& at) { return mark_interrupted_requests(at, now); });
  }
  std::optional<Instant> next_due() {
    return run<std::optional<Instant>>([](Session& at) { return next_unclear_due(at); });
  }
};
REMITOD_ON_BOTH_ENGINES(UnclearRequests);

TEST_P(UnclearRequests, ALookBringsWhatIsKnownAndCountsItself) {
  const RemitoRequest sent = left_unclear({}, Step::find);
  EXPECT_EQ(next_due(), noon + 5s);
  EXPECT_THAT(finds(noon + 4s), IsEmpty());
  EXPECT_THAT(finds(noon + 5s, "olva"), IsEmpty());
  EXPECT_THAT(resends(noon + 5s), IsEmpty());
  const RemitoRequest look = finds(noon + 5s).at(0);
  EXPECT_EQ(look.client_ref, sent.client_ref);
  EXPECT_EQ(look.first_sent_at, noon);
  EXPECT_EQ(look.unclear_at, noon);
  EXPECT_EQ(look.accepted_at, noon);
  EXPECT_EQ(look.unclear_calls, 1);
  EXPECT_EQ(look.looks, 1);
  EXPECT_EQ(look.attempts, 1);
  EXPECT_EQ(look.seen, "timeout: no answer");
  EXPECT_GT(look.fencing_token, sent.fencing_token);
  EXPECT_EQ(view()[0].state, "unknown");
  EXPECT_TRUE(settle({granted(sent, "0001")}).at(0).stale) << "the call came back too late";
}

TEST_P(UnclearRequests, ALookThatDiesIsMadeAgainWhenItsLeaseHasEnded) {
  left_unclear({}, Step::find);
  const RemitoRequest first = finds(noon + 5s).at(0);
  EXPECT_THAT(finds(noon + 94s), IsEmpty());
  EXPECT_EQ(finds(noon + 95s).at(0).looks, 2);
  EXPECT_TRUE(settle({granted(first, "0001")}).at(0).stale);
}

TEST_P(UnclearRequests, AFoundRemitoIsAdoptedOnce) {
  left_unclear({}, Step::find);
  RequestOutcome found = granted(finds(noon + 5s).at(0), "0001");
  found.found = true;
  EXPECT_TRUE(settle({found}).at(0).shipment);
  EXPECT_TRUE(settle({found}).at(0).stale);
  EXPECT_EQ(view()[0].state, "granted");
  EXPECT_EQ(view()[0].refusal_text, "");
  EXPECT_EQ(number("select count(*) from shipments"), 1);
  EXPECT_THAT(dispatch(), SizeIs(1));
  EXPECT_EQ(next_due(), std::nullopt);
}

TEST_P(UnclearRequests, AFoundRemitoThatAnyShipmentHadIsForAPerson) {
  settle({granted(claimed({.order = "1"}), "0001")});
  sql("update shipments set ended_at = 1, status = 'cancelled'");
  left_unclear({.order = "2"}, Step::find);
  RequestOutcome found = granted(finds(noon + 5s).at(0), "0001");
  found.found = true;
  EXPECT_TRUE(settle({found}).at(0).remito_in_use);
  EXPECT_EQ(view("2")[0].state, "needs_operator");
  EXPECT_EQ(view("2")[0].refusal_text,
            "the carrier has our reference with remito 0001, which another shipment of this carrier has");
  EXPECT_EQ(number("select count(*) from shipments"), 1);
}

TEST_P(UnclearRequests, LookingOnKeepsTheWordsAndTheCount) {
  left_unclear({}, Step::find);
  RequestOutcome again = outcome(finds(noon + 5s).at(0), Kind::unknown);
  again.next_step = Step::find;
  again.retry_at = noon + 15s;
  settle({again}, noon + 6s);
  EXPECT_EQ(view()[0].refusal_code, "code");
  EXPECT_EQ(view()[0].refusal_text, "timeout: no answer");
  const RemitoRequest look = finds(noon + 15s).at(0);
  EXPECT_EQ(look.looks, 2);
  EXPECT_EQ(look.unclear_at, noon) << "the call ended then, not the look";
}

TEST_P(UnclearRequests, WhatIsSentAgainIsACallWithTheSameReference) {
  const RemitoRequest sent = left_unclear({}, Step::resend);
  const RemitoRequest again = resends(noon + 5s).at(0);
  EXPECT_EQ(again.client_ref, sent.client_ref);
  EXPECT_EQ(again.attempts, 2);
  EXPECT_EQ(again.first_sent_at, noon);
  EXPECT_EQ(view()[0].state, "sending");
  EXPECT_THAT(resends(noon + 999h), IsEmpty());
  settle({unclear(again, Step::resend, noon + 1min)}, noon + 30s);
  EXPECT_EQ(resends(noon + 1min).at(0).unclear_calls, 2);
  EXPECT_EQ(number("select unclear_at from remito_requests"), to_micros(noon + 30s));
}

TEST_P(UnclearRequests, WhatTheCarrierNeverMadeBeginsAnewAndItsCallsStayCounted) {
  left_unclear({}, Step::find);
  RequestOutcome none = outcome(finds(noon + 5s).at(0), Kind::not_made);
  none.retry_at = noon + 2min;
  settle({none});
  EXPECT_EQ(view()[0].state, "pending");
  const RemitoRequest again = claim({"oca"}, noon + 2min).at(0);
  EXPECT_EQ(again.first_sent_at, noon + 2min) << "a new key window";
  EXPECT_EQ(again.unclear_at, std::nullopt);
  EXPECT_EQ(again.unclear_calls, 1);
  EXPECT_EQ(again.looks, 0);
}

TEST_P(UnclearRequests, WhatProvablyNeverLeftHasNoFirstCall) {
  const RemitoRequest request = claimed({});
  EXPECT_EQ(request.first_sent_at, noon);
  RequestOutcome unsent = outcome(request, Kind::unsent);
  unsent.retry_at = noon + 1h;
  settle({unsent});
  EXPECT_EQ(claim({"oca"}, noon + 1h).at(0).first_sent_at, noon + 1h);
}

TEST_P(UnclearRequests, AStartDecidesAnewAboutAllThatIsUnknown) {
  left_unclear({.order = "1"}, Step::find, noon + 99h);
  left_unclear({.order = "2"}, Step::resend, noon + 99h);
  const RemitoRequest cut = claimed({.order = "3"});
  EXPECT_EQ(cut_off(), 1u);
  EXPECT_LT(next_due(), noon);
  const auto rows = undecided();
  ASSERT_THAT(rows, SizeIs(3));
  // There the process that made the call may live on elsewhere, until its lease ends.
  EXPECT_EQ(rows[2].unclear_at, noon + (engine() == DatabaseUrl::Engine::postgresql ? 2min : 1min));
  EXPECT_EQ(rows[2].unclear_calls, 1);
  EXPECT_EQ(rows[0].unclear_at, noon);
  EXPECT_THAT(finds(noon + 100h), IsEmpty());
  EXPECT_TRUE(settle({granted(cut, "0001")}).at(0).stale);
  RequestOutcome person = outcome(rows[2], Kind::needs_operator);
  person.text = "nobody knows";
  EXPECT_FALSE(settle({person}).at(0).stale);
  EXPECT_EQ(view("3")[0].state, "needs_operator");
  EXPECT_THAT(dispatch(), IsEmpty());
}

TEST_P(UnclearRequests, OfACarrierThatIsGoneAreForAPerson) {
  left_unclear({.order = "1"}, Step::find);
  left_unclear({.order = "2", .carrier = "olva"}, Step::find);
  const std::vector<std::string> known{"oca"};
  EXPECT_EQ(run<std::size_t>([&](Session& at) { return give_up_unclear(at, known); }), 1u);
  EXPECT_EQ(view("1")[0].state, "unknown");
  EXPECT_EQ(view("2")[0].state, "needs_operator");
  EXPECT_THAT(view("2")[0].refusal_text, testing::StartsWith("timeout: no answer; its carrier is no longer"));
}

TEST_P(UnclearRequests, AcceptedAndThenUnknownIsRememberedAsAccepted) {
  RequestOutcome accepted = outcome(claimed({}), Kind::accepted);
  accepted.retry_at = noon + 1min;
  accepted.confirm_until = noon + 1h;
  settle({accepted});
  const RemitoRequest look = run<std::vector<RemitoRequest>>([](Session& at) {
                               return claim_confirmations(at, "oca", noon + 1h, noon + 2h, 1);
                             }).at(0);
  settle({unclear(look, Step::find, noon + 1h)}, noon + 1h);
  EXPECT_EQ(finds(noon + 1h).at(0).confirm_until, noon + 1h);
}

TEST_P(UnclearRequests, WhatNeedsAPersonStandsInTheWayOfASecondRequest) {
  RequestOutcome person = outcome(claimed({.key = "first"}), Kind::needs_operator);
  person.text = "nobody knows";
  settle({person});
  ask({.key = "second"});
  accept();
  EXPECT_EQ(view()[1].refusal_text, "order 1001, parcel group 1 already has request first in state needs_operator");
}

}  // namespace
}  // namespace remitod::db
