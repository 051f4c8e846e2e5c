// When old rows are taken away, on the virtual clock. What is taken: tests/db/erasure_test.cpp.
#include "daemon/retention.h"

#include <gmock/gmock.h>

#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using daemon::Retention;
using daemon::RetentionConfig;
using db::DbError;

struct RetentionTest : testing::Test, VirtualWorld {
  RetentionTest() { config.hours = "02:00-05:00", config.zone = "America/Lima"; }
  void start() {
    retention = std::make_unique<Retention>(daemon->runtime, daemon->executor, config, std::vector<std::string>{});
    retention->start();
  }
  void keep_old_answers(int count) {
    database.sql("with recursive n(i) as (select 1 union all select i + 1 from n where i < " + std::to_string(count) +
                 ") insert into raw_answers (carrier, operation, remito, why, http_status, content_type, body, "
                 "kept_at, received_at) select 'oca', 'track', '', '', 200, '', '', 1, 1 from n");
  }
  static Instant lima(int day, int hour) { return monday + 24h * day + std::chrono::hours(hour + 5); }

  RetentionConfig config;
  std::unique_ptr<Retention> retention;
};

TEST_F(RetentionTest, WorksInItsHoursAndAtNoOtherTime) {
  start();
  keep_old_answers(10);
  clock().run_until(lima(0, 2) - 1min);
  EXPECT_EQ(count("raw_answers"), 10);
  clock().run_until(lima(0, 2) + 1min);
  EXPECT_EQ(count("raw_answers"), 0);
  ASSERT_TRUE(retention->last_round());
  EXPECT_EQ(retention->last_round()->removed.at("raw_answers"), 10u);
  EXPECT_TRUE(retention->last_round()->ended_at);
  keep_old_answers(5);
  clock().run_until(lima(1, 2) - 1min);
  EXPECT_EQ(count("raw_answers"), 5) << "once a day";
  clock().run_until(lima(1, 3));
  EXPECT_EQ(count("raw_answers"), 0);
}

TEST_F(RetentionTest, TakesAThousandAtATimeAndRestsInBetween) {
  start();
  keep_old_answers(3500);
  daemon->intake.stop();
  clock().run_until(lima(0, 2) - 1min);
  const std::size_t works = daemon->executor.works();
  clock().run_until(lima(0, 2) + 150ms);
  EXPECT_GE(count("raw_answers"), 2500);
  clock().run_until(lima(0, 3));
  EXPECT_EQ(count("raw_answers"), 0);
  EXPECT_GE(daemon->executor.works(), works + 4);
}

TEST_F(RetentionTest, WhatItCameToOutlivesTheProcess) {
  start();
  keep_old_answers(2500);
  clock().run_until(lima(0, 2) + 1h);
  const auto result = [&](const std::string& columns) {
    return database.text("select " + columns + " from retention_results where kind = 'raw_answers'");
  };
  EXPECT_EQ(result("removed || ' ' || removed_ever || ' ' || kept"), "2500 2500 0");
  EXPECT_EQ(count("retention_results where done_at is null"), 0) << "every kind had its turn";
  keep_old_answers(10);
  clock().run_until(lima(1, 2) + 1h);
  EXPECT_EQ(result("removed || ' ' || removed_ever || ' ' || kept"), "10 2510 0");
  EXPECT_GE(count("retention_results where done_at >= " + std::to_string(to_micros(lima(1, 2)))), 11);
}

TEST_F(RetentionTest, WhatItsHoursDoNotReachIsTakenTheNextDay) {
  config.hours = "02:00-02:01";
  start();
  keep_old_answers(5000);
  daemon->executor.set_latency(20s);
  clock().run_until(lima(0, 12));
  const std::int64_t left = count("raw_answers");
  EXPECT_GT(left, 0);
  EXPECT_LT(left, 5000);
  daemon->executor.set_latency(0s);
  clock().run_until(lima(1, 12));
  EXPECT_EQ(count("raw_answers"), 0);
}

TEST_F(RetentionTest, ADatabaseThatIsAwayIsAskedAgain) {
  start();
  keep_old_answers(10);
  clock().run_until(lima(0, 2) - 1min);
  daemon->executor.fail_always(DbError::Kind::connection);
  clock().run_for(30min);
  EXPECT_EQ(count("raw_answers"), 10);
  daemon->executor.stop_failing();
  clock().run_for(10min);
  EXPECT_EQ(count("raw_answers"), 0);
}

TEST_F(RetentionTest, AStartInItsHoursHasOtherThingsToDoFirst) {
  clock().run_until(lima(0, 3));
  start();
  keep_old_answers(10);
  clock().run_for(4min);
  EXPECT_EQ(count("raw_answers"), 10);
  clock().run_for(2min);
  EXPECT_EQ(count("raw_answers"), 0);
}

TEST_F(RetentionTest, OrdersThatWaitedToBeErasedHaveTheirTurn) {
  follow("chazki", "C1", "1001");
  database.sql(
      "update shipments set accepted_at = 1, cycle = 1;"
      "insert into erasures (order_number, asked_at) values ('1001', 1)");
  start();
  clock().run_until(lima(0, 6));
  EXPECT_EQ(count("erasures where erased_at is null"), 1) << "the shipment is open";
  database.sql("update shipments set ended_at = 2");
  clock().run_until(lima(1, 6));
  EXPECT_EQ(count("erasures where erased_at is null"), 0);
  EXPECT_EQ(retention->last_round()->orders_erased, 1u);
}

TEST_F(RetentionTest, AfterAStopNothingIsTaken) {
  start();
  keep_old_answers(10);
  retention->stop();
  clock().run_until(lima(1, 6));
  EXPECT_EQ(count("raw_answers"), 10);
  EXPECT_TRUE(retention->idle());
}

}  // namespace
}  // namespace remitod::test
