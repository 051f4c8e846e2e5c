// What an event is, which ones are taken, and in which order they happened.
#include "db/reconcile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "db/history.h"
#include "tests/db/followed_shipment.h"

namespace remitod::db {
namespace {

using enum Status;

// ---------------------------------------------------------------- identity

TEST(EventKey, IsTimeCodeAndPlaceForPeopleToRead) {
  EXPECT_EQ(event_key(event(in_transit, timed(3, 16, 4))), "2026-05-04T21:04:00Z|in_transit|Lima");
}

TEST(EventKey, ADayIsNotTheEventOfItsMidnight) {
  EXPECT_EQ(event_key(event(delivered, dated(3))), "2026-05-04T05:00:00Z/P1D|delivered|Lima");
  EXPECT_NE(event_key(event(delivered, dated(3))), event_key(event(delivered, timed(3, 0))));
}

TEST(EventKey, WordingStatusReasonAndPositionDoNotCount) {
  TrackingEvent other = event(in_transit, timed(3, 16));
  other.text = "Salida de planta";
  other.status = unmapped;
  other.reason = Reason::weather;
  other.position = 7;
  EXPECT_EQ(event_key(other), event_key(event(in_transit, timed(3, 16))));
}

TEST(EventKey, HowTheZoneIsKnownDoesNotCount) {
  TrackingEvent other = event(in_transit, timed(3, 16));
  other.occurred_at->zone = ZoneSource::offset;
  EXPECT_EQ(event_key(other), event_key(event(in_transit, timed(3, 16))));
}

TEST(EventKey, BlanksAreCollapsed) {
  TrackingEvent other = event(in_transit, timed(3, 16));
  other.code = " in_transit\t";
  other.place = "\r\n Lima \x01";
  EXPECT_EQ(event_key(other), event_key(event(in_transit, timed(3, 16))));
  other.place = "San  Juan\tde\nLurigancho";
  EXPECT_EQ(event_key(other), "2026-05-04T21:00:00Z|in_transit|San Juan de Lurigancho");
}

TEST(EventKey, ABarInACodeDoesNotMakeItAnotherCodeAndPlace) {
  const auto key = [](std::string code, std::string place) {
    TrackingEvent pair = event(in_transit, timed(3, 16));
    pair.code = std::move(code);
    pair.place = std::move(place);
    return event_key(pair);
  };
  EXPECT_NE(key("a|b", "c"), key("a", "b|c"));
  EXPECT_NE(key("a|b", "c"), key("a\\", "b|c"));
}

TEST(EventKey, IsShortAndValidTextHoweverLongTheCode) {
  TrackingEvent longer = event(in_transit, timed(3, 16));
  for (std::string filler : {"a", "ab"}) {  // so that the cut falls on either byte of a character
    longer.code = filler;
    for (int i = 0; i < 200; ++i) longer.code += "ñ";
    const std::string key = event_key(longer);
    EXPECT_LE(key.size(), 200U);
    EXPECT_GE(key.size(), 198U);
    const std::size_t digest = key.rfind('#');
    ASSERT_NE(digest, std::string::npos);
    EXPECT_EQ(key.substr(digest - 2, 2), "ñ") << "cut in the middle of a character";

    TrackingEvent other = longer;
    other.place = "Cusco";  // lies in the part that was cut
    EXPECT_NE(event_key(other), key);
  }
}

TEST(EventKey, OfALongCodeIsTheSameInEveryBuild) {
  TrackingEvent longer = event(in_transit, timed(3, 16));
  longer.code = std::string(300, 'x');
  EXPECT_EQ(event_key(longer), "2026-05-04T21:00:00Z|" + std::string(146, 'x') + "#6614d395afc9e83254df8e4d1afd1145");
}

TEST(EventKey, AnAbsentTimeIsADash) {
  EXPECT_EQ(event_key(event(in_transit, std::nullopt)), "-|in_transit|Lima");
}

// ---------------------------------------------------------------- what is taken

TEST(Reconcile, RepeatedEventEmitsNothing) {
  FollowedShipment shipment;
  shipment.apply({event(in_transit, timed(1, 9))});
  EXPECT_TRUE(changes_nothing(shipment.apply({event(in_transit, timed(1, 9))})));
  EXPECT_EQ(shipment.known.events.size(), 1U);
}

TEST(Reconcile, SameEventTwiceInAReportIsTakenOnceAsTheLaterLineHasIt) {
  TrackingEvent later = event(in_transit, timed(1, 9));
  later.text = "Salida de planta";
  for (const bool reversed : {false, true}) {
    Report report = history_report({event(in_transit, timed(1, 9)), later});
    if (reversed) std::ranges::reverse(report.events);
    FollowedShipment shipment;
    const Reconciled result = shipment.apply(report);
    ASSERT_EQ(result.new_events.size(), 1U);
    EXPECT_EQ(result.new_events[0].event.text, "Salida de planta");
    EXPECT_EQ(result.new_events[0].event.position, 1U);
    EXPECT_EQ(result.transitions.size(), 1U);
  }
}

TEST(Reconcile, SameCodeAtAnotherPlaceOrTimeIsAnotherEvent) {
  FollowedShipment shipment;
  TrackingEvent elsewhere = event(in_transit, timed(1, 9));
  elsewhere.place = "Cusco";
  const Reconciled result =
      shipment.apply({event(in_transit, timed(1, 9)), elsewhere, event(in_transit, timed(1, 10))});
  EXPECT_EQ(result.new_events.size(), 3U);
  EXPECT_EQ(spell(result.transitions), "registered>in_transit");
}

TEST(Reconcile, NewWordingUpdatesTheEventAndEmitsNothing) {
  FollowedShipment shipment;
  shipment.apply({event(attempt_failed, timed(1, 9), Reason::other)});
  TrackingEvent reworded = event(attempt_failed, timed(1, 9), Reason::recipient_absent);
  reworded.text = "Ausente";
  const Reconciled result = shipment.apply({reworded});
  ASSERT_EQ(result.updated_events.size(), 1U);
  EXPECT_EQ(result.updated_events[0].event.text, "Ausente");
  EXPECT_EQ(result.updated_events[0].detected_at, moment(20, 0)) << "when it was first seen";
  EXPECT_EQ(result.reason, Reason::recipient_absent);
  EXPECT_TRUE(result.new_events.empty());
  EXPECT_TRUE(result.transitions.empty());
}

TEST(Reconcile, StoresCodeAndPlaceWithoutTheirBlanks) {
  FollowedShipment shipment;
  TrackingEvent padded = event(in_transit, timed(1, 9));
  padded.code = " T  1 ";
  padded.place = " San   Isidro";
  const Reconciled result = shipment.apply({padded});
  EXPECT_EQ(result.new_events.at(0).event.code, "T 1");
  EXPECT_EQ(result.new_events.at(0).event.place, "San Isidro");
}

TEST(Reconcile, EventsOfAnEarlierCycleAreIgnoredAndCounted) {
  FollowedShipment shipment;
  shipment.known.registered_at = moment(10, 12);
  const Reconciled result = shipment.apply({
      event(delivered, timed(8, 11, 59)),  // a minute before the grace
      event(registered, timed(8, 12)),     // the last moment of it
      event(in_transit, timed(10, 13)),
  });
  EXPECT_EQ(result.too_old, 1U);
  EXPECT_EQ(result.new_events.size(), 2U);
  EXPECT_EQ(result.status, in_transit);
}

TEST(Reconcile, OfADayWithoutAnHourTheEndDecidesIfItIsTooOld) {
  FollowedShipment shipment;
  shipment.known.registered_at = moment(10, 12);
  const Reconciled result = shipment.apply({event(delivered, dated(7)), event(in_transit, dated(8))});
  EXPECT_EQ(result.too_old, 1U);
  EXPECT_EQ(result.status, in_transit);
}

TEST(Reconcile, WhatHasNotHappenedYetIsLeftOutAndWhatIsKnownIsNotForgotten) {
  FollowedShipment shipment;
  const TrackingEvent planned = event(delivered, timed(5, 9));
  shipment.rules.future_after = moment(4, 12);
  const Reconciled early = shipment.apply({event(in_transit, timed(4, 9)), planned});
  EXPECT_EQ(early.ahead, 1U);
  EXPECT_EQ(early.new_events.size(), 1U);
  EXPECT_EQ(shipment.known.status, in_transit);
  shipment.rules.future_after = moment(5, 9);
  EXPECT_EQ(shipment.apply({event(in_transit, timed(4, 9)), planned}).status, delivered);
  shipment.rules.future_after = moment(4, 12);  // the clock was set back
  TrackingEvent reworded = planned;
  reworded.text = "Entregado en portería";
  const Reconciled again = shipment.apply({reworded});
  EXPECT_EQ(again.updated_events.size(), 1U);
  EXPECT_EQ(again.ahead, 0U);
  EXPECT_EQ(shipment.known.status, delivered);
}

TEST(Reconcile, WhatComesOnlyOnceIsTakenThoughItLiesInTheFuture) {
  FollowedShipment shipment;
  shipment.rules.future_after = moment(4, 12);
  shipment.rules.leaves_out_future = false;
  const Reconciled result = shipment.apply({event(delivered, timed(5, 9))});
  EXPECT_EQ(result.ahead, 1U);
  EXPECT_EQ(result.status, delivered);
}

TEST(Reconcile, NothingIsTooOldForAnImportWithoutADate) {
  FollowedShipment shipment;
  EXPECT_EQ(shipment.apply({event(in_transit, timed(-4000, 9))}).too_old, 0U);
  EXPECT_EQ(shipment.known.status, in_transit);
}

TEST(Reconcile, NotFoundYetChangesNothing) {
  FollowedShipment fresh;
  EXPECT_TRUE(changes_nothing(fresh.apply(not_found_yet())));
  EXPECT_EQ(fresh.known.status, registered);

  FollowedShipment failed;
  failed.apply({event(attempt_failed, timed(1, 9), Reason::recipient_absent)});
  const Reconciled result = failed.apply(not_found_yet());
  EXPECT_TRUE(changes_nothing(result));
  EXPECT_EQ(result.status, attempt_failed);
  EXPECT_EQ(result.reason, Reason::recipient_absent);
  EXPECT_EQ(result.attempts_failed, 1);
  EXPECT_EQ(result.status_at, timed(1, 9));

  Report contradictory = not_found_yet();
  contradictory.events = {event(delivered, timed(2, 9))};
  EXPECT_TRUE(changes_nothing(failed.apply(contradictory)));
}

TEST(Reconcile, GoneChangesNothingThatIsKnown) {
  FollowedShipment shipment;
  shipment.apply({event(delivered, timed(1, 9))});
  const Reconciled result = shipment.apply(Report{.remito = "0001", .kind = Report::Kind::gone, .events = {}});
  EXPECT_TRUE(changes_nothing(result));
  EXPECT_EQ(result.status, delivered);
}

TEST(Reconcile, AnEmptyHistoryChangesNothing) {
  FollowedShipment shipment;
  shipment.apply({event(in_transit, timed(1, 9))});
  EXPECT_TRUE(changes_nothing(shipment.apply(std::vector<TrackingEvent>{})));
  EXPECT_EQ(shipment.known.status, in_transit);
}

TEST(Reconcile, TakesTheNewestEventsOfAnEndlessReport) {
  std::vector<TrackingEvent> events{event(delivered, timed(1, 0))};
  for (int line = 1; line < 600; ++line) {
    events.push_back(event(unmapped, timed(1, 0)));
    events.back().code = "a" + std::to_string(999 - line);  // so that neither time nor code tells which is newest
  }
  FollowedShipment shipment;
  const Reconciled result = shipment.apply(events);
  EXPECT_EQ(result.new_events.size(), 500U);
  EXPECT_EQ(result.over_limit, 100U);
  EXPECT_EQ(result.status, registered) << "the oldest 100 were left out";
  EXPECT_TRUE(changes_nothing(shipment.apply(events)));
}

TEST(Reconcile, KeepsTheNewestOfWhatStillFitsIntoAShipment) {
  FollowedShipment shipment;
  for (int batch = 0; batch < 4; ++batch) {
    std::vector<TrackingEvent> events;
    for (int minute = 0; minute < 499; ++minute) events.push_back(event(unmapped, timed(batch, 0, minute)));
    shipment.apply(events);
  }
  ASSERT_EQ(shipment.known.events.size(), 1996U);
  const Reconciled result = shipment.apply({
      event(cancelled, timed(8, 0)),
      event(in_transit, timed(9, 0)),
      event(out_for_delivery, timed(9, 1)),
      event(attempt_failed, timed(9, 2)),
      event(in_transit, timed(9, 3)),
  });
  EXPECT_EQ(result.new_events.size(), 4U);
  EXPECT_EQ(result.over_limit, 1U);
  EXPECT_EQ(spell(result.transitions),
            "registered>in_transit, in_transit>out_for_delivery, out_for_delivery>attempt_failed 1, "
            "attempt_failed>in_transit");
  EXPECT_EQ(shipment.apply({event(delivered, timed(10, 0))}).over_limit, 1U);
}

// ---------------------------------------------------------------- events without a time

TEST(Snapshot, WithoutATimeIsNewOnlyWhenItsStateChanges) {
  FollowedShipment shipment;
  const Reconciled first = shipment.apply(snapshot_report(event(in_transit, std::nullopt)));
  ASSERT_EQ(first.new_events.size(), 1U);
  EXPECT_EQ(first.new_events[0].event.occurred_at, (OccurredAt{.at = moment(20, 0), .zone = ZoneSource::assumed}));
  EXPECT_TRUE(changes_nothing(shipment.apply(snapshot_report(event(in_transit, std::nullopt)))));

  EXPECT_EQ(spell(shipment.apply(snapshot_report(event(attempt_failed, std::nullopt))).transitions),
            "in_transit>attempt_failed 1");
  EXPECT_EQ(spell(shipment.apply(snapshot_report(event(in_transit, std::nullopt))).transitions),
            "attempt_failed>in_transit");
  EXPECT_EQ(spell(shipment.apply(snapshot_report(event(attempt_failed, std::nullopt))).transitions),
            "in_transit>attempt_failed 2");
  EXPECT_TRUE(changes_nothing(shipment.apply(snapshot_report(event(attempt_failed, std::nullopt)))));
}

TEST(Snapshot, WithAnotherCodeOfTheSameStatusIsANewEvent) {
  FollowedShipment shipment;
  shipment.apply(snapshot_report(event(in_transit, std::nullopt)));
  TrackingEvent hub = event(in_transit, std::nullopt);
  hub.code = "HUB";
  const Reconciled result = shipment.apply(snapshot_report(hub));
  ASSERT_EQ(result.new_events.size(), 1U);
  EXPECT_EQ(result.new_events[0].event.occurred_at->at, moment(20, 1)) << "when the code changed";
  EXPECT_TRUE(result.transitions.empty());
}

TEST(Snapshot, WhosePlaceAloneMovedIsTheSameEvent) {
  FollowedShipment shipment;
  shipment.apply(snapshot_report(event(in_transit, std::nullopt)));
  TrackingEvent moved = event(in_transit, std::nullopt);
  moved.place = "Cusco";
  EXPECT_TRUE(changes_nothing(shipment.apply(snapshot_report(moved))));
}

TEST(Snapshot, WhoseCodeTheProfileLearnedIsTheSameEventAndMakesItsTransitionOnce) {
  FollowedShipment shipment;
  TrackingEvent unknown = event(attempt_failed, std::nullopt);
  unknown.status = unmapped;
  EXPECT_EQ(shipment.apply(snapshot_report(unknown)).unmapped, 1U);
  const Reconciled learned = shipment.apply(snapshot_report(event(attempt_failed, std::nullopt)));
  EXPECT_TRUE(learned.new_events.empty());
  EXPECT_EQ(learned.updated_events.size(), 1U);
  EXPECT_EQ(spell(learned.transitions), "registered>in_transit inferred, in_transit>attempt_failed 1");
  shipment.apply(snapshot_report(unknown));
  EXPECT_TRUE(shipment.apply(snapshot_report(event(attempt_failed, std::nullopt))).transitions.empty());
  EXPECT_EQ(shipment.known.attempts_failed, 1);
}

TEST(Snapshot, WithATimeIsAnEvent) {
  FollowedShipment shipment;
  shipment.apply(snapshot_report(event(in_transit, timed(1, 9))));
  EXPECT_EQ(shipment.apply(snapshot_report(event(in_transit, timed(1, 10)))).new_events.size(), 1U);
  EXPECT_TRUE(changes_nothing(shipment.apply(snapshot_report(event(in_transit, timed(1, 9))))));
}

TEST(Reconcile, AnEventOfAHistoryWithoutATimeIsTakenOnceAtItsFirstSighting) {
  FollowedShipment shipment;
  const std::vector<TrackingEvent> events{event(picked_up, std::nullopt), event(in_transit, std::nullopt)};
  EXPECT_EQ(spell(shipment.apply(events).transitions), "registered>picked_up, picked_up>in_transit");
  EXPECT_TRUE(changes_nothing(shipment.apply(events)));
  EXPECT_EQ(spell(shipment.apply({events[0], events[1], event(delivered, std::nullopt)}).transitions),
            "in_transit>delivered");
}

TEST(Snapshot, AnEventThatOnlyHasNoZoneIsNotOneWithoutATime) {
  FollowedShipment shipment;
  TrackingEvent zoneless = event(in_transit, timed(1, 9));
  zoneless.occurred_at->zone = ZoneSource::assumed;
  shipment.apply({zoneless});
  EXPECT_EQ(shipment.apply(snapshot_report(event(in_transit, std::nullopt))).new_events.size(), 1U);
}

// ---------------------------------------------------------------- canonical order

/// The codes in canonical order, from whatever order.
std::string canonical(const std::vector<TrackingEvent>& events) {
  History history;
  for (const TrackingEvent& each : events)
    history.push_back({.known = {.event = each}, .key = event_key(each), .novelty = Novelty::fresh});
  std::string spelled;
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::ranges::shuffle(history, random);
    sort_canonically(history);
    std::string order;
    for (const HistoryEntry& entry : history) order += entry.known.event.code + " ";
    EXPECT_TRUE(spelled.empty() || spelled == order) << spelled << "| " << order;
    spelled = order;
  }
  return spelled;
}

/// As a carrier lists them, oldest first.
std::string canonical_list(const std::vector<TrackingEvent>& events) {
  return canonical(history_report(events).events);
}

TEST(CanonicalOrder, TimeComesBeforeTheCarriersList) {
  EXPECT_EQ(canonical_list({event(delivered, timed(1, 12)), event(in_transit, timed(1, 9))}), "in_transit delivered ");
}

TEST(CanonicalOrder, AtOneTimeTheCarriersListDecides) {
  EXPECT_EQ(canonical_list({event(delivered, timed(1, 9)), event(in_transit, timed(1, 9))}), "delivered in_transit ");
}

TEST(CanonicalOrder, AtOneTimeAndPositionProgressDecides) {
  EXPECT_EQ(canonical({event(delivered, timed(1, 9)), event(registered, timed(1, 9)), event(exception, timed(1, 9)),
                       event(in_transit, timed(1, 9)), event(returned, timed(1, 9))}),
            "registered in_transit exception delivered returned ");
}

TEST(CanonicalOrder, ADateStandsInItsDayWhereTheListHasIt) {
  EXPECT_EQ(canonical_list({event(registered, dated(1)), event(in_transit, timed(1, 9)),
                            event(out_for_delivery, timed(1, 12)), event(delivered, dated(1)),
                            event(returning, timed(2, 1))}),
            "registered in_transit out_for_delivery delivered returning ");
}

TEST(CanonicalOrder, OfEqualProgressADateStandsAfterTheTimes) {
  TrackingEvent day = event(in_transit, dated(1));
  day.code = "day";
  EXPECT_EQ(canonical({event(in_transit, timed(1, 9)), day}), "in_transit day ");
}

TEST(CanonicalOrder, WhatIsEqualInAllElseIsOrderedByItsCode) {
  std::vector<TrackingEvent> events;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    events.push_back(event(in_transit, timed(1, 9)));
    events.back().code = std::to_string(100 + i);
    expected += events.back().code + " ";
  }
  EXPECT_EQ(canonical(events), expected);
}

TEST(CanonicalOrder, ADateComesBeforeTheNextDayAndAfterTheLastWhateverTheList) {
  EXPECT_EQ(canonical_list({event(delivered, timed(3, 0)), event(out_for_delivery, dated(2)),
                            event(in_transit, timed(1, 23, 59))}),
            "in_transit out_for_delivery delivered ");
}

TEST(CanonicalOrder, TimesOfADayAreNeverReorderedForADate) {
  // The list has 12:00 before 9:00. The date stands after both: what is listed before it is among what came before.
  EXPECT_EQ(canonical_list({event(in_transit, timed(1, 9)), event(delivered, timed(1, 12)),
                            event(out_for_delivery, timed(1, 10)), event(returning, dated(1))}),
            "in_transit out_for_delivery delivered returning ");
  EXPECT_EQ(canonical_list({event(delivered, timed(1, 12)), event(exception, dated(1)), event(in_transit, timed(1, 9)),
                            event(out_for_delivery, timed(1, 10))}),
            "exception in_transit out_for_delivery delivered ");
}

TEST(CanonicalOrder, PositionIsTheHighestEverSeen) {
  // The carrier's list grows at its old end: what was its first line is its second now.
  FollowedShipment shipment;
  shipment.apply({event(out_for_delivery, timed(1, 9))});
  const Reconciled grown = shipment.apply({event(in_transit, timed(1, 9)), event(out_for_delivery, timed(1, 9))});
  ASSERT_EQ(grown.updated_events.size(), 1U);
  EXPECT_EQ(grown.updated_events[0].event.position, 1U);
  EXPECT_EQ(grown.status, out_for_delivery);
  EXPECT_TRUE(changes_nothing(shipment.apply({event(out_for_delivery, timed(1, 9))}))) << "a position never falls";
}

}  // namespace
}  // namespace remitod::db
