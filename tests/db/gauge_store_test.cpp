// What metrics and the page ask of the database.
#include <gmock/gmock.h>

#include "db/gauges.h"
#include "db/raw_answers.h"
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::ElementsAre;
using testing::IsEmpty;

class Gauges : public test::StoreTest {
 protected:
  static std::string micros(Instant at) { return std::to_string(to_micros(at)); }
  std::string truth(bool value) const {
    if (engine() == test::Engine::sqlite) return value ? "1" : "0";
    return value ? "true" : "false";
  }
  void insert_request(const std::string& key, const std::string& state, Instant requested_at) {
    sql("insert into remito_requests (request_key, order_number, carrier, state, requested_at) values ('" + key +
        "', '1', 'oca', '" + state + "', " + micros(requested_at) + ")");
  }
  void insert_transition(int seq, const std::string& flag = "") {
    std::string columns, values;
    if (!flag.empty()) {
      columns = ", " + flag;
      values = ", " + truth(true);
    }
    sql("insert into transitions (seq, subject, order_number, parcel_group, carrier, event_key, from_status, "
        "to_status, "
        "occurred_at, detected_at, created_at" +
        columns + ") values (" + std::to_string(seq) + ", 'shipment', '1', 1, 'oca', 'k" + std::to_string(seq) +
        "', 'registered', 'in_transit', " + micros(noon) + ", " + micros(noon + 10min) + ", 1" + values + ")");
  }
  void insert_shipment(const std::string& carrier, const std::string& remito) {
    sql("insert into shipments (order_number, carrier, remito) values ('1', '" + carrier + "', '" + remito + "')");
  }
  std::vector<Detection> detections(std::int64_t after_seq, std::size_t limit = 10) {
    return run<std::vector<Detection>>([=](Session& at) { return detections_after(at, after_seq, limit); });
  }
  std::vector<std::string> carriers_of(const std::string& remito, const std::vector<std::string>& carriers) {
    return run<std::vector<std::string>>([&](Session& at) { return carriers_of_remito(at, carriers, remito); });
  }
};
REMITOD_ON_BOTH_ENGINES(Gauges);

TEST_P(Gauges, RequestsWithoutAnEndAreCountedWithTheirOldest) {
  insert_request("K1", "pending", noon);
  insert_request("K2", "pending", noon - 5min);
  insert_request("K3", "unknown", noon - 1h);
  insert_request("K4", "granted", noon - 2h);
  insert_request("K5", "refused", noon - 2h);
  insert_request("K6", "cancelled", noon - 2h);
  const auto open = run<std::vector<OpenRequests>>([](Session& at) { return open_requests(at); });
  ASSERT_EQ(open.size(), 2u);
  EXPECT_EQ(open[0].state, "pending");
  EXPECT_EQ(open[0].requests, 2);
  EXPECT_EQ(open[0].oldest_requested_at, noon - 5min);
  EXPECT_EQ(open[1].state, "unknown");
  EXPECT_EQ(open[1].carrier, "oca");
}

TEST_P(Gauges, CodesThatNoProfileKnowsAreCountedByCarrier) {
  sql("insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at) values ('oca', '1', '', 5, "
      "1, "
      "1), ('oca', '2', '', 1, 1, 1), ('olva', '1', '', 1, 1, 1)");
  const auto counts = run<std::vector<UnmappedCount>>([](Session& at) { return count_unmapped(at); });
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts[0].codes, 2);
  EXPECT_EQ(counts[1].carrier, "olva");
}

TEST_P(Gauges, TransitionsAreToldOnceBySeqAndWithWhetherTheySayWhen) {
  insert_transition(1);
  insert_transition(2);
  insert_transition(3, "inferred");
  insert_transition(4, "date_only");
  insert_transition(5, "late");
  const auto told = detections(1);
  ASSERT_EQ(told.size(), 4u);
  EXPECT_EQ(told[0].seq, 2);
  EXPECT_EQ(told[0].carrier, "oca");
  EXPECT_EQ(told[0].to, "in_transit");
  EXPECT_EQ(told[0].occurred_at, noon);
  EXPECT_EQ(told[0].detected_at, noon + 10min);
  EXPECT_TRUE(told[0].says_when);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_FALSE(told[i].says_when) << told[i].seq;
  EXPECT_EQ(detections(1, 2).size(), 2u);
  EXPECT_THAT(detections(5), IsEmpty());
  sql("update transitions set occurred_at = null where seq = 2");
  EXPECT_FALSE(detections(1).at(0).says_when);
}

TEST_P(Gauges, ANumberIsFoundAtEveryCarrierThatHasIt) {
  insert_shipment("oca", "0001");
  insert_shipment("olva", "0001");
  insert_shipment("chazki", "0001");
  insert_shipment("oca", "0002");
  EXPECT_THAT(carriers_of("0001", {"oca", "olva", "andreani"}), ElementsAre("oca", "olva"));
  EXPECT_THAT(carriers_of("1", {"oca", "olva"}), IsEmpty());
  EXPECT_THAT(carriers_of("' or 1 = 1 --", {"oca"}), IsEmpty());
  EXPECT_THAT(carriers_of("0001", {}), IsEmpty());
}

TEST_P(Gauges, AnswersOfOneShipmentComeNewestFirst) {
  const auto keep = [&](const std::string& remito, const std::string& body) {
    run<void>([&](Session& at) {
      const RawAnswer answer{.carrier = "oca",
                             .operation = "track",
                             .remito = remito,
                             .why = "changed",
                             .http_status = 200,
                             .content_type = "text/xml",
                             .body = body};
      return keep_raw_answers(at, {&answer, 1}, noon);
    });
  };
  keep("0001", "first");
  keep("0002", "of another");
  keep("0001", "second");
  const auto kept = run<std::vector<KeptAnswer>>([](Session& at) { return kept_answers(at, "oca", "0001", 10); });
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].body, "second");
  EXPECT_EQ(kept[1].body, "first");
  EXPECT_EQ(kept[1].why, "changed");
  EXPECT_EQ(kept[1].http_status, 200);
  EXPECT_EQ(kept[1].kept_at, noon);
}

TEST_P(Gauges, AnAnswerToABatchIsFoundByEachOfItsShipments) {
  const RawAnswer batch{.carrier = "oca",
                        .operation = "track",
                        .remito = "",
                        .why = "changed",
                        .http_status = 200,
                        .content_type = "text/xml",
                        .body = "both",
                        .asked = {{1, "0001", noon}, {2, "00\"2%", noon}}};
  run<void>([&](Session& at) { return keep_raw_answers(at, {&batch, 1}, noon); });
  const auto kept = [&](const std::string& remito) {
    return run<std::vector<KeptAnswer>>([&](Session& at) { return kept_answers(at, "oca", remito, 10); }).size();
  };
  EXPECT_EQ(kept("0001"), 1u);
  EXPECT_EQ(kept("00\"2%"), 1u);
  EXPECT_EQ(kept("000"), 0u) << "a part of a number is another number";
  EXPECT_EQ(kept("%"), 0u);
}

}  // namespace
}  // namespace remitod::db
