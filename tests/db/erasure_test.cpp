// Personal data goes: of one order, and by age; and never what somebody still needs.
#include "db/erasure.h"

#include <gmock/gmock.h>

#include "db/operator_settlement.h"
#include "db/raw_answers.h"
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

TEST_P(Erasing, TakesWordsThatStandForACodeAlsoWhereTheyAreCutOrTheReasonFollowsThem) {
  granted_order("1001", "0001");
  TrackingEvent with_reason = in_words(noon + 4h), cut = in_words(noon + 5h), with_code = in_words(noon + 6h);
  with_reason.text = with_reason.code + ": no estaba";
  cut.text = "Se llamó a " + person + std::string(100, '.');
  cut.code = cut.text.substr(0, 100);
  with_code.code = "Llamar";  // the carrier's own, though its words begin so
  report(1, "0001", {with_reason, cut, with_code}, noon + 7h);
  end_all();
  erase("1001");
  EXPECT_EQ(times_named(), 0u);
  EXPECT_EQ(number("select count(*) from tracking_events where code = 'Llamar'"), 1);
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

TEST_P(Erasing, TakesThePersonOutOfTheExamplesOfCodesThatNoProfileKnows) {
  settle({granted(claimed({.order = "1001"}), "0001")});
  TrackingEvent with_code = delivered_to_somebody(noon + 2h), without_code = in_words(noon + 1h);
  with_code.status = without_code.status = Status::unmapped;
  report(1, "0001", {with_code, without_code}, noon + 3h);
  sql("insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at) values "
      "('olva', 'EN', 'Entregado', 1, 1, 1)");
  ASSERT_EQ(number("select count(*) from unmapped_codes"), 3);
  end_all();
  erase("1001");
  EXPECT_EQ(number(("select count(*) from unmapped_codes where code || text like '%" + person + "%'").c_str()), 0);
  EXPECT_EQ(number("select count(*) from unmapped_codes where carrier = 'oca' and code = 'EN' and text = ''"), 1);
  EXPECT_EQ(number("select count(*) from unmapped_codes where carrier = 'olva' and text = 'Entregado'"), 1);
}

TEST_P(Erasing, TakesTheWordsOfWhoeverRefusedTheRequest) {
  RequestOutcome person_asked = outcome(claimed({.order = "1001", .key = "K"}), RequestOutcome::Kind::needs_operator);
  settle({person_asked});
  const auto settled = run<std::expected<OperatorSettled, NotSettled>>([](Session& at) {
    return settle_by_operator(at, {"K", OperatorSettlement::Action::refuse, person + " no vive ahí", "ana"}, noon);
  });
  ASSERT_TRUE(settled);
  erase("1001");
  EXPECT_EQ(times_named(), 0u);
  EXPECT_EQ(text("select operator || ' ' || operator_action from remito_requests"), "ana refused");
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

TEST_P(Erasing, OfWhatHasGoneByAgeMeanwhileIsDone) {
  sql("insert into erasures (order_number, asked_at) values ('1001', 1)");
  EXPECT_THAT(run<std::vector<std::string>>([](Session& at) { return unfinished_erasures(at, 10); }),
              ElementsAre("1001"));
  erase("1001");
  EXPECT_EQ(number("select count(*) from erasures where erased_at is not null"), 1);
}

}  // namespace
}  // namespace remitod::db
