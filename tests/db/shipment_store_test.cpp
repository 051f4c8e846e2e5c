#include <gmock/gmock.h>

#include "tests/db/store_fixture.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using db::DbResult;
using db::OpenShipment;
using db::ResyncTarget;
using db::Session;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Instant start{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};

class Shipments : public StoreTest {
 protected:
  std::vector<OpenShipment> accept(Instant now, std::size_t limit = 100) {
    return run<std::vector<OpenShipment>>([&](Session& at) { return db::accept_new_shipments(at, now, limit); });
  }
  std::vector<std::string> open_remitos() {
    std::vector<std::string> remitos;
    run<std::size_t>([&](Session& at) {
      return db::load_open_shipments(at, start, [&](const OpenShipment& row) { remitos.push_back(row.remito); });
    });
    return remitos;
  }
  std::vector<std::int64_t> end_finished(Instant now, std::size_t limit = 100) {
    const db::ApplyRules rules{.carrier = "oca", .reconcile = {}, .tail = 72h, .give_up_after = 24h * 60};
    return run<std::vector<std::int64_t>>(
        [&](Session& at) { return db::end_finished_shipments(at, rules, now, limit); });
  }
  std::vector<std::int64_t> scope(const char* text, std::optional<Instant> since = std::nullopt) {
    const ResyncTarget target = ResyncTarget::parse(text).value();
    const auto found =
        run<std::vector<db::ResyncScope>>([&](Session& at) { return db::find_resync_scope(at, target, since); });
    std::vector<std::int64_t> ids;
    for (const db::ResyncScope& shipment : found) ids.push_back(shipment.shipment_id);
    return ids;
  }
  void follow(const std::string& order, const std::string& carrier, const std::string& remito) {
    sql("insert into shipments (order_number, carrier, remito) values ('" + order + "', '" + carrier + "', '" + remito +
        "')");
  }
  std::string micros(Instant instant) { return std::to_string(to_micros(instant)); }
};
REMITOD_ON_BOTH_ENGINES(Shipments);

TEST_P(Shipments, AreAcceptedOnceAndOpenFromThenOn) {
  sql("insert into shipments (order_number, carrier, remito, registered_at) values ('1', 'oca', '007', " +
      micros(start - 24h) + ")");
  EXPECT_THAT(open_remitos(), IsEmpty());
  const auto accepted = accept(start);
  ASSERT_EQ(accepted.size(), 1U);
  EXPECT_EQ(accepted[0].carrier, "oca");
  EXPECT_EQ(accepted[0].remito, "007");
  EXPECT_EQ(accepted[0].registered_at, start - 24h);
  EXPECT_THAT(accept(start + 1min), IsEmpty());
  EXPECT_THAT(open_remitos(), ElementsAre("007"));
  EXPECT_EQ(number("select accepted_at from shipments"), to_micros(start));
  EXPECT_EQ(number("select cycle from shipments"), 1);
}

TEST_P(Shipments, OfUnknownRegistrationCountFromTheirAcceptance) {
  follow("1", "oca", "1");
  EXPECT_EQ(accept(start).at(0).registered_at, start);
  EXPECT_EQ(number("select count(*) from shipments where registered_at is null"), 1);
}

TEST_P(Shipments, AreAcceptedAFewAtATimeInTheOrderOfInsertion) {
  for (const char* remito : {"a", "b", "c"}) follow("1", "oca", remito);
  EXPECT_EQ(accept(start, 2).size(), 2U);
  EXPECT_THAT(open_remitos(), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(accept(start, 2).at(0).remito, "c");
}

TEST_P(Shipments, AreFoundHoweverLateTheirInsertCommits) {
  auto other = another();
  if (engine() == Engine::postgresql) {
    // The row with the smaller id commits last.
    other.session().begin();
    other.session().run_script("insert into shipments (order_number, carrier, remito) values ('1', 'oca', 'late')");
    follow("1", "oca", "early");
    EXPECT_EQ(accept(start).at(0).remito, "early");
    other.session().commit();
  } else {
    follow("1", "oca", "late");  // SQLite has one writer: nothing commits late
  }
  EXPECT_EQ(accept(start).at(0).remito, "late");
}

TEST_P(Shipments, WithANumberThatIsStillInUseAreRefused) {
  follow("1", "oca", "1");
  accept(start);
  EXPECT_THROW(follow("2", "oca", "1"), std::runtime_error);
  follow("2", "chazki", "1");
}

TEST_P(Shipments, WithANumberUsedBeforeBeginAnotherCycle) {
  follow("1", "oca", "1");
  accept(start);
  sql("update shipments set ended_at = 1");
  follow("2", "oca", "1");
  accept(start + 24h);
  EXPECT_EQ(number("select cycle from shipments where order_number = '2'"), 2);
  EXPECT_EQ(number("select cycle from shipments where order_number = '1'"), 1);
  EXPECT_EQ(open_remitos().size(), 1U);
}

TEST_P(Shipments, AreStreamedHoweverManyThereAre) {
  sql(engine() == Engine::sqlite ? "with recursive n(i) as (select 1 union all select i + 1 from n where i < 4001) "
                                   "insert into shipments (order_number, carrier, remito) select i, 'oca', i from n"
                                 : "insert into shipments (order_number, carrier, remito) "
                                   "select i, 'oca', i from generate_series(1, 4001) as i");
  accept(start, 4000);
  EXPECT_EQ(open_remitos().size(), 4000U);
}

TEST_P(Shipments, EndWhenTheTailOfTheirTerminalStatusIsOver) {
  for (const char* remito : {"delivered", "under way"}) follow("1", "oca", remito);
  accept(start);
  sql("update shipments set status = 'delivered', terminal_at = " + micros(start) + " where remito = 'delivered'");
  EXPECT_THAT(end_finished(start + 72h - 1us), IsEmpty());
  EXPECT_EQ(end_finished(start + 72h).size(), 1U);
  EXPECT_THAT(open_remitos(), ElementsAre("under way"));
  EXPECT_EQ(number("select count(*) from transitions"), 0);
  EXPECT_EQ(text("select status from shipments where remito = 'delivered'"), "delivered");
}

TEST_P(Shipments, ThatNeverEndBecomeExpiredAndSaySoOnce) {
  follow("1", "oca", "lost");
  sql("insert into shipments (order_number, carrier, remito, registered_at) values ('1', 'oca', 'old import', 1)");
  accept(start);
  sql("update shipments set status = 'in_transit', reason = 'other' where remito = 'lost'");
  EXPECT_THAT(end_finished(start + 24h * 60 - 1us), IsEmpty());
  EXPECT_EQ(end_finished(start + 24h * 60).size(), 2U);
  EXPECT_THAT(end_finished(start + 24h * 60), IsEmpty());
  EXPECT_THAT(open_remitos(), IsEmpty());
  EXPECT_EQ(text("select from_status || '>' || to_status from transitions where remito = 'lost'"),
            "in_transit>expired");
  EXPECT_EQ(number("select detected_at from transitions where remito = 'lost'"), to_micros(start + 24h * 60));
  EXPECT_EQ(number("select count(*) from transitions"), 2);
  EXPECT_EQ(number("select count(*) from shipments where status = 'expired' and reason = ''"), 2);
}

TEST_P(Shipments, EndAtMostSoManyAtATimeAndOnlyThoseOfTheCarrier) {
  for (const char* remito : {"a", "b", "c"}) follow("1", "oca", remito);
  follow("1", "chazki", "d");
  accept(start);
  sql("update shipments set status = 'delivered', terminal_at = 1 where remito = 'a'");
  EXPECT_EQ(end_finished(start + 24h * 90, 2).size(), 2U);
  EXPECT_EQ(end_finished(start + 24h * 90, 2).size(), 1U);
  EXPECT_THAT(open_remitos(), ElementsAre("d"));
}

TEST_P(Shipments, OfAResyncAreTheOpenOnesOfItsTarget) {
  follow("1", "oca", "a:b");
  follow("1", "chazki", "2");
  follow("2", "oca", "3");
  follow("3", "oca", "ended");
  accept(start);
  sql("update shipments set ended_at = 1 where remito = 'ended'");
  follow("4", "oca", "not yet accepted");
  EXPECT_THAT(scope("all"), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(scope("oca"), UnorderedElementsAre(1, 3));
  EXPECT_THAT(scope("oca:a:b"), ElementsAre(1));
  EXPECT_THAT(scope("chazki:a:b"), IsEmpty());
  EXPECT_THAT(scope("order:1"), UnorderedElementsAre(1, 2));
  EXPECT_THAT(scope("order:3"), IsEmpty());
}

TEST_P(Shipments, OfAResyncSinceAreTheOnesThatDidNotChangeSince) {
  for (const char* remito : {"fresh", "stale", "never"}) follow("1", "oca", remito);
  accept(start);
  sql("update shipments set detected_at = " + micros(start) + " where remito = 'fresh'");
  sql("update shipments set detected_at = " + micros(start - 24h) + " where remito = 'stale'");
  EXPECT_THAT(scope("all", start), UnorderedElementsAre(2, 3));
}

}  // namespace
}  // namespace remitod::test
