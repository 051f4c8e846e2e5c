// Taking over from another system: imports, shadow, numbers that carriers use again, shipments that are let go.
#include <gmock/gmock.h>

#include "db/shadow.h"
#include "db/sinks.h"
#include "tests/db/store_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::Engine;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Instant start{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};

TrackingEvent event(std::string code, Status status, Instant at, std::uint32_t position) {
  return {.code = std::move(code),
          .text = "dice algo",
          .status = status,
          .occurred_at = OccurredAt{at, ZoneSource::offset},
          .place = "LIMA",
          .position = position};
}

class Takeover : public test::StoreTest {
 protected:
  void import(int first, int last, const std::string& columns, const std::string& values) {
    const std::string n = std::to_string(first), m = std::to_string(last);
    sql("insert into shipments (order_number, carrier, remito" + columns + ") " +
        (engine() == Engine::sqlite
             ? "with recursive n(i) as (select " + n + " union all select i + 1 from n where i < " + m +
                   ") select cast(i as text), 'oca', cast(i as text)" + values + " from n"
             : "select i::text, 'oca', i::text" + values + " from generate_series(" + n + ", " + m + ") as i"));
    run<std::vector<OpenShipment>>([](Session& at) { return accept_new_shipments(at, start, 100'000); });
  }
  void import_baseline(int first, int last) { import(first, last, ", baseline", ", true"); }

  std::vector<AppliedReport> apply(const std::vector<PolledReport>& reports, Instant now, bool shadow = false) {
    ApplyRules rules{.carrier = "oca", .reconcile = {}, .tail = 72h, .give_up_after = 24h * 60, .shadow = shadow};
    return run<std::vector<AppliedReport>>([&](Session& at) { return apply_reports(at, rules, reports, now); });
  }
  static PolledReport reported(std::int64_t id, std::vector<TrackingEvent> events) {
    return {id, Report{.remito = std::to_string(id), .kind = Report::Kind::events, .events = std::move(events)}};
  }
  std::vector<Transition> dispatch() {
    return run<std::vector<Transition>>([](Session& at) { return dispatch_transitions(at, start, 100'000); });
  }
  static std::vector<std::string> steps(const std::vector<Transition>& transitions) {
    std::vector<std::string> result;
    for (const Transition& one : transitions)
      result.push_back(one.remito + " " + one.to + (one.inferred ? "~" : "") + (one.backfill ? " backfill" : ""));
    return result;
  }
};
REMITOD_ON_BOTH_ENGINES(Takeover);

/// Weeks ago: picked up, travelled, tried in vain; a third of the shipments were delivered, too.
std::vector<TrackingEvent> old_history(int shipment) {
  std::vector<TrackingEvent> events{event("PU", Status::picked_up, start - 20 * 24h, 0),
                                    event("TR", Status::in_transit, start - 19 * 24h, 1),
                                    event("NV", Status::attempt_failed, start - 18 * 24h, 2)};
  if (shipment % 3 == 0) events.push_back(event("EN", Status::delivered, start - 17 * 24h, 3));
  return events;
}

TEST_P(Takeover, OfTenThousandWithOldHistoriesTellsNothingOldAndEachNewThingOnce) {
  constexpr int shipments = 10'000, at_once = 500;
  import_baseline(1, shipments);
  const auto poll_all = [&](Instant now, const auto& history_of) {
    std::size_t transitions = 0;
    for (int first = 1; first <= shipments; first += at_once) {
      std::vector<PolledReport> reports;
      for (int i = first; i < first + at_once; ++i) reports.push_back(reported(i, history_of(i)));
      for (const AppliedReport& one : apply(reports, now)) transitions += one.transitions;
    }
    return transitions;
  };
  EXPECT_EQ(poll_all(start + 1h, old_history), 0u);
  EXPECT_EQ(number("select count(*) from transitions"), 0);
  EXPECT_EQ(number("select count(*) from shipments where status = 'delivered'"), 3333);
  EXPECT_EQ(number("select count(*) from shipments where status = 'attempt_failed'"), 6667);

  // A normal day: every fifth of those on their way is delivered, and the carrier uploads an old scan of some.
  const auto after_a_day = [](int i) {
    std::vector<TrackingEvent> events = old_history(i);
    if (i % 3 != 0 && i % 5 == 0) events.push_back(event("EN", Status::delivered, start + 3h, 3));
    if (i % 7 == 0) events.insert(events.begin() + 2, event("HB", Status::in_transit, start - 19 * 24h + 1h, 2));
    return events;
  };
  EXPECT_EQ(poll_all(start + 4h, after_a_day), 1334u);
  EXPECT_EQ(poll_all(start + 5h, after_a_day), 0u);
  EXPECT_EQ(number("select count(*) from transitions where to_status = 'delivered' and not late"), 1334);
  EXPECT_EQ(number("select count(*) from transitions"), 1334);
  EXPECT_EQ(dispatch().size(), 1334u);
}

TEST_P(Takeover, WithBackfillTellsTheHistoryMarkedAsSuchAndTheRestAsNews) {
  import(1, 1, ", baseline, backfill", ", true, true");
  apply({reported(1, old_history(1))}, start + 1h);
  auto events = old_history(1);
  events.push_back(event("EN", Status::delivered, start + 2h, 3));
  apply({reported(1, events)}, start + 3h);
  apply({reported(1, events)}, start + 4h);
  EXPECT_THAT(steps(dispatch()),
              ElementsAre("1 picked_up backfill", "1 in_transit backfill", "1 attempt_failed backfill", "1 delivered"));
  EXPECT_EQ(number("select count(*) from tracking_events where baseline"), 3);
}

TEST_P(Takeover, ANumberThatTheCarrierUsesAgainDoesNotShowTheOldParcelsDelivery) {
  const std::string registered = ", " + std::to_string(to_micros(start));
  import(1, 1, ", registered_at", ", " + std::to_string(to_micros(start - 30 * 24h)));
  apply({reported(1, {event("EN", Status::delivered, start - 17 * 24h, 0)})}, start - 16 * 24h);
  sql("update shipments set ended_at = " + std::to_string(to_micros(start - 10 * 24h)));
  dispatch();
  import(1, 1, ", registered_at", registered);
  ASSERT_EQ(number("select max(cycle) from shipments"), 2);

  const auto applied = apply({reported(2, {event("EN", Status::delivered, start - 17 * 24h, 0)})}, start + 1h);
  EXPECT_EQ(applied.at(0).too_old, 1u);
  EXPECT_EQ(applied.at(0).transitions, 0u);
  EXPECT_EQ(text("select status from shipments where cycle = 2"), "registered");
  EXPECT_THAT(dispatch(), IsEmpty());

  apply({reported(
            2, {event("EN", Status::delivered, start - 17 * 24h, 0), event("PU", Status::picked_up, start + 2h, 1)})},
        start + 3h);
  EXPECT_THAT(steps(dispatch()), ElementsAre("1 picked_up"));
  EXPECT_EQ(text("select status from shipments where cycle = 1"), "delivered");
}

TEST_P(Takeover, ANumberThatIsGrantedAgainAtOnceDoesNotShowYesterdaysDelivery) {
  import(1, 1, "", "");
  const TrackingEvent yesterday = event("EN", Status::delivered, start - 20h, 0);
  apply({reported(1, {yesterday})}, start - 19h);
  sql("update shipments set ended_at = " + std::to_string(to_micros(start - 10h)));
  dispatch();
  sql("insert into remito_requests (request_key, order_number, carrier) values ('K', '2', 'oca')");
  import(1, 1, ", registered_at, request_id", ", " + std::to_string(to_micros(start)) + ", 1");
  ASSERT_EQ(number("select max(cycle) from shipments"), 2);
  apply({reported(2, {yesterday, event("AD", Status::picked_up, start - 5h, 1)})}, start + 1h);
  EXPECT_THAT(steps(dispatch()), ElementsAre("1 picked_up")) << "within the grace, and after the number was free";
}

TEST_P(Takeover, ANumberThatIsGrantedAgainWhileTheOldParcelIsStillFollowedShowsWhatItsOwnDoes) {
  import(1, 1, "", "");
  const TrackingEvent yesterday = event("EN", Status::delivered, start - 20h, 0);
  const TrackingEvent of_the_new_one = event("AD", Status::returning, start + 1h, 1);
  apply({reported(1, {yesterday, of_the_new_one})}, start + 2h);
  sql("update shipments set status = 'delivered', ended_at = " + std::to_string(to_micros(start + 3h)));
  dispatch();
  sql("insert into remito_requests (request_key, order_number, carrier) values ('K', '2', 'oca')");
  import(1, 1, ", registered_at, request_id", ", " + std::to_string(to_micros(start)) + ", 1");
  apply({reported(2, {yesterday, of_the_new_one})}, start + 4h);
  EXPECT_THAT(steps(dispatch()), ElementsAre("1 in_transit~", "1 returning"));
}

TEST_P(Takeover, InShadowIsRecordedAndNeverTold) {
  import(1, 2, "", "");
  apply({reported(1, old_history(3))}, start + 1h, true);
  EXPECT_EQ(number("select count(*) from transitions where shadow"), 4);
  EXPECT_EQ(text("select status from shipments where id = 1"), "delivered");
  EXPECT_THAT(dispatch(), IsEmpty());
  EXPECT_EQ(run<Overview>([](Session& at) { return overview(at); }).transitions_without_seq, 0);

  // Live from now on: nothing old, and numbers without a gap.
  apply({reported(1, old_history(3)), reported(2, {event("PU", Status::picked_up, start + 2h, 0)})}, start + 3h);
  const auto told = dispatch();
  EXPECT_THAT(steps(told), ElementsAre("2 picked_up"));
  EXPECT_EQ(told.at(0).seq, 1);
  EXPECT_EQ(number("select count(*) from transitions where shadow and seq is null"), 4);
  EXPECT_EQ(run<std::vector<SinkLetter>>([](Session& at) { return load_letters_after(at, "shop", 0, 10); }).size(), 1u);
}

TEST_P(Takeover, WhatIsGivenUpInShadowIsToldToNobody) {
  import(1, 1, "", "");
  const ApplyRules rules{.carrier = "oca", .reconcile = {}, .tail = 72h, .give_up_after = 24h, .shadow = true};
  run<std::vector<std::int64_t>>([&](Session& at) { return end_finished_shipments(at, rules, start + 48h, 10); });
  EXPECT_EQ(number("select count(*) from transitions where to_status = 'expired' and shadow"), 1);
  EXPECT_THAT(dispatch(), IsEmpty());
}

TEST_P(Takeover, AShipmentThatIsLetGoEndsAsItStands) {
  import(1, 2, "", "");
  apply({reported(1, {event("PU", Status::picked_up, start + 1h, 0)})}, start + 2h);
  const auto forget = [&](const char* remito) {
    return run<std::optional<ForgottenShipment>>(
        [&](Session& at) { return forget_shipment(at, "oca", remito, start + 3h); });
  };
  const auto forgotten = forget("1");
  ASSERT_TRUE(forgotten);
  EXPECT_EQ(forgotten->shipment_id, 1);
  EXPECT_EQ(forgotten->status, "picked_up");
  EXPECT_EQ(number("select ended_at from shipments where id = 1"), to_micros(start + 3h));
  EXPECT_EQ(text("select status from shipments where id = 1"), "picked_up");
  EXPECT_EQ(dispatch().size(), 1u) << "of the picking up alone";
  EXPECT_FALSE(forget("1")) << "it is none that is followed";
  EXPECT_FALSE(forget("3"));
  // The number can be followed again, as another cycle.
  import(1, 1, "", "");
  EXPECT_EQ(number("select max(cycle) from shipments where remito = '1'"), 2);
}

TEST_P(Takeover, WhatTheTwoSystemsSawIsFoundByCarrierAndTime) {
  import(1, 1, "", "");
  apply({reported(1, {event("EN", Status::delivered, start + 1h, 0)})}, start + 2h, true);
  sql("insert into legacy_statuses (carrier, remito, status, noted_at) values ('oca', '1', 'Entregado', " +
      std::to_string(to_micros(start + 3h)) + "), ('oca', '1', 'old', 1), ('olva', '1', 'delivered', " +
      std::to_string(to_micros(start + 3h)) + ")");
  const auto ours = run<std::vector<SeenStatus>>([](Session& at) { return load_our_statuses(at, "oca", start, 100); });
  ASSERT_EQ(ours.size(), 1u) << "the inferred step is nobody's word";
  EXPECT_EQ(ours[0].status, "delivered");
  EXPECT_EQ(ours[0].seen_at, start + 2h);
  EXPECT_EQ(ours[0].occurred_at, start + 1h);
  const auto theirs =
      run<std::vector<SeenStatus>>([](Session& at) { return load_legacy_statuses(at, "oca", start, 100); });
  ASSERT_EQ(theirs.size(), 1u);
  EXPECT_EQ(theirs[0].status, "Entregado");
  EXPECT_EQ(theirs[0].occurred_at, std::nullopt);
}

}  // namespace
}  // namespace remitod::db
