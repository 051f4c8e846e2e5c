// Reports of answers that were kept, reconciled once more as of when they came.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "tests/db/followed_shipment.h"

namespace remitod::db {
namespace {

using enum Status;

constexpr ReconcileRules again{.read_again = true};

TrackingEvent untimed(Status status) {
  TrackingEvent result = event(status, std::nullopt);
  return result;
}

/// A report with the moment at which it was applied.
struct Applied {
  Report report;
  Instant at;
};

TEST(ReadAgain, AnOlderWordingLeavesTheNewerOneAlone) {
  FollowedShipment shipment;
  TrackingEvent first = event(attempt_failed, timed(1, 9), Reason::other);
  first.text = "No se pudo";
  const Instant then = shipment.now;
  shipment.apply({first});
  TrackingEvent later = event(attempt_failed, timed(1, 9), Reason::recipient_absent);
  later.text = "Cliente ausente";
  shipment.apply({later});
  const Reconciled result = reconcile(shipment.known, history_report({first}), again, then);
  EXPECT_TRUE(changes_nothing(result));
  EXPECT_EQ(result.reason, Reason::recipient_absent);
}

TEST(ReadAgain, WhatNobodyUnderstoodIsExplainedByAnyWording) {
  FollowedShipment shipment;
  TrackingEvent odd = event(unmapped, timed(1, 9));
  odd.code = "07";
  odd.text = "Fin";
  const Instant then = shipment.now;
  shipment.apply({odd});
  odd.text = "Fin del servicio";
  shipment.apply({odd});
  TrackingEvent explained = odd;
  explained.text = "Fin";
  explained.status = delivered;
  const Reconciled result = reconcile(shipment.known, history_report({explained}), again, then);
  EXPECT_EQ(spell(result.transitions), "registered>in_transit inferred, in_transit>delivered");
  ASSERT_EQ(result.updated_events.size(), 1U);
  EXPECT_EQ(result.updated_events[0].event.text, "Fin del servicio");
}

TEST(ReadAgain, ABetterReasonOfTheSameWordsIsTaken) {
  FollowedShipment shipment;
  const Instant then = shipment.now;
  shipment.apply({event(attempt_failed, timed(1, 9), Reason::other)});
  const Reconciled result =
      reconcile(shipment.known, history_report({event(attempt_failed, timed(1, 9), Reason::weather)}), again, then);
  EXPECT_EQ(result.reason, Reason::weather);
  EXPECT_TRUE(result.transitions.empty()) << "that it failed was told";
}

TEST(ReadAgain, AStateWithoutATimeIsComparedWithWhatHadBeenSeenByThen) {
  FollowedShipment shipment;
  const Instant then = shipment.now;
  shipment.apply(snapshot_report(untimed(in_transit)));
  shipment.apply(snapshot_report(untimed(out_for_delivery)));
  EXPECT_TRUE(changes_nothing(reconcile(shipment.known, snapshot_report(untimed(in_transit)), again, then)));
  EXPECT_FALSE(changes_nothing(reconcile(shipment.known, snapshot_report(untimed(in_transit)), {}, shipment.now)))
      << "now it would be news";
}

RC_GTEST_PROP(ReadAgain, WhatWasAppliedTellsNothingInWhicheverOrder, ()) {
  static const std::vector<Status> statuses{picked_up, in_transit, out_for_delivery, attempt_failed,
                                            delivered, returning,  exception,        unmapped};
  const auto any_event = [&] {
    const auto status = *rc::gen::elementOf(statuses);
    const bool has_time = *rc::gen::weightedElement<bool>({{2, true}, {1, false}});
    return has_time ? event(status, timed(*rc::gen::inRange(1, 5), *rc::gen::inRange(0, 24))) : untimed(status);
  };
  FollowedShipment shipment;
  std::vector<Applied> applied;
  const int reports = *rc::gen::inRange(1, 8);
  for (int i = 0; i < reports; ++i) {
    const bool is_snapshot = *rc::gen::arbitrary<bool>();
    std::vector<TrackingEvent> events;
    const int count = is_snapshot ? 1 : *rc::gen::inRange(0, 5);
    for (int j = 0; j < count; ++j) events.push_back(any_event());
    const Report report = is_snapshot ? snapshot_report(events.front()) : history_report(std::move(events));
    applied.push_back({report, shipment.now});
    shipment.apply(report);
  }
  const int rereads = *rc::gen::inRange(1, 12);
  for (int i = 0; i < rereads; ++i) {
    const Applied& one = applied[*rc::gen::inRange<std::size_t>(0, applied.size())];
    const Reconciled result = reconcile(shipment.known, one.report, again, one.at);
    RC_ASSERT(result.new_events.empty());
    RC_ASSERT(result.transitions.empty());
    RC_ASSERT(result.status == shipment.known.status);
  }
}

}  // namespace
}  // namespace remitod::db
