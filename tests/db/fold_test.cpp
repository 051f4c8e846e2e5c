// What a history means: the table of verdicts, attempts, and what is inferred.
#include "db/fold.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/db/followed_shipment.h"

namespace remitod::db {
namespace {

using enum Status;

/// All that is told when the carrier shows these events at once, an hour after each other.
std::string told(const std::vector<std::pair<Status, Reason>>& statuses) {
  std::vector<TrackingEvent> events;
  for (const auto& [status, reason] : statuses)
    events.push_back(event(status, timed(1, static_cast<int>(events.size())), reason));
  FollowedShipment shipment;
  return spell(shipment.apply(events).transitions);
}

std::string told(const std::vector<Status>& statuses) {
  std::vector<std::pair<Status, Reason>> unexplained;
  for (const Status status : statuses) unexplained.emplace_back(status, Reason::none);
  return told(unexplained);
}

// ---------------------------------------------------------------- the table

struct Row {
  Status present;
  std::string_view steps;  ///< to each of these it moves
};

constexpr std::array<Row, status_count - 1> rows{{
    {registered,
     "picked_up in_transit out_for_delivery available_for_pickup attempt_failed delivered returning returned exception "
     "cancelled"},
    {picked_up,
     "in_transit out_for_delivery available_for_pickup attempt_failed delivered returning returned exception "
     "cancelled"},
    {in_transit,
     "out_for_delivery available_for_pickup attempt_failed delivered returning returned exception cancelled"},
    {out_for_delivery,
     "in_transit available_for_pickup attempt_failed delivered returning returned exception cancelled"},
    {available_for_pickup,
     "in_transit out_for_delivery attempt_failed delivered returning returned exception cancelled"},
    {attempt_failed,
     "in_transit out_for_delivery available_for_pickup attempt_failed delivered returning returned exception "
     "cancelled"},
    {delivered, "attempt_failed returning returned exception"},
    {returning, "attempt_failed delivered returned exception cancelled"},
    {returned, "delivered"},
    {exception,
     "in_transit out_for_delivery available_for_pickup attempt_failed delivered returning returned cancelled"},
    {cancelled,
     "picked_up in_transit out_for_delivery available_for_pickup attempt_failed delivered returning returned"},
    {expired,
     "picked_up in_transit out_for_delivery available_for_pickup attempt_failed delivered returning returned exception "
     "cancelled"},
}};

TEST(Verdict, IsThatOfTheTableForEveryPairOfStatuses) {
  std::set<Status> present_statuses;
  for (const Row& row : rows) {
    present_statuses.insert(row.present);
    std::set<std::string> steps;
    std::istringstream words{std::string(row.steps)};
    for (std::string word; words >> word;) {
      ASSERT_TRUE(status_from(word)) << word;
      steps.insert(word);
    }
    for (std::size_t i = 0; i < status_count - 1; ++i) {
      const auto claimed = static_cast<Status>(i);
      const Verdict otherwise = claimed == row.present && claimed != expired ? Verdict::repeat : Verdict::noise;
      const Verdict expected = steps.contains(std::string(name(claimed))) ? Verdict::step : otherwise;
      EXPECT_EQ(verdict(row.present, claimed), expected) << name(row.present) << " > " << name(claimed);
    }
  }
  EXPECT_EQ(present_statuses.size(), status_count - 1);
}

TEST(Fold, TellsAnOrdinaryDelivery) {
  EXPECT_EQ(told({registered, picked_up, in_transit, in_transit, out_for_delivery, delivered}),
            "registered>picked_up, picked_up>in_transit, in_transit>out_for_delivery, out_for_delivery>delivered");
}

TEST(Fold, GoesBackToTheHubButNotToTheStart) {
  EXPECT_EQ(told({in_transit, out_for_delivery, in_transit, picked_up, registered}),
            "registered>in_transit, in_transit>out_for_delivery, out_for_delivery>in_transit");
}

TEST(Fold, ScansAfterTheEndAreCountedAsNoise) {
  FollowedShipment shipment;
  const Reconciled result =
      shipment.apply({event(in_transit, timed(1, 1)), event(delivered, timed(1, 2)), event(in_transit, timed(1, 3)),
                      event(out_for_delivery, timed(1, 4)), event(delivered, timed(1, 5))});
  EXPECT_EQ(result.status, delivered);
  EXPECT_EQ(result.status_at, timed(1, 2));
  EXPECT_EQ(result.noise, 2U) << "a second 'delivered' repeats, it does not contradict";
  EXPECT_EQ(result.new_events.size(), 5U);
  EXPECT_EQ(spell(result.transitions), "registered>in_transit, in_transit>delivered");
  EXPECT_EQ(shipment.apply({event(in_transit, timed(1, 6))}).noise, 1U) << "noise is counted when it is new";
}

TEST(Fold, TakingBackATerminalStatusIsACorrection) {
  EXPECT_EQ(told({in_transit, delivered, returning, returned, delivered}),
            "registered>in_transit, in_transit>delivered, delivered>returning correction, returning>returned, "
            "returned>delivered correction");
  EXPECT_EQ(told({cancelled, in_transit}), "registered>cancelled, cancelled>in_transit correction");
}

TEST(Fold, AtEqualTimesACorrectionIsWhatTheListHasLater) {
  FollowedShipment shipment;
  shipment.apply({event(in_transit, timed(1, 1)), event(delivered, timed(1, 2)), event(attempt_failed, timed(1, 2))});
  EXPECT_EQ(shipment.known.status, attempt_failed);
  FollowedShipment other;
  other.apply({event(in_transit, timed(1, 1)), event(attempt_failed, timed(1, 2)), event(delivered, timed(1, 2))});
  EXPECT_EQ(other.known.status, delivered);
}

// ---------------------------------------------------------------- attempts and exceptions

TEST(Fold, EachFailedAttemptIsATransitionWithItsReasonAndNumber) {
  FollowedShipment shipment;
  const Reconciled result = shipment.apply(
      {event(in_transit, timed(1, 1)), event(attempt_failed, timed(1, 2), Reason::recipient_absent),
       event(attempt_failed, timed(2, 2), Reason::recipient_absent), event(out_for_delivery, timed(3, 1)),
       event(attempt_failed, timed(3, 2), Reason::recipient_refused)});
  ASSERT_EQ(spell(result.transitions),
            "registered>in_transit, in_transit>attempt_failed 1, attempt_failed>attempt_failed 2, "
            "attempt_failed>out_for_delivery, out_for_delivery>attempt_failed 3");
  EXPECT_EQ(result.transitions[1].reason, Reason::recipient_absent);
  EXPECT_EQ(result.transitions[4].reason, Reason::recipient_refused);
  EXPECT_EQ(result.attempts_failed, 3);
  EXPECT_EQ(result.reason, Reason::recipient_refused);
}

TEST(Fold, AReasonEndsWithItsStatus) {
  FollowedShipment shipment;
  shipment.apply({event(attempt_failed, timed(1, 2), Reason::recipient_absent), event(delivered, timed(1, 3))});
  EXPECT_EQ(shipment.known.reason, Reason::none);
  EXPECT_EQ(shipment.known.attempts_failed, 1);
}

TEST(Fold, AnExceptionIsToldAgainOnlyForAnotherReason) {
  EXPECT_EQ(told({{in_transit, Reason::none},
                  {exception, Reason::weather},
                  {exception, Reason::weather},
                  {exception, Reason::customs}}),
            "registered>in_transit, in_transit>exception, exception>exception");
}

// ---------------------------------------------------------------- unmapped

TEST(Fold, AnUnmappedCodeNeverBecomesTheStatus) {
  FollowedShipment shipment;
  const Reconciled result = shipment.apply(
      {event(unmapped, timed(1, 1)), event(out_for_delivery, timed(1, 2)), event(unmapped, timed(1, 3))});
  EXPECT_EQ(result.status, out_for_delivery);
  EXPECT_EQ(result.unmapped, 2U);
  EXPECT_EQ(result.noise, 0U);
  EXPECT_EQ(spell(result.transitions), "registered>in_transit inferred, in_transit>out_for_delivery");

  TrackingEvent reworded = event(unmapped, timed(1, 1));
  reworded.text = "Guía en proceso";
  EXPECT_EQ(shipment.apply({reworded}).unmapped, 0U) << "a code is counted when it is new";
}

// ---------------------------------------------------------------- inferred

TEST(Fold, InfersTransitBeforeWhatImpliesIt) {
  EXPECT_EQ(told({delivered}), "registered>in_transit inferred, in_transit>delivered");
  EXPECT_EQ(told({picked_up, delivered}), "registered>picked_up, picked_up>in_transit inferred, in_transit>delivered");
  EXPECT_EQ(told({out_for_delivery}), "registered>in_transit inferred, in_transit>out_for_delivery");
  EXPECT_EQ(told({available_for_pickup}), "registered>in_transit inferred, in_transit>available_for_pickup");
  EXPECT_EQ(told({attempt_failed}), "registered>in_transit inferred, in_transit>attempt_failed 1");
  EXPECT_EQ(told({returning}), "registered>in_transit inferred, in_transit>returning");
  EXPECT_EQ(told({returned}), "registered>in_transit inferred, in_transit>returned");
}

TEST(Fold, InfersNothingWhereNothingIsImplied) {
  EXPECT_EQ(told({picked_up, exception, cancelled}), "registered>picked_up, picked_up>exception, exception>cancelled");
}

TEST(Fold, InfersTransitOnce) {
  EXPECT_EQ(told({out_for_delivery, exception, delivered}),
            "registered>in_transit inferred, in_transit>out_for_delivery, out_for_delivery>exception, "
            "exception>delivered");
}

TEST(Fold, TheInferredStepOutOfATerminalStatusIsTheCorrection) {
  EXPECT_EQ(told({cancelled, delivered}),
            "registered>cancelled, cancelled>in_transit inferred correction, in_transit>delivered");
}

TEST(Fold, AnInferredTransitionHasTheTimeOfItsCauseButNotItsWords) {
  FollowedShipment shipment;
  const Reconciled result = shipment.apply({event(delivered, timed(1, 5))});
  ASSERT_EQ(result.transitions.size(), 2U);
  const ShipmentTransition& inferred = result.transitions[0];
  const ShipmentTransition& cause = result.transitions[1];
  EXPECT_EQ(inferred.event_key, cause.event_key);
  EXPECT_EQ(inferred.occurred_at, timed(1, 5));
  EXPECT_EQ(inferred.code + inferred.text + inferred.place, "");
  EXPECT_EQ(cause.code, "delivered");
  EXPECT_EQ(cause.text, "Entregado");
  EXPECT_EQ(cause.place, "Lima");
}

}  // namespace
}  // namespace remitod::db
