#include "daemon/metrics.h"

#include <gmock/gmock.h>

#include <chrono>
#include <iostream>

#include "scheduler/adaptive_config.h"
#include "tests/daemon/virtual_test.h"
#include "tests/support/process.h"

namespace remitod::test {
namespace {

using daemon::Metrics;
using db::DbError;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct MetricsTest : testing::Test, VirtualWorld {
  void start() {
    daemon->start();
    sampler = std::make_unique<daemon::StatusSampler>(
        daemon->runtime, daemon->executor,
        [this](std::span<const db::Detection> detections) { metrics.detected(detections); });
    sampler->start();
    clock().run_queued();
  }
  std::string text() const {
    const daemon::StatusSources sources{
        daemon->poller, daemon->worker,        daemon->outbox, daemon->resync, daemon->sinks,
        monday,         daemon->runtime.now(), "sqlite",       false,          daemon->executor.statements()};
    return daemon::metrics_text(metrics.collect({sources, *sampler, daemon->executor, {true, monday}}));
  }
  static db::Detection detection(const std::string& to, std::optional<Instant> occurred_at, Instant detected_at,
                                 bool says_when = true) {
    return {1, "chazki", to, occurred_at, detected_at, says_when};
  }

  Metrics metrics;
  std::unique_ptr<daemon::StatusSampler> sampler;
};

TEST_F(MetricsTest, TellOfEveryCarrierWhatItCostAndBrought) {
  daemon->add_carrier("chazki");
  for (int i = 1; i <= 3; ++i) follow("chazki", "C" + std::to_string(i), "1001");
  start();
  clock().run_for(2h);
  EXPECT_THAT(
      text(),
      AllOf(HasSubstr("# HELP remitod_polls_total Shipments that"), HasSubstr("# TYPE remitod_polls_total counter\n"),
            HasSubstr("\nremitod_lane_shipments{carrier=\"chazki\"} 3\n"),
            HasSubstr("\nremitod_breaker_open{carrier=\"chazki\"} 0\n"), HasSubstr("\nremitod_database_up 1\n")));
  EXPECT_THAT(text(), Not(HasSubstr("\nremitod_polls_total{carrier=\"chazki\"} 0\n")));
}

TEST_F(MetricsTest, CountDelaysFromWhatSaysWhenItHappened) {
  daemon->add_carrier("chazki");
  start();
  metrics.detected(std::vector{
      detection("in_transit", monday, monday + 10min), detection("delivered", monday, monday + 5h),
      detection("delivered", monday + 1min, monday),  // a fast clock
      detection("delivered", std::nullopt, monday + 5h, false), detection("delivered", monday, monday + 20h, false)});
  EXPECT_THAT(text(), AllOf(HasSubstr("remitod_detection_delay_seconds_count{carrier=\"chazki\"} 3\n"),
                            HasSubstr("remitod_detection_delay_seconds_sum{carrier=\"chazki\"} 18600\n"),
                            HasSubstr("remitod_detection_delay_seconds_bucket{carrier=\"chazki\",le=\"60\"} 1\n"),
                            HasSubstr("remitod_detection_delay_seconds_bucket{carrier=\"chazki\",le=\"900\"} 2\n"),
                            HasSubstr("remitod_transitions_total{carrier=\"chazki\",to=\"delivered\"} 4\n")));
}

TEST_F(MetricsTest, CountEachTransitionSinceTheStartOnce) {
  daemon->add_carrier("chazki");
  const auto insert = [&](const std::string& seq) {
    database.sql(
        "insert into transitions (seq, subject, order_number, parcel_group, carrier, from_status, to_status, "
        "occurred_at, detected_at, created_at) values (" +
        seq + ", 'shipment', '1', 1, 'chazki', 'registered', 'in_transit', 1, 60000001, 1); " +
        "update counters set value = " + seq + " where name = 'transition_seq'");
  };
  insert("1");
  start();
  insert("2");
  clock().run_for(25s);
  insert("3");
  clock().run_for(25s);
  EXPECT_THAT(text(), AllOf(HasSubstr("remitod_transitions_total{carrier=\"chazki\",to=\"in_transit\"} 2\n"),
                            HasSubstr("remitod_detection_delay_seconds_sum{carrier=\"chazki\"} 120\n")));
}

TEST_F(MetricsTest, TellWhatWaitsInTheQueueAndHowLong) {
  start();
  database.sql(
      "insert into remito_requests (request_key, order_number, carrier, state, accepted_at, requested_at) values "
      "('K1', '1', 'oca', 'unknown', 1, " +
      std::to_string(to_micros(monday - 1h)) + ")");
  clock().run_for(15s);
  EXPECT_THAT(text(),
              AllOf(HasSubstr("remitod_remito_requests{carrier=\"oca\",state=\"unknown\"} 1\n"),
                    HasSubstr("remitod_remito_request_oldest_age_seconds{carrier=\"oca\",state=\"unknown\"} 3615\n")));
}

TEST_F(MetricsTest, AreToldWhileTheDatabaseDoesNotAnswer) {
  daemon->add_carrier("chazki");
  start();
  daemon->executor.fail_always(DbError::Kind::connection);
  clock().run_for(15s);
  EXPECT_THAT(text(), HasSubstr("\nremitod_database_up 0\n"));
}

TEST_F(MetricsTest, AFailureIsCountedByItsKind) {
  daemon->add_carrier("chazki");
  follow("chazki", "C1", "1001");
  start();
  carriers.always("chazki", fetch_error(carriers::FetchError::Kind::timeout));
  clock().run_for(2h);
  EXPECT_THAT(text(), HasSubstr("remitod_failures_total{carrier=\"chazki\",kind=\"timeout\"}"));
}

TEST_F(MetricsTest, TellWhatIsLeftOfAQuotaOnceTheDatabaseHasSaidWhatWasSpent) {
  daemon->add_carrier("chazki", [](scheduler::LaneConfig& lane) { lane.requests_per_hour = 100; });
  EXPECT_THAT(daemon->poller.carriers().at(0).lane.status(monday).quotas, testing::IsEmpty());
  for (int i = 1; i <= 3; ++i) follow("chazki", "C" + std::to_string(i), "1001");
  start();
  clock().run_for(61min);
  const auto sent = carriers.sent().size();
  EXPECT_GE(sent, 3u);
  EXPECT_THAT(text(), AllOf(HasSubstr("remitod_quota_requests{carrier=\"chazki\",period=\"hour\"} 100\n"),
                            HasSubstr("remitod_quota_requests_left{carrier=\"chazki\",period=\"hour\"} " +
                                      std::to_string(100 - sent) + "\n"),
                            Not(HasSubstr("remitod_budget"))));
}

TEST_F(MetricsTest, TellWhatAnAdaptiveScheduleHasSpentOfItsBudget) {
  daemon->add_carrier("chazki", [](scheduler::LaneConfig& lane) {
    scheduler::AdaptiveConfig adaptive;
    adaptive.budget.requests_a_day = 2400;
    lane.adaptive = std::make_shared<const scheduler::AdaptiveConfig>(adaptive);
  });
  follow("chazki", "C1", "1001");
  start();
  clock().run_for(3h + 1min);
  const auto sent = std::to_string(carriers.sent().size());
  EXPECT_THAT(text(), AllOf(HasSubstr("remitod_budget_requests_used{carrier=\"chazki\"} " + sent + "\n"),
                            HasSubstr("remitod_budget_requests_left{carrier=\"chazki\"} " +
                                      std::to_string(300 - carriers.sent().size()) + "\n")));
}

TEST_F(MetricsTest, TellWhatRetentionTookAndWhen) {
  database.sql(
      "insert into retention_results (kind, removed, removed_ever, kept, done_at) values "
      "('raw_answers', 5, 70, 30, 60000000), ('transitions', 1000, 1000, 0, null)");
  start();
  EXPECT_THAT(text(), AllOf(HasSubstr("remitod_retention_removed_rows_total{kind=\"raw_answers\"} 70\n"),
                            HasSubstr("remitod_retention_kept_rows{kind=\"raw_answers\"} 30\n"),
                            HasSubstr("remitod_retention_done_timestamp_seconds{kind=\"raw_answers\"} 60\n"),
                            HasSubstr("remitod_retention_removed_rows_total{kind=\"transitions\"} 1000\n"),
                            Not(HasSubstr("kept_rows{kind=\"transitions\""))));
}

TEST_F(MetricsTest, WithTwoHundredCarriersAreCheap) {
  const auto profile = built_in_profile("chazki");
  for (int i = 0; i < 200; ++i)
    daemon->add_carrier(profile, [i](scheduler::LaneConfig& lane) { lane.carrier = "carrier" + std::to_string(i); });
  start();
  const auto begun = std::chrono::steady_clock::now();
  const std::string said = text();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
  std::cout << said.size() << " bytes in " << took.count() << " ms\n";
  EXPECT_LT(said.size(), 1'000'000u);
}

TEST_F(MetricsTest, ArePrometheusFormat) {
  daemon->add_carrier("chazki");
  follow("chazki", "C1", "1001");
  start();
  clock().run_for(2h);
  metrics.detected(std::vector{detection("in_transit", monday, monday + 10min)});
  const TemporaryFolder folder;
  write_file(folder.path() / "metrics", text());
  const Finished checked =
      run_to_end({"sh", "-c", "promtool check metrics <'" + (folder.path() / "metrics").string() + "'"});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  EXPECT_EQ(checked.out + checked.err, "");
}

}  // namespace
}  // namespace remitod::test
