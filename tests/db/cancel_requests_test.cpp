// Shipments that are no longer wanted: what is decided without the carrier, and what becomes of its answer.
#include "db/cancel_requests.h"

#include <gmock/gmock.h>

#include "db/cancel_rules.h"
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::HasSubstr, testing::IsEmpty, testing::SizeIs;
using Kind = CancelOutcome::Kind;

class CancelRequests : public test::RequestStoreTest {
 protected:
  void wish(const std::string& key, const std::string& order = "1001", int parcel_group = 1) {
    sql("insert into cancel_requests (request_key, order_number, parcel_group) values ('" + key + "', '" + order +
        "', " + std::to_string(parcel_group) + ")");
  }
  CancelsTakenUp take_up(Instant now = noon) {
    const std::vector<std::string> carriers{"oca"};
    return run<CancelsTakenUp>([&](Session& at) { return take_up_cancels(at, carriers, carriers, now, 100); });
  }
  std::vector<CancelRequest> claim_wishes(Instant now = noon) {
    return run<std::vector<CancelRequest>>([=](Session& at) { return claim_cancels(at, "oca", now, now + 90s, 100); });
  }
  bool settle_wish(const CancelRequest& request, Kind kind, const std::string& text = "", Instant retry_at = noon + 10s,
                   Instant now = noon) {
    const CancelOutcome outcome{request.cancel_id, request.fencing_token, kind, "7", text, retry_at};
    ApplyRules rules;
    rules.carrier = "oca";
    return run<bool>([&](Session& at) { return settle_cancel(at, outcome, rules, now); });
  }
  /// A granted shipment that the carrier is being asked to cancel.
  CancelRequest asked() {
    settle({granted(claimed({}), "0001")});
    dispatch();
    wish("C");
    take_up();
    return claim_wishes().at(0);
  }
  std::string of(const std::string& column, const std::string& key = "C") {
    return text(("select " + column + " from cancel_requests where request_key = '" + key + "'").c_str());
  }
};
REMITOD_ON_BOTH_ENGINES(CancelRequests);

TEST_P(CancelRequests, AreSentWithAllThatTheCarrierMayWantToKnow) {
  const CancelRequest request = asked();
  EXPECT_EQ(request.carrier, "oca");
  EXPECT_EQ(request.remito, "0001");
  EXPECT_EQ(request.client_ref, text("select client_ref from remito_requests"));
  EXPECT_EQ(request.order_number, "1001");
  EXPECT_EQ(request.attempts, 1);
  EXPECT_EQ(request.accepted_at, noon);
  EXPECT_EQ(of("state"), "sending");
  EXPECT_THAT(claim_wishes(noon + 999h), IsEmpty());
}

TEST_P(CancelRequests, AnAcceptedOneCancelsTheShipmentInTheSameTransactionOnce) {
  const CancelRequest request = asked();
  EXPECT_TRUE(settle_wish(request, Kind::cancelled));
  EXPECT_FALSE(settle_wish(request, Kind::cancelled)) << "settled already";
  EXPECT_EQ(of("state"), "cancelled");
  EXPECT_EQ(text("select status from shipments"), "cancelled");
  const auto told = dispatch();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].subject, "shipment");
  EXPECT_EQ(told[0].from, "registered");
  EXPECT_EQ(told[0].to, "cancelled");
  ask({.key = "again"});
  accept();
  EXPECT_EQ(view()[1].state, "pending") << "the order may ask again";
}

TEST_P(CancelRequests, ARefusalLeavesTheShipment) {
  EXPECT_TRUE(settle_wish(asked(), Kind::refused, "Ya fue recogido"));
  EXPECT_EQ(of("state"), "refused");
  EXPECT_EQ(of("refusal_text"), "Ya fue recogido");
  EXPECT_EQ(text("select status from shipments"), "registered");
  EXPECT_THAT(dispatch(), IsEmpty());
}

TEST_P(CancelRequests, WhatWasNotSentIsSentLater) {
  settle_wish(asked(), Kind::unsent, "connect", noon + 5s);
  EXPECT_EQ(of("state"), "pending");
  EXPECT_EQ(take_up().next_due, noon + 5s);
  EXPECT_THAT(claim_wishes(noon + 4s), IsEmpty());
  EXPECT_EQ(claim_wishes(noon + 5s).at(0).attempts, 2);
}

TEST_P(CancelRequests, AnUnclearOneIsLookedAtUntilTheShipmentDecides) {
  settle_wish(asked(), Kind::unknown, "timeout");
  EXPECT_THAT(take_up(noon + 9s).to_look_at, IsEmpty());
  const CancelsTakenUp first = take_up(noon + 10s);
  ASSERT_THAT(first.to_look_at, SizeIs(1));
  EXPECT_EQ(first.to_look_at[0].carrier, "oca");
  EXPECT_EQ(first.next_due, noon + 20s);
  EXPECT_EQ(of("refusal_text"), "timeout");
  sql("update shipments set status = 'cancelled'");
  EXPECT_EQ(take_up(noon + 20s).settled, 1u);
  EXPECT_EQ(of("state"), "cancelled");
}

TEST_P(CancelRequests, AnUnclearOneOfADeliveredShipmentIsRefused) {
  settle_wish(asked(), Kind::unknown, "timeout");
  sql("update shipments set status = 'delivered'");
  take_up(noon + 10s);
  EXPECT_EQ(of("state"), "refused");
  EXPECT_EQ(of("refusal_text"), "timeout; the shipment is delivered");
}

TEST_P(CancelRequests, AnUnclearOneIsForAPersonAfterADay) {
  settle_wish(asked(), Kind::unknown, "timeout");
  take_up(noon + 24h);
  EXPECT_EQ(of("state"), "needs_operator");
  EXPECT_THAT(of("refusal_text"), HasSubstr("still shows it as registered"));
  EXPECT_EQ(take_up(noon + 48h).next_due, std::nullopt);
}

TEST_P(CancelRequests, OneThatWasCutOffIsUnclearAndItsWorkerComesTooLate) {
  const CancelRequest request = asked();
  EXPECT_EQ(run<std::size_t>([](Session& at) { return mark_interrupted_cancels(at, noon + 1min); }), 1u);
  EXPECT_EQ(of("state"), "unknown");
  EXPECT_FALSE(settle_wish(request, Kind::refused, "no"));
  EXPECT_THAT(take_up(noon + 1min).to_look_at, SizeIs(1));
}

TEST_P(CancelRequests, OneWhoseClaimNobodyHeardOfIsUnclearOnceItsLeaseIsOver) {
  const CancelRequest request = asked();
  const auto give_up = [&](std::vector<std::int64_t> working_on, Instant now) {
    return run<std::size_t>([=](Session& at) { return give_up_unheard_cancels(at, working_on, now); });
  };
  EXPECT_EQ(give_up({}, noon + 90s), 0u);
  EXPECT_EQ(give_up({request.cancel_id}, noon + 91s), 0u) << "its settlement waits for the database";
  EXPECT_EQ(give_up({}, noon + 91s), 1u);
  EXPECT_EQ(of("state"), "unknown");
  EXPECT_FALSE(settle_wish(request, Kind::refused, "no"));
}

TEST_P(CancelRequests, WhatTheCarrierAgreedToComesAfterAllThatIsKnown) {
  const CancelRequest request = asked();
  TrackingEvent ahead;
  ahead.code = "EC";
  ahead.text = "En camino";
  ahead.status = Status::in_transit;
  ahead.occurred_at = OccurredAt{.at = noon + 3h};
  run<std::vector<AppliedReport>>([&](Session& at) {
    const PolledReport report{request.shipment_id, {"0001", Report::Kind::events, {ahead}}, {}};
    ApplyRules rules;
    rules.carrier = "oca";
    return apply_reports(at, rules, std::span{&report, 1}, noon);
  });
  EXPECT_TRUE(settle_wish(request, Kind::cancelled));
  EXPECT_EQ(text("select status from shipments"), "cancelled") << "though the carrier's clock is three hours ahead";
}

TEST_P(CancelRequests, WhatTheCarrierAgreedToComesAfterWhatIsKnownOfTheDayWithoutAnHour) {
  const CancelRequest request = asked();
  std::vector<TrackingEvent> of_today(2);
  of_today[0].code = "AD";
  of_today[0].status = Status::picked_up;
  of_today[1].code = "EC";
  of_today[1].status = Status::in_transit;
  for (std::uint32_t position = 0; position < of_today.size(); ++position) {
    of_today[position].occurred_at = OccurredAt{.at = noon - 7h, .zone = ZoneSource::profile, .date_only = true};
    of_today[position].position = position;
  }
  run<std::vector<AppliedReport>>([&](Session& at) {
    const PolledReport report{request.shipment_id, {"0001", Report::Kind::events, of_today}, {}};
    ApplyRules rules;
    rules.carrier = "oca";
    return apply_reports(at, rules, std::span{&report, 1}, noon);
  });
  dispatch();
  EXPECT_TRUE(settle_wish(request, Kind::cancelled));
  EXPECT_EQ(text("select status from shipments"), "cancelled");
  const auto told = dispatch();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].from, "in_transit");
  EXPECT_EQ(told[0].to, "cancelled");
  EXPECT_FALSE(told[0].late);
}

TEST_P(CancelRequests, AreNotTakenBackByACarrierThatGoesOnShowingWhatItShowedBefore) {
  const CancelRequest request = asked();
  TrackingEvent shown;
  shown.code = "EC";
  shown.status = Status::in_transit;
  const auto show = [&](Instant at) {
    const PolledReport report{request.shipment_id, {"0001", Report::Kind::snapshot, {shown}}, {}};
    ApplyRules rules;
    rules.carrier = "oca";
    run<std::vector<AppliedReport>>(
        [&](Session& session) { return apply_reports(session, rules, std::span{&report, 1}, at); });
    return text("select status from shipments");
  };
  ASSERT_EQ(show(noon - 1h), "in_transit");
  EXPECT_TRUE(settle_wish(request, Kind::cancelled));
  EXPECT_EQ(show(noon + 10min), "cancelled");
  shown.code = "RE";
  shown.status = Status::out_for_delivery;
  EXPECT_EQ(show(noon + 1h), "out_for_delivery") << "that is news";
}

TEST_P(CancelRequests, ThatWaitHoldUpNoOthers) {
  claimed({.order = "1"});
  wish("waits", "1");
  settle({granted(claimed({.order = "2"}), "0002")});
  wish("C", "2");
  const std::vector<std::string> carriers{"oca"};
  run<CancelsTakenUp>([&](Session& at) { return take_up_cancels(at, carriers, carriers, noon, 1); });
  EXPECT_EQ(claim_wishes().at(0).remito, "0002");
  EXPECT_EQ(of("state", "waits"), "pending");
}

// On SQLite whoever watches the file is woken by each write, and takes the cancellations up again.
TEST_P(CancelRequests, ThatGoOnWaitingAreNotWrittenAgain) {
  claimed({});
  wish("C");
  EXPECT_TRUE(take_up().some_wait);
  const char* const writes = engine() == test::Engine::sqlite ? "select total_changes()"
                                                              : "select cast(cast(xmin as text) as bigint) "
                                                                "from cancel_requests";
  const std::int64_t before = number(writes);
  EXPECT_TRUE(take_up(noon + 1s).some_wait);
  EXPECT_EQ(number(writes), before);
}

TEST_P(CancelRequests, ARequestThatWasNotTakenInYetIsWaitedFor) {
  ask({});
  wish("C");
  EXPECT_TRUE(take_up().some_wait);
  EXPECT_EQ(of("state"), "pending");
  accept();
  EXPECT_EQ(take_up().settled, 1u);
  EXPECT_EQ(of("state"), "cancelled");
  EXPECT_EQ(view()[0].state, "cancelled");
}

TEST_P(CancelRequests, ARequestThatWasNotSentIsStoppedAndTheOrderHearsOfIt) {
  ask({});
  accept();
  wish("C");
  EXPECT_EQ(take_up().settled, 1u);
  EXPECT_EQ(of("state"), "cancelled");
  EXPECT_EQ(view()[0].state, "cancelled");
  EXPECT_THAT(claim({"oca"}, noon + 1h), IsEmpty());
  const auto told = dispatch();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].subject, "request");
  EXPECT_EQ(told[0].to, "cancelled");
}

TEST_P(CancelRequests, ARequestThatIsUnderWayIsWaitedFor) {
  const RemitoRequest request = claimed({});
  wish("C");
  EXPECT_TRUE(take_up().some_wait);
  EXPECT_EQ(of("state"), "pending");
  EXPECT_THAT(claim_wishes(), IsEmpty());
  settle({granted(request, "0001")});
  EXPECT_FALSE(take_up().some_wait);
  EXPECT_EQ(claim_wishes().at(0).remito, "0001");
}

TEST_P(CancelRequests, OfAnotherParcelGroupMeanAnotherShipment) {
  settle({granted(claimed({.parcel_group = 1}), "0001"), granted(claimed({.parcel_group = 2}), "0002")});
  wish("C", "1001", 2);
  take_up();
  EXPECT_EQ(claim_wishes().at(0).remito, "0002");
}

TEST_P(CancelRequests, AFollowedShipmentWithoutARequestCanBeCancelledToo) {
  sql("insert into shipments (order_number, carrier, remito) values ('0998', 'oca', '9')");
  run<std::vector<OpenShipment>>([](Session& at) { return accept_new_shipments(at, noon, 10); });
  wish("C", "0998");
  take_up();
  const CancelRequest request = claim_wishes().at(0);
  EXPECT_EQ(request.remito, "9");
  EXPECT_EQ(request.client_ref, "");
}

/// Imports that are cancelled before their carrier has answered.
class CancelledImports : public CancelRequests {
 protected:
  void import_and_cancel(const std::string& backfill) {
    sql("insert into shipments (order_number, carrier, remito, baseline, backfill) values ('0998', 'oca', '9', true, " +
        backfill + ")");
    run<std::vector<OpenShipment>>([](Session& at) { return accept_new_shipments(at, noon, 10); });
    wish("C", "0998");
    take_up();
    settle_wish(claim_wishes().at(0), Kind::cancelled);
  }
  void tell(Instant at, std::vector<TrackingEvent> events) {
    const PolledReport report{.shipment_id = 1,
                              .report = {.remito = "9", .kind = Report::Kind::events, .events = std::move(events)}};
    ApplyRules rules;
    rules.carrier = "oca";
    run<std::vector<AppliedReport>>(
        [&](Session& session) { return apply_reports(session, rules, std::span{&report, 1}, at); });
  }
  static TrackingEvent event(const char* code, Status status, Instant at) {
    TrackingEvent made;
    made.code = code;
    made.status = status;
    made.occurred_at = OccurredAt{.at = at};
    return made;
  }
  std::string told(const std::string& where = "true") {
    return text(("select cast(count(*) as text) from transitions where " + where).c_str());
  }
};
REMITOD_ON_BOTH_ENGINES(CancelledImports);

TEST_P(CancelledImports, HearOfThatAndOfNoHistory) {
  import_and_cancel("false");
  EXPECT_EQ(told(), "1");
  EXPECT_EQ(text("select code || ' ' || from_status || '>' || to_status from transitions"),
            "cancel_request registered>cancelled");
  EXPECT_EQ(text("select status from shipments"), "cancelled");
  EXPECT_EQ(text("select cast(coalesce(baseline_at, 0) as text) from shipments"), "0")
      << "the carrier has told nothing yet";
  tell(noon + 1h, {event("PU", Status::picked_up, noon - 48h), event("NV", Status::attempt_failed, noon - 24h)});
  EXPECT_EQ(told(), "1");
  EXPECT_EQ(text("select status from shipments"), "cancelled");
  EXPECT_NE(text("select cast(coalesce(baseline_at, 0) as text) from shipments"), "0");
}

TEST_P(CancelledImports, HearOfNoHistoryOfTheDayWithoutAnHourEither) {
  import_and_cancel("false");
  std::vector<TrackingEvent> of_today{event("PU", Status::picked_up, noon - 7h),
                                      event("EC", Status::in_transit, noon - 7h)};
  for (TrackingEvent& one : of_today) one.occurred_at->date_only = true;
  of_today[1].position = 1;
  tell(noon + 1h, of_today);
  EXPECT_EQ(told(), "1");
  EXPECT_EQ(text("select status from shipments"), "cancelled");
}

TEST_P(CancelledImports, HearOfWhatOverrulesIt) {
  import_and_cancel("false");
  tell(noon + 3h, {event("PU", Status::picked_up, noon - 48h), event("EN", Status::delivered, noon + 2h)});
  EXPECT_EQ(told(), "2");
  EXPECT_EQ(told("to_status = 'delivered' and from_status = 'cancelled'"), "1");
}

TEST_P(CancelledImports, HearOfHistoryThatTheyWantAsSuchAndOfWhatCameLaterAsNews) {
  import_and_cancel("true");
  tell(noon + 3h, {event("PU", Status::picked_up, noon - 48h), event("EN", Status::delivered, noon + 2h)});
  EXPECT_EQ(told("to_status = 'picked_up' and backfill and late"), "1");
  EXPECT_EQ(told("to_status = 'delivered' and not backfill and not late"), "1");
}

TEST_P(CancelRequests, ARepeatedKeyIsRefusedByTheTable) {
  wish("C");
  EXPECT_THROW(wish("C"), std::runtime_error);
}

// ------------------------------------------------------------------ the rules

struct Row {
  std::string name;
  CancelSituation situation;
  CancelDecision::Kind kind;
  std::string code{};
  friend void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
};

CancelSituation shipment(const std::string& status, const std::string& request_state = "granted",
                         const std::string& carrier = "oca") {
  return {1, "1001", false, 1, request_state, 1, carrier, status, false};
}

const std::vector<Row> table{
    {"no_order", {1, " "}, CancelDecision::Kind::refused, "invalid_request"},
    {"nothing", {1, "1001"}, CancelDecision::Kind::refused, "nothing_to_cancel"},
    {"asked_already", {1, "1001", true}, CancelDecision::Kind::refused, "duplicate_request"},
    {"pending", {1, "1001", false, 1, "pending"}, CancelDecision::Kind::stop_request},
    {"new", {1, "1001", false, 1, "new"}, CancelDecision::Kind::wait},
    {"sending", {1, "1001", false, 1, "sending"}, CancelDecision::Kind::wait},
    {"accepted", {1, "1001", false, 1, "accepted"}, CancelDecision::Kind::wait},
    {"unknown", {1, "1001", false, 1, "unknown"}, CancelDecision::Kind::wait},
    {"needs_operator", {1, "1001", false, 1, "needs_operator"}, CancelDecision::Kind::wait},
    {"a_new_request_after_an_old_shipment", shipment("cancelled", "pending"), CancelDecision::Kind::stop_request},
    {"registered", shipment("registered"), CancelDecision::Kind::ask_carrier},
    {"in_transit", shipment("in_transit"), CancelDecision::Kind::ask_carrier},
    {"followed_only", shipment("registered", ""), CancelDecision::Kind::ask_carrier},
    {"cancelled", shipment("cancelled"), CancelDecision::Kind::already_so},
    {"delivered", shipment("delivered"), CancelDecision::Kind::refused, "already_ended"},
    {"returned", shipment("returned"), CancelDecision::Kind::refused, "already_ended"},
    {"carrier_without_cancel", shipment("registered", "granted", "olva"), CancelDecision::Kind::refused,
     "cannot_cancel"},
};

class CancelRules : public testing::TestWithParam<Row> {};
INSTANTIATE_TEST_SUITE_P(Table, CancelRules, testing::ValuesIn(table), [](const auto& of) { return of.param.name; });

TEST_P(CancelRules, AreAsTheTableSays) {
  const std::vector<std::string> cancelling{"oca"};
  const CancelDecision decision = decide(GetParam().situation, cancelling);
  EXPECT_EQ(static_cast<int>(decision.kind), static_cast<int>(GetParam().kind));
  EXPECT_EQ(decision.code, GetParam().code);
}

TEST_P(CancelRequests, OfACarrierThatTakesNoneAnyMoreAreForAPerson) {
  settle({granted(claimed({}), "0001")});
  dispatch();
  wish("C");
  take_up();
  ASSERT_EQ(of("state"), "pending");
  const std::vector<std::string> none;
  const auto taken =
      run<CancelsTakenUp>([&](Session& at) { return take_up_cancels(at, none, none, noon + 1min, 100); });
  EXPECT_EQ(of("state"), "needs_operator");
  EXPECT_THAT(of("refusal_text"), HasSubstr("oca takes no cancellations"));
  EXPECT_FALSE(taken.next_due) << "nobody looks again and again";
  EXPECT_THAT(claim_wishes(noon + 999h), IsEmpty()) << "not sent when the carrier is back weeks later";
}

TEST_P(CancelRequests, ThatWaitForAPersonAreOverWhenTheShipmentIs) {
  settle_wish(asked(), Kind::needs_operator, "no answer");
  take_up();
  ASSERT_EQ(of("state"), "needs_operator");
  sql("update shipments set status = 'delivered', terminal_at = 1");
  EXPECT_EQ(take_up().settled, 1u);
  EXPECT_EQ(of("state"), "refused");
  EXPECT_EQ(of("refusal_text"), "no answer; the shipment is delivered");
  EXPECT_EQ(number("select count(*) from cancel_requests where settled_at is not null"), 1);
}

TEST_P(CancelRequests, ThatWaitForAPersonAreDoneWhenAnotherOneHasCancelledTheShipment) {
  settle_wish(asked(), Kind::needs_operator, "no answer");
  wish("C2");
  take_up();
  ASSERT_TRUE(settle_wish(claim_wishes().at(0), Kind::cancelled));
  take_up();
  EXPECT_EQ(of("state", "C2"), "cancelled");
  EXPECT_EQ(of("state"), "cancelled");
  EXPECT_EQ(of("refusal_text"), "");
}

}  // namespace
}  // namespace remitod::db
