#include <gmock/gmock.h>

#include "tests/db/store_fixture.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using db::AppliedReport;
using db::PolledReport;
using db::ResyncTarget;
using db::Session;
using db::ShipmentView;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Instant start{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};

TrackingEvent event(std::string code, Status status, Instant at, std::uint32_t position = 0) {
  return {.code = code,
          .text = "dice " + code,
          .status = status,
          .occurred_at = OccurredAt{at, ZoneSource::offset},
          .place = "LIMA",
          .position = position};
}
const TrackingEvent picked_up = event("PU", Status::picked_up, start + 1h, 0);
const TrackingEvent in_transit = event("TR", Status::in_transit, start + 2h, 1);
const TrackingEvent delivered = event("EN", Status::delivered, start + 5h, 2);

PolledReport reported(std::int64_t id, std::vector<TrackingEvent> events) {
  return {id, Report{.remito = std::to_string(id), .kind = Report::Kind::events, .events = std::move(events)}};
}

class ApplyReports : public StoreTest {
 protected:
  /// Shipments 1 to count, of order 100 and on, registered at `start`.
  void follow(int count, bool baseline = false) {
    for (int i = 1; i <= count; ++i)
      sql("insert into shipments (order_number, carrier, remito, registered_at, baseline) values ('" +
          std::to_string(99 + i) + "', 'oca', '" + std::to_string(i) + "', " + std::to_string(to_micros(start)) + ", " +
          (baseline ? "true" : "false") + ")");
    run<std::vector<db::OpenShipment>>([](Session& at) { return db::accept_new_shipments(at, start, 10'000); });
  }
  std::vector<AppliedReport> apply(std::vector<PolledReport> reports, Instant now) {
    return run<std::vector<AppliedReport>>([&](Session& at) { return db::apply_reports(at, rules_, reports, now); });
  }
  AppliedReport apply_one(std::vector<TrackingEvent> events, Instant now) {
    return apply({reported(1, std::move(events))}, now).at(0);
  }
  ShipmentView view(const std::string& remito) {
    const ResyncTarget target{ResyncTarget::Kind::shipment, "oca", remito};
    return run<std::vector<ShipmentView>>([&](Session& at) { return db::view_shipments(at, target); }).at(0);
  }
  /// "from>to" of the emitted transitions of shipment 1, oldest first, inferred ones with a "~".
  std::vector<std::string> told() {
    std::vector<std::string> steps;
    for (const db::Transition& step : view("1").transitions)
      steps.push_back(step.from + ">" + step.to + (step.inferred ? "~" : ""));
    return steps;
  }

  /// All that a report could change, as one text.
  std::string dump() {
    std::string all, row;
    const auto append = [&] { all += row + '\n'; };
    session().query(
        "select id || status || reason || coalesce(status_at, 0) || '/' || coalesce(detected_at, 0) || '/' "
        "|| attempts_failed || '/' || coalesce(baseline_at, 0) || '/' || coalesce(terminal_at, 0) "
        "from shipments order by id",
        {}, {&row}, append);
    session().query(
        "select shipment_id || event_key || text || status || position || '/' || detected_at "
        "from tracking_events order by shipment_id, event_key",
        {}, {&row}, append);
    session().query("select id || to_status || '/' || created_at from transitions order by id", {}, {&row}, append);
    return all;
  }

  const db::ApplyRules rules_{.carrier = "oca", .reconcile = {}, .tail = 72h, .give_up_after = 24h * 60};
};
REMITOD_ON_BOTH_ENGINES(ApplyReports);

TEST_P(ApplyReports, StoreEventsTransitionsAndStatusAndGiveThemBackUnchanged) {
  follow(1);
  const AppliedReport applied = apply_one({picked_up, in_transit}, start + 3h);
  EXPECT_EQ(applied.shipment_id, 1);
  EXPECT_EQ(applied.new_events, 2U);
  EXPECT_EQ(applied.transitions, 2U);
  EXPECT_EQ(applied.status, Status::in_transit);
  EXPECT_FALSE(applied.leaves_lane);

  const ShipmentView stored = view("1");
  EXPECT_EQ(stored.status, "in_transit");
  EXPECT_EQ(stored.order_number, "100");
  EXPECT_THAT(stored.events,
              ElementsAre(db::KnownEvent{picked_up, start + 3h, false}, db::KnownEvent{in_transit, start + 3h, false}));
  ASSERT_EQ(stored.transitions.size(), 2U);
  const db::Transition& last = stored.transitions[1];
  EXPECT_EQ(last.subject, "shipment");
  EXPECT_EQ(last.order_number, "100");
  EXPECT_EQ(last.remito, "1");
  EXPECT_EQ(last.from, "picked_up");
  EXPECT_EQ(last.to, "in_transit");
  EXPECT_EQ(last.text, "dice TR");
  EXPECT_EQ(last.occurred_at, start + 2h);
  EXPECT_EQ(last.detected_at, start + 3h);
  EXPECT_EQ(last.seq, 0);
  EXPECT_EQ(number("select status_at from shipments"), to_micros(start + 2h));
  EXPECT_EQ(number("select detected_at from shipments"), to_micros(start + 3h));
}

TEST_P(ApplyReports, WriteNothingWhenTheyAreEqual) {
  follow(2);
  const std::vector<PolledReport> reports{reported(1, {picked_up, in_transit}), reported(2, {picked_up})};
  apply(reports, start + 3h);
  const std::int64_t version = engine() == Engine::sqlite ? number("select total_changes()") : 0;
  const std::string stored = dump();
  const std::uint64_t before = session().statements();
  for (const AppliedReport& applied : apply(reports, start + 4h)) {
    EXPECT_EQ(applied.new_events, 0U);
    EXPECT_EQ(applied.transitions, 0U);
  }
  EXPECT_EQ(session().statements() - before, 3U) << "three reads and no write";
  EXPECT_EQ(dump(), stored);
  if (engine() == Engine::sqlite) {
    EXPECT_EQ(number("select total_changes()"), version);
  }
}

TEST_P(ApplyReports, CostAsManyStatementsForManyShipmentsAsForOne) {
  follow(50);
  std::vector<PolledReport> reports;
  for (std::int64_t id = 1; id <= 50; ++id)
    reports.push_back(reported(id, {picked_up, event("?", Status::unmapped, start + 2h, 1)}));
  const std::uint64_t before = session().statements();
  apply(reports, start + 3h);
  EXPECT_EQ(session().statements() - before, 7U) << "three reads; events, transitions, shipments, unmapped codes";
  EXPECT_EQ(number("select count(*) from tracking_events"), 100);
}

TEST_P(ApplyReports, TellTransitionsInTheOrderOfTheReconciliation) {
  follow(1);
  apply_one({delivered}, start + 6h);
  EXPECT_THAT(told(), ElementsAre("registered>in_transit~", "in_transit>delivered"));
}

TEST_P(ApplyReports, ThatComeInOtherOrdersTellNothingTwice) {
  follow(1);
  apply_one({picked_up, in_transit}, start + 3h);
  apply_one({picked_up, in_transit, delivered}, start + 6h);
  apply_one({in_transit, picked_up}, start + 7h);
  apply_one({delivered}, start + 8h);
  EXPECT_THAT(told(), ElementsAre("registered>picked_up", "picked_up>in_transit", "in_transit>delivered"));
  EXPECT_EQ(view("1").status, "delivered");
}

TEST_P(ApplyReports, WithOtherWordsForAKnownEventUpdateIt) {
  follow(1);
  apply_one({picked_up}, start + 3h);
  TrackingEvent reworded = picked_up;
  reworded.text = "Recogido en tienda";
  EXPECT_EQ(apply_one({reworded}, start + 4h).new_events, 0U);
  EXPECT_THAT(view("1").events, ElementsAre(db::KnownEvent{reworded, start + 3h, false}));
  EXPECT_EQ(told().size(), 1U);
}

TEST_P(ApplyReports, CountAttemptsAndKeepTheirReasons) {
  follow(1);
  TrackingEvent absent = event("NV", Status::attempt_failed, start + 3h, 1);
  absent.reason = Reason::recipient_absent;
  TrackingEvent again = event("NV", Status::attempt_failed, start + 27h, 2);
  again.reason = Reason::address_not_found;
  apply_one({in_transit, absent}, start + 4h);
  apply_one({in_transit, absent, again}, start + 28h);
  const ShipmentView stored = view("1");
  EXPECT_EQ(stored.attempts_failed, 2);
  EXPECT_EQ(stored.reason, "address_not_found");
  ASSERT_EQ(stored.transitions.size(), 3U);
  EXPECT_EQ(stored.transitions[1].reason, "recipient_absent");
  EXPECT_EQ(stored.transitions[1].attempt, 1);
  EXPECT_EQ(stored.transitions[2].attempt, 2);
}

TEST_P(ApplyReports, OfAnImportTakeTheFirstOneSilentlyAndTellTheRest) {
  follow(1, true);
  EXPECT_EQ(apply_one({picked_up, in_transit}, start + 3h).transitions, 0U);
  EXPECT_EQ(view("1").status, "in_transit");
  EXPECT_TRUE(view("1").events.at(0).baseline);
  EXPECT_EQ(apply_one({picked_up, in_transit, delivered}, start + 6h).transitions, 1U);
  EXPECT_THAT(told(), ElementsAre("in_transit>delivered"));
}

TEST_P(ApplyReports, OfAnImportThatWasNotFoundYetKeepTheSilenceForTheFirstHistory) {
  follow(1, true);
  apply({{1, Report{"1", Report::Kind::not_found_yet, {}}}}, start + 1h);
  EXPECT_EQ(apply_one({picked_up}, start + 3h).transitions, 0U);
  EXPECT_EQ(apply_one({picked_up, in_transit}, start + 4h).transitions, 1U);
}

TEST_P(ApplyReports, ThatFindNothingYetChangeNothing) {
  follow(1);
  const std::string before = dump();
  const auto applied = apply({{1, Report{"1", Report::Kind::not_found_yet, {}}}}, start + 1h);
  EXPECT_EQ(applied.at(0).status, Status::registered);
  EXPECT_EQ(dump(), before);
}

TEST_P(ApplyReports, ThatAreTerminalLeaveTheLaneAfterTheTail) {
  follow(1);
  EXPECT_FALSE(apply_one({in_transit, delivered}, start + 6h).leaves_lane);
  EXPECT_EQ(number("select terminal_at from shipments"), to_micros(start + 6h));
  EXPECT_FALSE(apply_one({in_transit, delivered}, start + 6h + 72h - 1us).leaves_lane);
  EXPECT_TRUE(apply_one({in_transit, delivered}, start + 6h + 72h).leaves_lane);
}

TEST_P(ApplyReports, ThatTakeATerminalStatusBackOpenTheShipmentAgain) {
  follow(1);
  apply_one({in_transit, delivered}, start + 6h);
  const AppliedReport corrected =
      apply_one({in_transit, delivered, event("DV", Status::returning, start + 7h, 3)}, start + 8h);
  EXPECT_EQ(corrected.status, Status::returning);
  EXPECT_EQ(number("select count(*) from shipments where terminal_at is null"), 1);
  EXPECT_TRUE(view("1").transitions.back().correction);
}

TEST_P(ApplyReports, ForShipmentsThatAreGoneOnlySaySo) {
  follow(1);
  const auto applied = apply({reported(77, {picked_up}), reported(1, {picked_up})}, start + 3h);
  ASSERT_EQ(applied.size(), 2U);
  EXPECT_EQ(applied[0].shipment_id, 77);
  EXPECT_TRUE(applied[0].leaves_lane);
  EXPECT_EQ(applied[1].new_events, 1U);
}

TEST_P(ApplyReports, ForAShipmentThatEndedMeanwhileAreKeptAndTheShipmentStaysEnded) {
  follow(1);
  sql("update shipments set ended_at = 1");
  const AppliedReport applied = apply_one({picked_up}, start + 3h);
  EXPECT_TRUE(applied.leaves_lane);
  EXPECT_THAT(told(), ElementsAre("registered>picked_up"));
  EXPECT_EQ(number("select ended_at from shipments"), 1);
}

TEST_P(ApplyReports, ForOneWhoseNumberTheCarrierHasGivenAgainAreOfTheOther) {
  follow(1);
  sql("update shipments set ended_at = 1, status = 'cancelled'");
  sql("insert into shipments (order_number, carrier, remito) values ('200', 'oca', '1')");
  run<std::vector<db::OpenShipment>>([](Session& at) { return db::accept_new_shipments(at, start, 10); });
  const AppliedReport applied = apply_one({picked_up}, start + 3h);
  EXPECT_TRUE(applied.leaves_lane);
  EXPECT_EQ(number("select count(*) from transitions"), 0);
}

TEST_P(ApplyReports, OfANumberThatACancelledShipmentHadTakeNothingOfThatOne) {
  follow(1);
  const TrackingEvent registered = event("RE", Status::registered, start + 1h, 0);
  const TrackingEvent cancelled = event("AN", Status::cancelled, start + 2h, 1);
  apply_one({registered, cancelled}, start + 2h);
  sql("update shipments set ended_at = " + std::to_string(to_micros(start + 4h)));
  sql("insert into shipments (order_number, carrier, remito, registered_at) values ('100', 'oca', '1', " +
      std::to_string(to_micros(start + 4h)) + ")");
  run<std::vector<db::OpenShipment>>([](Session& at) { return db::accept_new_shipments(at, start + 4h, 10); });
  const TrackingEvent published_late = event("AX", Status::cancelled, start + 3h, 2);
  const AppliedReport history = apply({reported(2, {registered, cancelled, published_late})}, start + 5h).at(0);
  EXPECT_EQ(history.status, Status::registered);
  EXPECT_EQ(history.too_old, 3U);
  EXPECT_EQ(apply({reported(2, {registered, cancelled, delivered})}, start + 6h).at(0).status, Status::delivered);
}

TEST_P(ApplyReports, OfTheFutureAreLeftOutUntilTheyAreTwoHoursAheadAtMost) {
  follow(1);
  const TrackingEvent planned = event("EN", Status::delivered, start + 10h, 2);
  const AppliedReport early = apply_one({picked_up, planned}, start + 8h - 1s);
  EXPECT_EQ(early.ahead, 1U);
  EXPECT_EQ(early.status, Status::picked_up);
  PolledReport read_again = reported(1, {picked_up, planned});
  read_again.received_at = start + 2h;
  EXPECT_EQ(apply({read_again}, start + 8h - 1s).at(0).transitions, 0U);
  EXPECT_EQ(apply({read_again}, start + 8h).at(0).status, Status::delivered) << "it may have happened since";
  EXPECT_THAT(told(), ElementsAre("registered>picked_up", "picked_up>in_transit~", "in_transit>delivered"));
}

TEST_P(ApplyReports, OfOurOwnDoingAreTakenThoughAnEventOfTheFutureIsKnown) {
  follow(1);
  db::ApplyRules taken_as_it_comes = rules_;
  taken_as_it_comes.is_asked = false;
  const std::vector planned{reported(1, {event("TR", Status::in_transit, start + 72h)})};
  const auto applied = run<std::vector<AppliedReport>>(
      [&](Session& at) { return db::apply_reports(at, taken_as_it_comes, planned, start + 1h); });
  EXPECT_EQ(applied.at(0).ahead, 1U);
  EXPECT_EQ(applied.at(0).status, Status::in_transit);
  PolledReport cancelled = reported(1, {event("AN", Status::cancelled, start + 72h + 1s)});
  cancelled.is_our_doing = true;
  EXPECT_EQ(apply({cancelled}, start + 2h).at(0).status, Status::cancelled);
}

TEST_P(ApplyReports, TwoOfOneShipmentInABatchAreLikeTwoBatches) {
  follow(1);
  const auto applied = apply({reported(1, {picked_up}), reported(1, {picked_up, in_transit})}, start + 3h);
  EXPECT_EQ(applied[0].new_events, 1U);
  EXPECT_EQ(applied[1].new_events, 1U);
  EXPECT_THAT(told(), ElementsAre("registered>picked_up", "picked_up>in_transit"));
  EXPECT_EQ(number("select count(*) from tracking_events"), 2);
}

TEST_P(ApplyReports, CountUnmappedCodesAndNeverCallThemInTransit) {
  follow(2);
  const TrackingEvent odd = event("X9", Status::unmapped, start + 3h, 1);
  const auto applied = apply({reported(1, {picked_up, odd}), reported(2, {odd})}, start + 4h);
  ASSERT_EQ(applied[0].unmapped.size(), 1U);
  EXPECT_NE(view("1").status, "in_transit");
  apply({reported(1, {picked_up, odd, event("X9", Status::unmapped, start + 5h, 2)})}, start + 6h);
  EXPECT_EQ(number("select seen from unmapped_codes where carrier = 'oca' and code = 'X9'"), 3);
  EXPECT_EQ(text("select text from unmapped_codes"), "dice X9");
  EXPECT_EQ(number("select first_seen_at from unmapped_codes"), to_micros(start + 4h));
  EXPECT_EQ(number("select last_seen_at from unmapped_codes"), to_micros(start + 6h));
}

TEST_P(ApplyReports, WithTextThatADatabaseCannotHoldDoNotStopTheOthers) {
  follow(2);
  TrackingEvent odd = picked_up;
  odd.text = std::string("cero\0dentro", 11);
  odd.place = "Ñuñoa 'quoted' \"\\ \xf0\x9f\x93\xa6";
  apply({reported(1, {odd}), reported(2, {picked_up})}, start + 3h);
  EXPECT_EQ(view("1").events.at(0).event.text, "cerodentro");
  EXPECT_EQ(view("1").events.at(0).event.place, odd.place);
  EXPECT_EQ(view("2").status, "picked_up");
  const std::uint64_t before = session().statements();
  apply({reported(1, {odd})}, start + 4h);
  EXPECT_EQ(session().statements() - before, 3U) << "it does not look changed at every poll";
}

TEST_P(ApplyReports, OfAnOrderShowAllItsShipments) {
  follow(1);
  sql("insert into shipments (order_number, parcel_group, carrier, remito) values ('100', 2, 'chazki', '100')");
  apply_one({picked_up}, start + 3h);
  const ResyncTarget order{ResyncTarget::Kind::order, "", "100"};
  const auto views = run<std::vector<ShipmentView>>([&](Session& at) { return db::view_shipments(at, order); });
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].events.size(), 1U);
  EXPECT_EQ(views[1].parcel_group, 2);
  EXPECT_THAT(views[1].events, IsEmpty());
}

TEST_P(ApplyReports, ComeAfterTheTransitionOfTheRequestInWhatIsShown) {
  follow(1);
  sql("insert into remito_requests (request_key, order_number, carrier) values ('k', '100', 'oca')");
  sql("update shipments set request_id = 1");
  sql("insert into transitions (subject, shipment_id, request_id, order_number, parcel_group, carrier, from_status, "
      "to_status, detected_at, created_at) values ('request', 1, 1, '100', 1, 'oca', 'confirmed', 'ready_to_ship', 1, "
      "1)");
  apply_one({picked_up}, start + 3h);
  EXPECT_THAT(told(), ElementsAre("confirmed>ready_to_ship", "registered>picked_up"));
}

TEST_P(ApplyReports, OfAReusedNumberShowTheLatestCycle) {
  follow(1);
  sql("update shipments set ended_at = 1");
  sql("insert into shipments (order_number, carrier, remito) values ('200', 'oca', '1')");
  run<std::vector<db::OpenShipment>>([](Session& at) { return db::accept_new_shipments(at, start, 10); });
  EXPECT_EQ(view("1").order_number, "200");
  EXPECT_EQ(view("1").cycle, 2);
}

}  // namespace
}  // namespace remitod::test
