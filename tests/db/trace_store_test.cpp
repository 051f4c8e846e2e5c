// What carriers published, for traces.
#include "db/trace_store.h"

#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::IsEmpty;
using testing::SizeIs;

class PublishedStatuses : public test::StoreTest {
 protected:
  PublishedStatuses() {
    for (const char* carrier : {"express", "norte"})
      sql("insert into shipments (order_number, carrier, remito) values ('1', '" + std::string(carrier) + "', 'R1');");
    run<std::vector<OpenShipment>>([](Session& at) { return accept_new_shipments(at, noon, 10); });
  }
  void see(std::int64_t shipment_id, Status status, std::string code, Instant at) {
    TrackingEvent event;
    event.code = std::move(code);
    event.status = status;
    event.occurred_at = OccurredAt{at - 1h, ZoneSource::offset, false, false};
    PolledReport polled{shipment_id, {}};
    polled.report.remito = "R1";
    polled.report.events = {event};
    const std::vector reports{polled};
    run<std::vector<AppliedReport>>(
        [&](Session& session) { return apply_reports(session, {"express", {}, 72h, 1440h}, reports, at); });
  }
  std::vector<PublishedStatus> load(std::string_view carrier = "", Instant since = {}, std::int64_t after_id = 0,
                                    std::size_t limit = 100) {
    return run<std::vector<PublishedStatus>>(
        [=](Session& at) { return load_published_statuses(at, carrier, since, after_id, limit); });
  }
};
REMITOD_ON_BOTH_ENGINES(PublishedStatuses);

TEST_P(PublishedStatuses, AreThoseThatTheCarrierSaidWithWhenTheyWereDetected) {
  EXPECT_THAT(load(), IsEmpty());
  see(1, Status::delivered, "D", noon + 5h);  // in_transit is inferred
  see(2, Status::in_transit, "T", noon + 7h);
  const auto rows = load();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].shipment_id, 1);
  EXPECT_EQ(rows[0].carrier, "express");
  EXPECT_EQ(rows[0].created, noon);
  EXPECT_EQ(rows[0].published, noon + 5h);
  EXPECT_EQ(rows[0].status, "delivered");
  EXPECT_TRUE(rows[0].last);
  EXPECT_EQ(rows[1].status, "in_transit");
}

TEST_P(PublishedStatuses, OnlyTheLastOfAShipmentIsItsLast) {
  see(1, Status::in_transit, "T", noon + 2h);
  see(1, Status::out_for_delivery, "O", noon + 9h);
  const auto rows = load();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_FALSE(rows[0].last);
  EXPECT_TRUE(rows[1].last);
}

TEST_P(PublishedStatuses, ComeByCarrierByTimeAndInPages) {
  see(1, Status::in_transit, "T", noon + 2h);
  see(2, Status::in_transit, "T", noon + 3h);
  EXPECT_THAT(load("norte"), SizeIs(1));
  EXPECT_THAT(load("nobody"), IsEmpty());
  EXPECT_THAT(load("", noon + 1s), IsEmpty()) << "both were followed before";
  const auto first = load("", {}, 0, 1);
  ASSERT_THAT(first, SizeIs(1));
  const auto second = load("", {}, first[0].id, 1);
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].shipment_id, 2);
}

}  // namespace
}  // namespace remitod::db
