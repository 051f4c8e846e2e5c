// What is told, when reports come late, after an import, after an end, or with a better profile.
#include "db/emission.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/db/followed_shipment.h"

namespace remitod::db {
namespace {

using enum Status;

std::string told_by(FollowedShipment& shipment, std::vector<TrackingEvent> events) {
  return spell(shipment.apply(std::move(events)).transitions);
}

TrackingEvent unknown_code(TrackingEvent event) {
  event.status = unmapped;
  return event;
}

/// As a better profile reads it.
TrackingEvent read_as(TrackingEvent event, Status status) {
  event.status = status;
  return event;
}

// ---------------------------------------------------------------- late

TEST(Emission, ARealTransitAfterAnInferredOneIsNotTold) {
  FollowedShipment shipment;
  told_by(shipment, {event(delivered, timed(1, 5))});
  EXPECT_EQ(told_by(shipment, {event(in_transit, timed(1, 2)), event(delivered, timed(1, 5))}), "");
  EXPECT_EQ(shipment.known.events.size(), 2U);
}

TEST(Emission, ALateStatusThatWasNeverToldIsToldAsLate) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(delivered, timed(1, 5))});
  EXPECT_EQ(told_by(shipment, {event(out_for_delivery, timed(1, 4))}), "in_transit>out_for_delivery late");
  EXPECT_EQ(shipment.known.status, delivered);
}

TEST(Emission, ALateStatusThatWasToldIsOnlyStored) {
  FollowedShipment shipment;
  told_by(shipment,
          {event(in_transit, timed(1, 1)), event(out_for_delivery, timed(1, 3)), event(delivered, timed(1, 5))});
  const Reconciled result = shipment.apply({event(in_transit, timed(1, 4))});
  EXPECT_EQ(result.new_events.size(), 1U);
  EXPECT_EQ(spell(result.transitions), "");
}

TEST(Emission, TwoLateEventsOfOneStatusTellItOnce) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(delivered, timed(1, 9))});
  EXPECT_EQ(told_by(shipment, {event(out_for_delivery, timed(1, 4)), event(exception, timed(1, 5)),
                               event(out_for_delivery, timed(1, 6))}),
            "in_transit>out_for_delivery late, out_for_delivery>exception late");
}

TEST(Emission, EveryLateAttemptIsToldWithTheNumberItHasNow) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(attempt_failed, timed(2, 5))});
  EXPECT_EQ(told_by(shipment, {event(attempt_failed, timed(1, 5))}), "in_transit>attempt_failed 1 late");
  EXPECT_EQ(shipment.known.attempts_failed, 2);
  EXPECT_EQ(told_by(shipment, {event(attempt_failed, timed(3, 5))}), "attempt_failed>attempt_failed 3");
}

TEST(Emission, AStepOutOfOrderThatChangesThePresentStatusIsNotLate) {
  // 'delivered' carries an earlier time than the 'out for delivery' that we told first.
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(out_for_delivery, timed(1, 5))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 4))}), "out_for_delivery>delivered");
  EXPECT_EQ(shipment.known.status, delivered);
}

TEST(Emission, AStatusToldBeforeIsToldAgainWhenItBecomesThePresentOneOutOfOrder) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 0)), event(delivered, timed(1, 1)), event(attempt_failed, timed(1, 2)),
                     event(in_transit, timed(1, 8))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 7))}), "in_transit>delivered");
}

TEST(Emission, WhatIsNotLateFollowsWhatWasToldAndIsNotLate) {
  // 'delivered' came late and has been taken back since: whoever moves orders by what is not late has not seen it.
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 2))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 1)), event(attempt_failed, timed(1, 3)),
                               event(attempt_failed, timed(1, 4))}),
            "in_transit>delivered late, in_transit>attempt_failed 1 correction, attempt_failed>attempt_failed 2");
}

TEST(Emission, OutOfOrderATerminalStatusIsTakenBackAsACorrection) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(cancelled, timed(1, 5))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 4))}), "cancelled>delivered correction");
}

// ---------------------------------------------------------------- a better profile

TEST(Emission, AnExplainedCodeMakesItsTransitionOnce) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), unknown_code(event(delivered, timed(1, 5)))});
  EXPECT_EQ(shipment.known.status, in_transit);
  const Reconciled result = shipment.apply({event(in_transit, timed(1, 1)), event(delivered, timed(1, 5))});
  EXPECT_EQ(spell(result.transitions), "in_transit>delivered");
  EXPECT_EQ(result.updated_events.size(), 1U);
  EXPECT_EQ(result.unmapped, 0U);
  EXPECT_TRUE(changes_nothing(shipment.apply({event(in_transit, timed(1, 1)), event(delivered, timed(1, 5))})));
}

TEST(Emission, AnExplainedCodeOfThePastIsLate) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), unknown_code(event(attempt_failed, timed(1, 3))),
                     event(delivered, timed(1, 5))});
  EXPECT_EQ(told_by(shipment, {event(attempt_failed, timed(1, 3))}), "in_transit>attempt_failed 1 late");
}

TEST(Emission, WhatABetterProfileUnsaysIsNotTakenBackNorToldAgain) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(delivered, timed(1, 5))});
  const Reconciled unsaid = shipment.apply({unknown_code(event(delivered, timed(1, 5)))});
  EXPECT_EQ(spell(unsaid.transitions), "");
  EXPECT_EQ(unsaid.status, in_transit);
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 5))}), "");
  EXPECT_EQ(shipment.known.status, delivered);
}

TEST(Emission, WhatABetterProfileSaysInsteadFollowsWhatWasTold) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(delivered, timed(1, 5))});
  TrackingEvent handed_back = event(delivered, timed(1, 5));
  handed_back.status = returned;
  EXPECT_EQ(told_by(shipment, {handed_back}), "delivered>returned correction");
}

TEST(Emission, TransitThatWasToldIsNotInferredWhenABetterProfileUnsaysIt) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1))});
  TrackingEvent only_picked_up = event(in_transit, timed(1, 1));
  only_picked_up.status = picked_up;
  EXPECT_EQ(told_by(shipment, {only_picked_up}), "in_transit>picked_up");
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 5))}), "picked_up>delivered");
}

TEST(Emission, WhatWasToldAndHoldsIsNotToldAgainForAnotherEvent) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(delivered, timed(1, 5))});
  const TrackingEvent only_at_the_door = read_as(event(delivered, timed(1, 5)), out_for_delivery);
  EXPECT_EQ(told_by(shipment, {only_at_the_door, event(delivered, timed(1, 6))}), "in_transit>out_for_delivery late");
  EXPECT_EQ(shipment.known.status, delivered);
  EXPECT_EQ(told_by(shipment, {event(returned, timed(3, 1))}), "delivered>returned correction");
}

TEST(Emission, WhatLiesBeforeTheEventThatNowSaysWhatHoldsIsLate) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(delivered, timed(1, 5))});
  const TrackingEvent only_at_the_door = read_as(event(delivered, timed(1, 5)), out_for_delivery);
  told_by(shipment, {only_at_the_door, event(delivered, timed(1, 7))});
  EXPECT_EQ(told_by(shipment, {event(attempt_failed, timed(1, 6))}), "out_for_delivery>attempt_failed 1 late");
}

TEST(Emission, AnExceptionThatHoldsIsToldAgainForAnotherReasonAlone) {
  FollowedShipment shipment;
  told_by(shipment, {event(in_transit, timed(1, 1)), event(exception, timed(1, 5), Reason::weather)});
  const TrackingEvent only_at_the_door = read_as(event(exception, timed(1, 5)), out_for_delivery);
  EXPECT_EQ(told_by(shipment, {only_at_the_door, event(exception, timed(1, 6), Reason::weather)}),
            "in_transit>out_for_delivery late");
  EXPECT_EQ(told_by(shipment, {event(exception, timed(1, 8), Reason::customs)}), "exception>exception");
}

// ---------------------------------------------------------------- baseline

FollowedShipment imported(std::vector<TrackingEvent> history) {
  FollowedShipment shipment;
  shipment.known.baseline = true;
  EXPECT_EQ(told_by(shipment, std::move(history)), "");
  return shipment;
}

TEST(Baseline, MovesTheStatusSilently) {
  FollowedShipment shipment = imported({event(in_transit, timed(1, 1)), event(attempt_failed, timed(1, 3))});
  EXPECT_EQ(shipment.known.status, attempt_failed);
  EXPECT_EQ(shipment.known.attempts_failed, 1);
  EXPECT_TRUE(shipment.known.events.at(0).baseline);
  EXPECT_TRUE(changes_nothing(shipment.apply({event(in_transit, timed(1, 1)), event(attempt_failed, timed(1, 3))})));
}

TEST(Baseline, NewsAfterItAreTold) {
  FollowedShipment shipment = imported({event(in_transit, timed(1, 1)), event(attempt_failed, timed(1, 3))});
  const Reconciled result = shipment.apply({event(attempt_failed, timed(2, 3))});
  EXPECT_EQ(spell(result.transitions), "attempt_failed>attempt_failed 2");
  EXPECT_FALSE(result.new_events.at(0).baseline);
}

TEST(Baseline, NothingIsInferredThatItImplied) {
  FollowedShipment shipment = imported({event(out_for_delivery, timed(1, 1))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 3))}), "out_for_delivery>delivered");
}

TEST(Baseline, WaitsForTheFirstReportThatSaysSomething) {
  FollowedShipment shipment;
  shipment.known.baseline = true;
  shipment.apply(not_found_yet());
  EXPECT_EQ(told_by(shipment, {event(in_transit, timed(1, 1))}), "");
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 2))}), "in_transit>delivered");
}

TEST(Baseline, WhatLaterTurnsUpWithinItIsLate) {
  FollowedShipment shipment = imported({event(in_transit, timed(1, 1)), event(out_for_delivery, timed(1, 3)),
                                        event(in_transit, timed(1, 6)), event(in_transit, timed(1, 9))});
  EXPECT_EQ(told_by(shipment, {event(out_for_delivery, timed(1, 7))}), "");
  EXPECT_EQ(told_by(shipment, {event(exception, timed(1, 8))}), "out_for_delivery>exception late");
  EXPECT_EQ(shipment.known.status, in_transit) << "the last event of the baseline holds";
}

TEST(Baseline, ItsUnknownCodeIsToldWhenAProfileThatExplainsItChangesTheStatus) {
  FollowedShipment shipment = imported({event(in_transit, timed(1, 1)), unknown_code(event(delivered, timed(1, 9)))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 9))}), "in_transit>delivered");
}

TEST(Baseline, ItsUnknownCodeOfThePastStaysSilentWhenExplained) {
  FollowedShipment shipment =
      imported({event(in_transit, timed(1, 1)), unknown_code(event(attempt_failed, timed(1, 5))),
                event(delivered, timed(1, 9))});
  EXPECT_EQ(told_by(shipment, {event(attempt_failed, timed(1, 5))}), "");
  EXPECT_EQ(shipment.known.attempts_failed, 1);
}

// ---------------------------------------------------------------- expired

/// Given up by us after these events.
FollowedShipment given_up(std::vector<TrackingEvent> history) {
  FollowedShipment shipment;
  shipment.apply(std::move(history));
  shipment.known.status = expired;
  shipment.known.emitted.push_back({"expired", expired, false});
  return shipment;
}

TEST(Expired, HoldsWhileTheCarrierSaysNothingNew) {
  FollowedShipment shipment = given_up({event(in_transit, timed(1, 1))});
  const Reconciled result = shipment.apply({event(in_transit, timed(1, 1))});
  EXPECT_TRUE(changes_nothing(result));
  EXPECT_EQ(result.status, expired);
  EXPECT_EQ(result.status_at, std::nullopt);
  EXPECT_EQ(shipment.apply(not_found_yet()).status, expired);

  TrackingEvent reworded = event(in_transit, timed(1, 1));
  reworded.text = "En ruta";
  EXPECT_EQ(shipment.apply({reworded}).status, expired);
}

TEST(Expired, IsTakenBackByAnyNews) {
  FollowedShipment shipment = given_up({event(in_transit, timed(1, 1))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(9, 1))}), "expired>delivered correction");
  FollowedShipment silent = given_up({});
  EXPECT_EQ(told_by(silent, {event(delivered, timed(9, 1))}),
            "expired>in_transit inferred correction, in_transit>delivered");
}

TEST(Expired, IsTakenBackByASignOfLifeWhereItStood) {
  FollowedShipment shipment = given_up({event(in_transit, timed(1, 1))});
  EXPECT_EQ(told_by(shipment, {event(in_transit, timed(9, 1))}), "expired>in_transit correction");
  EXPECT_TRUE(changes_nothing(shipment.apply({event(in_transit, timed(9, 1))})));
  EXPECT_EQ(shipment.known.status, in_transit);
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(9, 2))}), "in_transit>delivered");
}

TEST(Expired, IsNotTakenBackByBookkeeping) {
  FollowedShipment shipment = given_up({event(in_transit, timed(1, 1))});
  const Reconciled result = shipment.apply({event(picked_up, timed(9, 1)), event(unmapped, timed(9, 2))});
  EXPECT_EQ(spell(result.transitions), "");
  EXPECT_EQ(result.status, expired);
  EXPECT_EQ(result.noise, 1U);
  FollowedShipment silent = given_up({});
  EXPECT_EQ(told_by(silent, {event(registered, timed(9, 1))}), "");
  EXPECT_EQ(silent.known.status, expired);
}

TEST(Expired, IsNotTakenBackByThePast) {
  FollowedShipment shipment = given_up({event(in_transit, timed(1, 1)), event(out_for_delivery, timed(2, 1))});
  EXPECT_EQ(told_by(shipment, {event(attempt_failed, timed(1, 5))}), "in_transit>attempt_failed 1 late");
  EXPECT_EQ(shipment.known.status, expired);
}

TEST(Expired, IsNotTakenBackByWhatLiesBeforeBookkeepingThatWasKnown) {
  FollowedShipment shipment = given_up({event(in_transit, timed(1, 1)), event(picked_up, timed(2, 1))});
  EXPECT_EQ(told_by(shipment, {event(attempt_failed, timed(1, 5))}), "in_transit>attempt_failed 1 late");
  EXPECT_EQ(shipment.known.status, expired);
}

TEST(Expired, IsTakenBackByAnEndThatTurnsUpInThePast) {
  FollowedShipment shipment = given_up({event(in_transit, timed(1, 1)), event(out_for_delivery, timed(2, 1))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(1, 5))}), "expired>delivered correction");
  EXPECT_EQ(shipment.known.status, delivered);
}

TEST(Expired, IsTakenBackWhenABetterProfileExplainsTheLastCode) {
  FollowedShipment shipment = given_up({event(in_transit, timed(1, 1)), unknown_code(event(delivered, timed(2, 1)))});
  EXPECT_EQ(told_by(shipment, {event(delivered, timed(2, 1))}), "expired>delivered correction");
}

TEST(Expired, CannotBeClaimedByACarrier) {
  FollowedShipment shipment;
  const Reconciled result = shipment.apply({event(in_transit, timed(1, 1)), event(expired, timed(1, 2))});
  EXPECT_EQ(result.status, in_transit);
  EXPECT_EQ(result.noise, 1U);
}

}  // namespace
}  // namespace remitod::db
