// What goes by age, and never what somebody still needs.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "db/erasure.h"
#include "db/sinks.h"
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::Engine;
using test::noon;

class Retaining : public test::RequestStoreTest {
 protected:
  RetentionLimits all_before(Instant moment, std::vector<std::string> sinks = {}) {
    return {moment, moment, moment, moment, moment, moment, moment, moment, moment, moment, moment, std::move(sinks)};
  }
  /// Every step until it finds no more; what each has taken away.
  std::map<std::string, std::size_t> clean_up(const RetentionLimits& limits, std::size_t at_once = 100) {
    std::map<std::string, std::size_t> removed;
    for (const RetentionStep& step : retention_steps()) {
      std::size_t rows = at_once;
      for (int i = 0; rows == at_once && i < 1000; ++i) {
        rows = run<std::size_t>([&](Session& at) { return step.remove(at, limits, noon + 1000h, at_once); });
        if (rows > at_once) throw std::runtime_error(std::string(step.name) + " takes more than it may");
        removed[std::string(step.name)] += rows;
      }
    }
    return removed;
  }
  /// Many ended shipments with their requests, events, transitions and kept answers, all of one moment.
  void many_orders(int count, Instant at, const std::string& prefix) {
    const std::string micros = std::to_string(to_micros(at)), n = std::to_string(count);
    const std::string numbers = engine() == Engine::sqlite
                                    ? "(with recursive n(i) as (select 1 union all select i + 1 from n where i < " + n +
                                          ") select i from n) as n"
                                    : "generate_series(1, " + n + ") as n(i)";
    const std::string key = "'" + prefix + "' || i";
    sql("insert into remito_requests (request_key, order_number, carrier, payload, accepted_at, state, settled_at) "
        "select " +
        key + ", " + key + ", 'oca', '{\"a\": 1}', 1, 'granted', " + micros + " from " + numbers +
        ";"
        "insert into shipments (order_number, carrier, remito, accepted_at, cycle, status, ended_at, request_id) "
        "select order_number, 'oca', order_number, 1, 1, 'delivered', " +
        micros +
        ", id from remito_requests "
        "where request_key like '" +
        prefix +
        "%';"
        "update remito_requests set shipment_id = (select id from shipments s where s.request_id = remito_requests.id) "
        "where request_key like '" +
        prefix +
        "%';"
        "insert into tracking_events (shipment_id, event_key, code, text, status, reason, zone_source, date_only, "
        "resolved_by_rule, place, position, baseline, detected_at) "
        "select id, 'k', 'EN', '', 'delivered', '', '', false, false, '', 0, false, 1 from shipments "
        "where remito like '" +
        prefix +
        "%';"
        "insert into transitions (subject, shipment_id, request_id, order_number, parcel_group, carrier, remito, "
        "event_key, from_status, to_status, detected_at, created_at) "
        "select 'shipment', id, request_id, order_number, 1, 'oca', remito, 'k', 'registered', 'delivered', 1, " +
        micros + " from shipments where remito like '" + prefix +
        "%';"
        "insert into raw_answers (carrier, operation, remito, why, http_status, content_type, body, kept_at, "
        "received_at) select 'oca', 'track', remito, '', 200, '', '', " +
        micros + ", " + micros + " from shipments where remito like '" + prefix +
        "%';"
        "insert into resync_requests (target, accepted_at, finished_at) select 'all', 1, " +
        micros + " from " + numbers + ";");
    run<std::vector<Transition>>([](Session& at_) { return dispatch_transitions(at_, noon, 100'000); });
  }
};
REMITOD_ON_BOTH_ENGINES(Retaining);

TEST_P(Retaining, TakesWhatIsOldInPiecesAndLeavesWhatIsNot) {
  many_orders(2500, noon - 1000h, "old");
  many_orders(300, noon, "new");
  const auto removed = clean_up(all_before(noon - 500h), 1000);
  EXPECT_EQ(removed.at("payloads"), 2500u);
  EXPECT_EQ(removed.at("raw_answers"), 2500u);
  EXPECT_EQ(removed.at("transitions"), 2500u);
  EXPECT_EQ(removed.at("tracking_events"), 2500u);
  EXPECT_EQ(removed.at("requests"), 2500u);
  EXPECT_EQ(removed.at("shipments"), 2500u);
  EXPECT_EQ(removed.at("resyncs"), 2500u);
  for (const char* table :
       {"remito_requests", "shipments", "tracking_events", "transitions", "raw_answers", "resync_requests"})
    EXPECT_EQ(number((std::string("select count(*) from ") + table).c_str()), 300) << table;
  EXPECT_EQ(number("select count(*) from remito_requests where payload = '{}'"), 0);
  for (const auto& [name_of_step, rows] : clean_up(all_before(noon - 500h))) EXPECT_EQ(rows, 0u) << name_of_step;
}

TEST_P(Retaining, AnOpenShipmentKeepsAllThatItNeedsHoweverOld) {
  many_orders(3, noon - 1000h, "old");
  sql("update shipments set ended_at = null");
  const auto removed = clean_up(all_before(noon + 1h));
  EXPECT_EQ(removed.at("transitions"), 0u);
  EXPECT_EQ(removed.at("tracking_events"), 0u);
  EXPECT_EQ(removed.at("requests"), 0u);
  EXPECT_EQ(removed.at("shipments"), 0u);
  EXPECT_EQ(removed.at("payloads"), 3u) << "it was sent, and the carrier has it";
  EXPECT_EQ(number("select count(*) from tracking_events"), 3);
}

TEST_P(Retaining, ARequestThatIsNotSettledKeepsItsPayload) {
  ask({.order = "1"});
  accept();
  sql("update remito_requests set requested_at = 1, accepted_at = 1");
  EXPECT_EQ(clean_up(all_before(noon + 1h)).at("payloads"), 0u);
  EXPECT_EQ(number("select count(*) from remito_requests where payload <> '{}'"), 1);
}

TEST_P(Retaining, WhatASinkHasStillToReceiveStays) {
  many_orders(10, noon - 1000h, "old");
  sql("insert into sinks (name, cursor_seq) values ('shop', 4), ('gone', 0);"
      "insert into sink_letters (sink, seq, state, attempts, next_try_at, failed_at) values ('shop', 2, 'waiting', "
      "3, " +
      std::to_string(to_micros(noon - 1000h)) + ", " + std::to_string(to_micros(noon - 1000h)) + ")");
  EXPECT_EQ(clean_up(all_before(noon, {"shop"})).at("transitions"), 3u) << "1, 3 and 4";
  EXPECT_EQ(number("select count(*) from sink_letters"), 1);
  const auto left = run<std::vector<SinkLetter>>([](Session& at) { return load_letters_after(at, "shop", 4, 100); });
  EXPECT_EQ(left.size(), 6u);
  sql("delete from sink_letters; update sinks set cursor_seq = 10 where name = 'shop'");
  EXPECT_EQ(clean_up(all_before(noon, {"shop"})).at("transitions"), 7u)
      << "one that is configured no longer holds up nothing";
}

TEST_P(Retaining, DeadLettersGoByTheAgeOfTheirLastAttempt) {
  many_orders(3, noon - 1000h, "old");
  const std::string old = std::to_string(to_micros(noon - 1000h)), young = std::to_string(to_micros(noon + 1h));
  sql("insert into sinks (name, cursor_seq) values ('shop', 3), ('gone', 3);"
      "insert into sink_letters (sink, seq, state, attempts, next_try_at, failed_at) values "
      "('shop', 1, 'dead', 3, 1, " +
      old + "), ('shop', 2, 'dead', 3, 1, " + young +
      "), "
      "('shop', 3, 'waiting', 3, 1, " +
      old + "), ('gone', 3, 'waiting', 3, 1, " + old + ")");
  EXPECT_EQ(clean_up(all_before(noon, {"shop"})).at("sink_letters"), 2u);
  EXPECT_EQ(number("select min(seq) from sink_letters where sink = 'shop'"), 2);
  EXPECT_EQ(number("select count(*) from sink_letters where sink = 'gone'"), 0);
}

TEST_P(Retaining, ARefusedRequestGoesWithItsTransition) {
  settle({refused(claimed({.order = "4"}), "no")}, noon);
  dispatch();
  EXPECT_EQ(clean_up(all_before(noon)).at("requests"), 0u) << "not old yet";
  EXPECT_EQ(clean_up(all_before(noon + 1us)).at("requests"), 1u);
  EXPECT_EQ(number("select count(*) from remito_requests"), 0);
  EXPECT_EQ(number("select count(*) from transitions"), 0);
}

TEST_P(Retaining, CancellationsOfNoRequestGoInTheSameRoundAsRequests) {
  many_orders(3, noon - 1000h, "old");
  const std::string old = std::to_string(to_micros(noon - 1000h)), young = std::to_string(to_micros(noon));
  sql("insert into cancel_requests (request_key, order_number, accepted_at, state, settled_at) values "
      "('old', '7', 1, 'refused', " +
      old + "), ('young', '8', 1, 'refused', " + young + ")");
  EXPECT_EQ(clean_up(all_before(noon - 500h)).at("requests"), 4u) << "three requests, and one cancellation";
  EXPECT_EQ(text("select request_key from cancel_requests"), "young");
}

TEST_P(Retaining, ATransitionWithoutItsSeqStays) {
  settle({refused(claimed({.order = "4"}), "no")}, noon);
  EXPECT_EQ(clean_up(all_before(noon + 1h)).at("transitions"), 0u);
  EXPECT_EQ(number("select count(*) from transitions"), 1);
}

TEST_P(Retaining, AReportOfAShipmentWhoseEventsAreGoneTellsNothing) {
  many_orders(1, noon, "o");
  RetentionLimits limits = all_before(noon + 100h);
  limits.shipments = noon;
  ASSERT_EQ(clean_up(limits).at("tracking_events"), 1u) << "shipments";
  ASSERT_EQ(number("select count(*) from tracking_events"), 0);
  const TrackingEvent delivered{.code = "EN",
                                .text = "Entregado",
                                .status = Status::delivered,
                                .occurred_at = OccurredAt{noon + 2h, ZoneSource::offset},
                                .place = "",
                                .position = 0};
  const ApplyRules rules{.carrier = "oca", .reconcile = {}};
  const std::vector<PolledReport> reports{{1, {"o1", Report::Kind::events, {delivered}}}};
  run<std::vector<AppliedReport>>([&](Session& at) { return apply_reports(at, rules, reports, noon + 200h); });
  EXPECT_EQ(number("select count(*) from tracking_events"), 0);
  EXPECT_EQ(number("select count(*) from transitions"), 0);
}

TEST_P(Retaining, AShipmentStaysAsLongAsAnythingIsKeptOfIt) {
  many_orders(5, noon - 1000h, "old");
  RetentionLimits limits = all_before(noon);
  limits.transitions = limits.requests = limits.tracking_events = noon - 2000h;
  EXPECT_EQ(clean_up(limits).at("shipments"), 0u) << "its events are there";
  limits.tracking_events = noon;
  EXPECT_EQ(clean_up(limits).at("shipments"), 0u) << "its transitions are there";
  limits.transitions = noon;
  EXPECT_EQ(clean_up(limits).at("shipments"), 0u) << "its request is there";
  limits.requests = noon;
  EXPECT_EQ(clean_up(limits).at("shipments"), 5u);
}

TEST_P(Retaining, AShipmentIsGivenALongerTimeThanWhatBelongsToIt) {
  many_orders(5, noon - 1000h, "old");
  RetentionLimits limits = all_before(noon);
  limits.shipments = noon - 2000h;
  const auto removed = clean_up(limits);
  EXPECT_EQ(removed.at("requests"), 5u);
  EXPECT_EQ(removed.at("shipments"), 0u);
  EXPECT_EQ(number("select count(*) from shipments"), 5);
}

TEST_P(Retaining, ANumberThatIsUsedAgainIsCountedOnAsLongAsItsLastShipmentIsKept) {
  const auto follow = [&](const std::string& ended_at) {
    sql("insert into shipments (order_number, carrier, remito) values ('7', 'oca', '0007')");
    run<std::vector<OpenShipment>>([](Session& at) { return accept_new_shipments(at, noon, 10); });
    sql("update shipments set ended_at = " + ended_at + " where ended_at is null");
    return number("select max(cycle) from shipments where remito = '0007'");
  };
  const std::string old = std::to_string(to_micros(noon - 1000h)), young = std::to_string(to_micros(noon));
  EXPECT_EQ(follow(old), 1);
  EXPECT_EQ(follow(young), 2);
  EXPECT_EQ(clean_up(all_before(noon - 500h)).at("shipments"), 1u);
  EXPECT_EQ(follow(young), 3);
}

TEST_P(Retaining, WhatTheSystemBeforeUsSawGoesByItsAgeOnceNobodyFollowsTheShipment) {
  const std::string old = std::to_string(to_micros(noon - 1000h)), young = std::to_string(to_micros(noon));
  sql("insert into shipments (order_number, carrier, remito, accepted_at, cycle) values ('1', 'oca', 'open', 1, 1);"
      "insert into legacy_statuses (carrier, remito, status, noted_at) values ('oca', 'open', 'Entregado', " +
      old + "), ('oca', 'gone', 'Entregado', " + old + "), ('oca', 'gone', 'Devuelto', " + young + ")");
  EXPECT_EQ(clean_up(all_before(noon - 500h)).at("legacy_statuses"), 1u);
  EXPECT_EQ(number("select count(*) from legacy_statuses where remito = 'gone' and status = 'Devuelto'"), 1);
}

TEST_P(Retaining, ErasuresGoOnceTheyAreDoneAndOldAndCodesByWhenTheyWereSeenLast) {
  const std::string old = std::to_string(to_micros(noon - 1000h)), young = std::to_string(to_micros(noon));
  sql("insert into erasures (order_number, asked_at, erased_at) values ('waits', 1, null), ('old', 1, " + old +
      "), ('young', 1, " + young +
      ");"
      "insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at) values ('oca', 'X1', '', 1, "
      "1, " +
      old + "), ('oca', 'X2', '', 2, 1, " + young + ")");
  const auto removed = clean_up(all_before(noon - 500h));
  EXPECT_EQ(removed.at("erasures"), 1u);
  EXPECT_EQ(removed.at("unmapped_codes"), 1u);
  EXPECT_EQ(number("select count(*) from erasures where order_number in ('waits', 'young')"), 2);
  EXPECT_EQ(number("select count(*) from unmapped_codes where code = 'X2'"), 1);
}

TEST_P(Retaining, RemembersWhatEachRoundTookAndLeft) {
  many_orders(3, noon - 1000h, "old");
  many_orders(2, noon, "new");
  const RetentionStep& step = *std::ranges::find(retention_steps(), "raw_answers", &RetentionStep::name);
  const auto note = [&](std::size_t rows, bool begins) {
    run<void>([&](Session& at) { return note_removed(at, step.name, rows, begins); });
  };
  const auto result = [&] {
    return run<std::vector<RetentionResult>>([](Session& at) { return retention_results(at); }).at(0);
  };
  note(1000, true);
  EXPECT_EQ(result().done_at, std::nullopt) << "there is more";
  note(3, false);
  run<void>([&](Session& at) { return note_done(at, step, noon); });
  EXPECT_EQ(result().kind, "raw_answers");
  EXPECT_EQ(result().removed, 1003);
  EXPECT_EQ(result().kept, 5);
  EXPECT_EQ(result().done_at, noon);
  note(7, true);
  EXPECT_EQ(result().removed, 7) << "another round";
  EXPECT_EQ(result().removed_ever, 1010);
  EXPECT_EQ(result().done_at, noon) << "of the one before";
}

TEST_P(Retaining, EveryKindCanBeCounted) {
  many_orders(3, noon, "new");
  std::map<std::string_view, std::int64_t> kept;
  for (const RetentionStep& step : retention_steps())
    kept[step.name] = run<std::int64_t>([&](Session& at) { return step.count(at); });
  for (const char* kind :
       {"payloads", "raw_answers", "transitions", "tracking_events", "requests", "shipments", "resyncs"})
    EXPECT_EQ(kept.at(kind), 3) << kind;
  for (const char* kind : {"sink_letters", "legacy_statuses", "erasures", "unmapped_codes"})
    EXPECT_EQ(kept.at(kind), 0) << kind;
}

}  // namespace
}  // namespace remitod::db
