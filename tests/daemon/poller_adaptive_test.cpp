// Adaptive carriers in the daemon: what answers teach, what a restart keeps, and what people are told of it.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/explain_report.h"
#include "daemon/explain_text.h"
#include "scheduler/adaptive_config.h"
#include "scheduler/adaptive_plan.h"
#include "tests/daemon/poller_fixture.h"

namespace remitod::test {
namespace {

using nlohmann::json;
using scheduler::AdaptiveConfig;
using testing::AnyOf;
using testing::Ge;
using testing::HasSubstr;
using testing::SizeIs;

void make_adaptive(scheduler::LaneConfig& config) {
  AdaptiveConfig adaptive;
  adaptive.budget.share_of_hourly = 0.5;
  config.adaptive = std::make_shared<const AdaptiveConfig>(adaptive);
}

/// Ten new parcels of Chazki a day, each of which moves twice within three days; all is shown at 20:13 UTC.
struct AdaptivePollerTest : PollerTest {
  AdaptivePollerTest() {
    daemon->add_carrier("chazki", make_adaptive);
    daemon->start();
  }
  void live_through_days(int days) {
    for (int i = 0; i < days; ++i) {
      clock().run_until(evening(day_) - 11h);
      for (int k = 0; k < 10; ++k) follow("chazki", parcel(day_ * 10 + k), std::to_string(day_ * 10 + k));
      daemon->intake.wake();
      clock().run_until(evening(day_));
      for (int k = 0; k < (day_ + 1) * 10; ++k) show_by(k, day_);
      ++day_;
      clock().run_until(monday + day_ * 24h);
      end_finished();
    }
  }
  Instant evening(int day) const { return monday + day * 24h + 20h + 13min; }
  static std::string parcel(int number) { return "C" + std::to_string(number); }
  /// Of what was shown in the evening of this day: when it was asked first after that, in minutes, on average.
  double mean_delay(int day) {
    double sum = 0, seen = 0;
    for (int k = 0; k < (day + 1) * 10; ++k) {
      if (picked_up_day(k) != day && delivered_day(k) != day) continue;
      const auto asked = carriers.asked_at("chazki", parcel(k));
      const auto after = std::ranges::upper_bound(asked, evening(day));
      if (after == asked.end()) continue;
      sum += std::chrono::duration<double, std::ratio<60>>(*after - evening(day)).count();
      ++seen;
    }
    return sum / seen;
  }
  json explained(const std::string& remito = "") {
    const auto carrier = daemon->poller.carrier("chazki").value();
    if (remito.empty()) return json::parse(daemon::explain_carrier_report(carrier, clock().now()));
    const auto views = db::view_shipments(database.session(), *db::ResyncTarget::parse("chazki:" + remito)).value();
    return json::parse(daemon::explain_shipments_report(carrier, views, clock().now()));
  }

 private:
  static int picked_up_day(int parcel_number) { return parcel_number / 10 + parcel_number % 2; }
  static int delivered_day(int parcel_number) { return picked_up_day(parcel_number) + 1 + parcel_number % 3 / 2; }
  void show_by(int k, int day) {
    std::vector<WireEvent> history;
    if (picked_up_day(k) <= day) history.push_back({evening(picked_up_day(k)) - 3h, "", "Recogido"});
    if (delivered_day(k) <= day) history.push_back({evening(delivered_day(k)) - 2h, "", "Entregado"});
    carriers.show("chazki", parcel(k), history);
  }
  void end_finished() {
    const auto rules = daemon->poller.carriers().front().rules;
    daemon->executor.run<std::vector<std::int64_t>>(
        [rules, now = clock().now()](db::Session& session) {
          return db::end_finished_shipments(session, rules, now, 1000);
        },
        [this](db::DbResult<std::vector<std::int64_t>> ended) { daemon->poller.remove("chazki", ended.value()); });
    clock().run_queued();
  }
  int day_ = 0;
};

TEST_F(AdaptivePollerTest, LearnsTheEveningFromCommittedAnswersAndAsksThen) {
  constexpr double hourly = 30;  // minutes, on average
  live_through_days(12);
  EXPECT_LT(mean_delay(0), hourly / 2) << "the first evening: the first sight is suspected to be of a batch";
  EXPECT_LT(mean_delay(11), hourly / 6);
  ASSERT_TRUE(lane().plan());
  EXPECT_THAT(lane().plan()->waits, Ge(80u));
}

TEST_F(AdaptivePollerTest, AnswersThatFailTeachNothing) {
  live_through_days(4);
  const auto waits = [this] { return explained()["learned"]["statuses_seen"].get<int>(); };
  const int before = waits();
  carriers.always("chazki", http_answer(503, "busy", "text/plain"));
  clock().run_for(6h);
  EXPECT_EQ(waits(), before);
}

TEST_F(AdaptivePollerTest, WhatIsNotCommittedTeachesNothingUntilItIs) {
  live_through_days(4);
  const auto waits = [this] { return explained()["learned"]["statuses_seen"].get<int>(); };
  const int before = waits();
  daemon->executor.fail_always(db::DbError::Kind::connection);
  clock().run_until(evening(4));
  for (int k = 40; k < 50; ++k) carriers.show("chazki", parcel(k - 10), {{evening(4) - 1h, "", "Entregado"}});
  clock().run_for(2h);
  EXPECT_EQ(waits(), before);
  daemon->executor.stop_failing();
  clock().run_for(2h);
  EXPECT_GT(waits(), before);
}

TEST_F(AdaptivePollerTest, ARestartKeepsWhatWasLearned) {
  live_through_days(10);
  save_checkpoint();
  const json before = explained();
  restart_from_checkpoints(make_adaptive);
  clock().run_for(10min);
  const json after = explained();
  EXPECT_EQ(after["learned"]["statuses_seen"], before["learned"]["statuses_seen"]);
  EXPECT_EQ(after["budget"]["poll_price_min"], before["budget"]["poll_price_min"]);
  EXPECT_FALSE(after["learned"]["planned_at"].is_null()) << "and a plan is made of it at once";
  live_through_days(1);
  EXPECT_LT(mean_delay(10), 30);
}

TEST_F(AdaptivePollerTest, ACheckpointThatFailedIsGivenAgainInWhole) {
  live_through_days(2);
  save_checkpoint();
  daemon->executor.fail(1, db::DbError::Kind::connection);
  live_through_days(2);
  save_checkpoint();
  save_checkpoint();
  const int seen = explained()["learned"]["statuses_seen"];
  restart_from_checkpoints(make_adaptive);
  EXPECT_EQ(explained()["learned"]["statuses_seen"], seen);
}

TEST_F(AdaptivePollerTest, ExplainShowsTheHourThatItLearned) {
  live_through_days(12);
  const json report = explained();
  EXPECT_EQ(report["mode"], "adaptive");
  ASSERT_FALSE(report["learned"]["peaks"].empty());
  const json& peak = report["learned"]["peaks"][0];
  EXPECT_GE(peak["from"].get<std::string>(), "19:50");
  EXPECT_LE(peak["from"].get<std::string>(), "20:10");
  EXPECT_GE(peak["to"].get<std::string>(), "20:20");
  EXPECT_LE(peak["to"].get<std::string>(), "21:00");
  EXPECT_GT(peak["share"].get<double>(), 0.5);
  EXPECT_GT(report["delays"]["statuses"].get<int>(), 100);
  EXPECT_GT(report["budget"]["requests"]["used"].get<double>(), 0);

  const std::string text = daemon::explain_carrier_text(report);
  EXPECT_THAT(text, HasSubstr("publishes mostly"));
  EXPECT_THAT(text, HasSubstr("+-"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }), 80)
        << line;
}

TEST_F(AdaptivePollerTest, ExplainSaysWhyAShipmentIsAskedWhenItIs) {
  const auto because = [this](const std::string& remito) {
    return explained(remito)["shipments_explained"][0]["because"].get<std::string>();
  };
  clock().run_until(monday + 1h);
  follow("chazki", "NEW1");
  daemon->intake.wake();
  clock().run_for(1s);
  EXPECT_EQ(because("NEW1"), "cold");
  EXPECT_THAT(daemon::explain_shipments_text(explained("NEW1")), HasSubstr("nothing is known"));
  live_through_days(3);
  clock().run_for(30s);
  EXPECT_THAT(because("NEW1"), AnyOf("worth_it", "max_interval"));
  const std::string text = daemon::explain_shipments_text(explained("NEW1"));
  EXPECT_THAT(text, HasSubstr("a poll is worth"));
  EXPECT_THAT(text, HasSubstr("(max_interval 24 h)"));
}

TEST_F(AdaptivePollerTest, AWishedDelayIsExplainedWithoutABudgetThatNobodyStated) {
  restart();
  follow_chazki(5, [](scheduler::LaneConfig& config) {
    AdaptiveConfig adaptive;
    adaptive.budget.target_delay = 10min;
    config.adaptive = std::make_shared<const AdaptiveConfig>(adaptive);
  });
  clock().run_for(3h);
  const json report = explained();
  EXPECT_GT(report["budget"]["requests"]["used"].get<double>(), 0);
  EXPECT_TRUE(report["budget"]["requests"]["allowed"].is_null());
  EXPECT_TRUE(report["budget"]["requests"]["left"].is_null());
  const std::string text = daemon::explain_carrier_text(report);
  EXPECT_THAT(text, HasSubstr(", as many as the delay takes\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("too many")));
}

TEST_F(AdaptivePollerTest, AnHourlyCarrierIsExplainedToo) {
  restart();
  follow_chazki(5);
  clock().run_for(10min);
  const json report = explained();
  EXPECT_EQ(report["mode"], "hourly");
  EXPECT_THAT(daemon::explain_carrier_text(report), HasSubstr("once in 1 h"));
  EXPECT_EQ(explained("C1")["shipments_explained"][0]["because"], "phase");
  follow("chazki", "C6");
  daemon->intake.wake();
  clock().run_queued();
  const json fresh = explained("C6")["shipments_explained"][0];
  EXPECT_TRUE(fresh["last_asked"].is_null());
  EXPECT_EQ(fresh["at_the_latest"], fresh["next_due"]) << "an hour after 1970 nobody was asked";
}

}  // namespace
}  // namespace remitod::test
