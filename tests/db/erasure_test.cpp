// Personal data goes: of one order, and by age; and never what somebody still needs.
#include "db/erasure.h"

#include <gmock/gmock.h>

#include <map>

#include "db/raw_answers.h"
#include "db/sinks.h"
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::Engine;
using test::noon;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const std::string person = "Juana Quispe";  // nobody

TrackingEvent delivered_to_somebody(Instant at) {
  return {.code = "EN",
          .text = "Entregado a " + person,
          .status = Status::delivered,
          .occurred_at = OccurredAt{at, ZoneSource::offset},
          .place = "Calle de " + person + " 12",
          .position = 1};
}
TrackingEvent in_words(Instant at) {
  return {.code = "Llamar a " + person,
          .text = "Llamar a " + person,
          .status = Status::in_transit,
          .occurred_at = OccurredAt{at, ZoneSource::offset},
          .place = "",
          .position = 0};
}

class Erasing : public test::RequestStoreTest {
 protected:
  /// An order whose request was granted, with a shipment that a report tells of.
  void granted_order(const std::string& order, const std::string& remito) {
    settle({granted(claimed({.order = order, .payload = R"({"recipient": {"name": ")" + person + "\"}}"}), remito)});
    const std::int64_t id = number("select max(id) from shipments");
    report(id, remito, {in_words(noon + 1h), delivered_to_somebody(noon + 2h)}, noon + 3h);
    keep("track", remito, R"({"to": ")" + person + "\"}", {{id, remito, noon}});
  }
  void report(std::int64_t id, const std::string& remito, std::vector<TrackingEvent> events, Instant now) {
    const ApplyRules rules{.carrier = "oca", .reconcile = {}};
    const std::vector<PolledReport> reports{{id, {remito, Report::Kind::events, std::move(events)}}};
    run<std::vector<AppliedReport>>([&](Session& at) { return apply_reports(at, rules, reports, now); });
  }
  void keep(const std::string& operation, const std::string& remito, const std::string& body,
            std::vector<AskedShipment> asked = {}, std::int64_t request_id = 0) {
    const RawAnswer answer{.carrier = "oca",
                           .operation = operation,
                           .remito = remito,
                           .why = "something new",
                           .http_status = 200,
                           .content_type = "",
                           .body = body,
                           .asked = std::move(asked),
                           .request_id = request_id};
    run<void>([&](Session& at) { return keep_raw_answers(at, std::span(&answer, 1), noon); });
  }
  void end_all() { sql("update shipments set ended_at = " + std::to_string(to_micros(noon + 24h))); }
  ErasedOrder erase(const std::string& order, bool dry_run = false) {
    return run<ErasedOrder>([&](Session& at) { return erase_order(at, order, noon + 48h, dry_run); });
  }
  /// How often the person stands in any text of the database's tables, kept answers unpacked.
  std::size_t times_named() {
    std::size_t times = 0;
    std::string row;
    const auto look = [&] {
      for (std::size_t at = 0; (at = row.find(person, at)) != std::string::npos; at += person.size()) ++times;
    };
    session().query("select payload || refusal_text from remito_requests", {}, {&row}, look);
    session().query("select event_key || code || text || place from tracking_events", {}, {&row}, look);
    session().query("select event_key || code || text || place from transitions", {}, {&row}, look);
    for (const RawAnswer& answer :
         run<std::vector<RawAnswer>>([](Session& at) { return load_raw_answers(at, "oca", 10'000); })) {
      row = answer.body + answer.why;
      look();
    }
    return times;
  }
};
REMITOD_ON_BOTH_ENGINES(Erasing);

TEST_P(Erasing, TakesEveryPersonOutOfAnOrderAndLeavesTheFacts) {
  granted_order("1001", "0001");
  end_all();
  ASSERT_GT(times_named(), 8u);
  const ErasedOrder erased = erase("1001");
  EXPECT_EQ(times_named(), 0u);
  EXPECT_EQ(erased.requests, 1);
  EXPECT_EQ(erased.shipments, 1);
  EXPECT_EQ(erased.events, 2);
  EXPECT_EQ(erased.transitions, 3);
  EXPECT_EQ(erased.raw_answers, 1);
  EXPECT_EQ(erased.open_requests + erased.open_shipments, 0);
  EXPECT_EQ(text("select payload from remito_requests"), "{}");
  EXPECT_EQ(text("select status || remito || order_number from shipments"), "delivered00011001");
  EXPECT_EQ(number("select count(*) from tracking_events where status = 'delivered' and code = 'EN' and "
                   "occurred_at is not null"),
            1);
  EXPECT_EQ(number("select count(*) from tracking_events where code = ''"), 1) << "where the code is the words";
  EXPECT_EQ(number("select count(*) from transitions t join tracking_events e on e.shipment_id = t.shipment_id "
                   "and e.event_key = t.event_key"),
            2)
      << "what belongs together still does";
  EXPECT_EQ(number("select count(*) from erasures where erased_at is not null"), 1);
}

TEST_P(Erasing, ASecondTimeFindsNothingToErase) {
  granted_order("1001", "0001");
  end_all();
  erase("1001");
  const ErasedOrder again = erase("1001");
  EXPECT_EQ(again.requests + again.shipments + again.events + again.transitions + again.raw_answers, 0);
  EXPECT_EQ(again.known, 2);
}

TEST_P(Erasing, ADryRunCountsTheSameAndTouchesNothing) {
  granted_order("1001", "0001");
  end_all();
  const std::size_t before = times_named();
  const ErasedOrder would = erase("1001", true);
  EXPECT_EQ(times_named(), before);
  EXPECT_EQ(number("select count(*) from erasures"), 0);
  const ErasedOrder did = erase("1001");
  EXPECT_EQ(would.events, did.events);
  EXPECT_EQ(would.transitions, did.transitions);
  EXPECT_EQ(would.raw_answers, did.raw_answers);
}

TEST_P(Erasing, LeavesOtherOrdersAlone) {
  granted_order("1001", "000100001");
  const std::size_t of_one = times_named();
  granted_order("2002", "000200002");
  end_all();
  erase("1001");
  EXPECT_EQ(times_named(), of_one);
  EXPECT_EQ(number("select count(*) from raw_answers"), 1);
}

TEST_P(Erasing, WhatIsOpenIsErasedWhenItHasEnded) {
  granted_order("1001", "0001");
  const ErasedOrder first = erase("1001");
  EXPECT_EQ(first.open_shipments, 1);
  EXPECT_EQ(first.shipments, 0);
  EXPECT_EQ(first.requests, 1) << "the request is settled";
  EXPECT_GT(times_named(), 0u);
  const auto waiting = [&] {
    return run<std::vector<std::string>>([](Session& at) { return unfinished_erasures(at, 10); });
  };
  EXPECT_THAT(waiting(), IsEmpty()) << "it is open still";
  report(1, "0001", {in_words(noon + 1h), delivered_to_somebody(noon + 2h)}, noon + 4h);
  end_all();
  EXPECT_THAT(waiting(), ElementsAre("1001"));
  erase("1001");
  EXPECT_EQ(times_named(), 0u);
  EXPECT_THAT(waiting(), IsEmpty());
}

TEST_P(Erasing, ARequestThatMayStillBeSentKeepsItsPayload) {
  ask({.order = "1001", .payload = R"({"recipient": {"name": ")" + person + "\"}}"});
  accept();
  const ErasedOrder erased = erase("1001");
  EXPECT_EQ(erased.open_requests, 1);
  EXPECT_EQ(erased.requests, 0);
  EXPECT_EQ(times_named(), 1u);
}

TEST_P(Erasing, OfKeptAnswersTakesAllThatNameTheOrderOrItsRemitosOrWereMadeForIt) {
  granted_order("1001", "000100001");
  keep("feed", "files.csv", "000100001;ENT;" + person + "\n000200002;ENT;another\n");
  keep("create", "", "an answer that nobody understood, with " + person, {}, 1);
  keep("track", "", "of another shipment", {{9, "000200002", noon}});
  end_all();
  EXPECT_EQ(erase("1001").raw_answers, 3);
  EXPECT_EQ(times_named(), 0u);
  EXPECT_EQ(number("select count(*) from raw_answers"), 1);
}

TEST_P(Erasing, OfNothingErasesNothing) {
  EXPECT_EQ(erase("7").known, 0);
  EXPECT_EQ(number("select count(*) from erasures"), 0);
}

TEST_P(Erasing, WhatComesAfterwardsOfAnErasedShipmentChangesNothing) {
  granted_order("1001", "0001");
  end_all();
  erase("1001");
  report(1, "0001", {in_words(noon + 1h), delivered_to_somebody(noon + 2h)}, noon + 72h);
  EXPECT_EQ(times_named(), 0u);
  EXPECT_EQ(number("select count(*) from transitions"), 3);
}

// ---------------------------------------------------------------- by age

class Retaining : public Erasing {
 protected:
  RetentionLimits all_before(Instant moment, std::vector<std::string> sinks = {}) {
    return {moment, moment, moment, moment, moment, moment, moment, std::move(sinks)};
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
  EXPECT_EQ(removed.at("resyncs"), 2500u);
  for (const char* table : {"remito_requests", "tracking_events", "transitions", "raw_answers", "resync_requests"})
    EXPECT_EQ(number((std::string("select count(*) from ") + table).c_str()), 300) << table;
  EXPECT_EQ(number("select count(*) from shipments"), 2800) << "they count how often a number was used";
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

TEST_P(Retaining, ATransitionWithoutItsSeqStays) {
  settle({refused(claimed({.order = "4"}), "no")}, noon);
  EXPECT_EQ(clean_up(all_before(noon + 1h)).at("transitions"), 0u);
  EXPECT_EQ(number("select count(*) from transitions"), 1);
}

TEST_P(Retaining, AReportOfAShipmentWhoseEventsAreGoneTellsNothing) {
  granted_order("1001", "0001");
  end_all();
  dispatch();
  const auto removed = clean_up(all_before(noon + 100h));
  ASSERT_EQ(removed.at("tracking_events"), 1u) << "shipments";
  ASSERT_EQ(number("select count(*) from tracking_events"), 0);
  report(1, "0001", {in_words(noon + 1h), delivered_to_somebody(noon + 2h)}, noon + 200h);
  EXPECT_EQ(number("select count(*) from tracking_events"), 0);
  EXPECT_EQ(number("select count(*) from transitions"), 0);
}

}  // namespace
}  // namespace remitod::db
