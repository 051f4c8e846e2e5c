#include "daemon/web_calls.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using daemon::WebAnswer;
using daemon::WebListener;
using daemon::WebRequest;
using db::DbError;
using nlohmann::json;

struct WebCallsTest : testing::Test, VirtualWorld {
  WebCallsTest() {
    daemon->add_carrier("chazki");
    for (int i = 1; i <= 3; ++i) follow("chazki", "C" + std::to_string(i), "1001");
    daemon->start();
    sampler = std::make_unique<daemon::StatusSampler>(daemon->runtime, daemon->executor,
                                                      [](std::span<const db::Detection>) {});
    calls = std::make_unique<daemon::WebCalls>(
        daemon::WebCalls::Parts{daemon::ControlHandlers({daemon->runtime, daemon->executor, daemon->poller,
                                                         daemon->worker, daemon->outbox, daemon->resync, daemon->intake,
                                                         trials, daemon->sinks, daemon->reread, "sqlite", monday}),
                                daemon->executor, daemon->poller, *sampler, metrics, activity,
                                [this] { return not_working; }, [] { return daemon::LastReload{true, monday}; }});
  }
  WebAnswer call(const std::string& method, const std::string& path, std::map<std::string, std::string> query = {},
                 const std::string& body = "") {
    std::optional<WebAnswer> answer;
    (*calls)({{method, path, std::move(query), body}, "", ""}, [&](WebAnswer given) { answer = std::move(given); });
    clock().run_queued();
    EXPECT_TRUE(answer) << "not answered";
    return answer.value_or(WebAnswer{0, "", "{}"});
  }
  WebAnswer get(const std::string& path) { return call("GET", path); }
  json ready() { return json::parse(get("/readyz").body); }

  daemon::CarrierTrials trials{daemon->runtime,
                               daemon->transport,
                               daemon->mapper,
                               {[this](std::string_view carrier) { return daemon->poller.spare_requests(carrier); },
                                [this](std::string_view carrier) { daemon->poller.request_sent(carrier); },
                                [this](std::string_view carrier) { daemon->poller.request_answered(carrier); }}};
  std::vector<std::string> not_working;
  std::unique_ptr<daemon::StatusSampler> sampler;
  daemon::Metrics metrics;
  daemon::ActivityLog activity;
  std::unique_ptr<daemon::WebCalls> calls;
};

TEST_F(WebCallsTest, ItLivesWhateverElseIs) {
  daemon->executor.fail_always(DbError::Kind::connection);
  not_working = {"it is stopping"};
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/healthz").body, "ok\n");
}

TEST_F(WebCallsTest, ItIsReadyOnceTheDatabaseHasAnsweredAndItWorks) {
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(ready()["reasons"], json::array({"the database does not answer"}));
  sampler->start();
  clock().run_queued();
  EXPECT_EQ(get("/readyz").status, 200);
  EXPECT_EQ(ready()["ready"], true);
  not_working = {"it is stopping"};
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(ready()["reasons"], json::array({"it is stopping"}));
}

TEST_F(WebCallsTest, ItIsNotReadyWhileTheDatabaseIsGoneAndReadyAgainWhenItIsBack) {
  sampler->start();
  clock().run_queued();
  daemon->executor.fail_always(DbError::Kind::connection);
  clock().run_for(15s);
  EXPECT_EQ(get("/readyz").status, 503);
  daemon->executor.stop_failing();
  clock().run_for(2min);
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(WebCallsTest, ItIsNotReadyWhileTheDatabaseHangs) {
  sampler->start();
  clock().run_queued();
  daemon->executor.set_latency(10min);
  clock().run_for(45s);
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(json::parse(get("/status").body)["ok"], false);
  EXPECT_THAT(get("/metrics").spell(), testing::HasSubstr("remitod_database_up 0"));
  daemon->executor.set_latency(0s);
  clock().run_for(20min);
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(WebCallsTest, TheOverviewIsOfTheLastSampleAndCostsTheDatabaseNothing) {
  sampler->start();
  clock().run_queued();
  const std::size_t works = daemon->executor.works();
  const json first = json::parse(get("/status").body);
  EXPECT_EQ(first["ok"], true);
  EXPECT_EQ(first["open_shipments"][0]["count"], 3);
  EXPECT_TRUE(json::parse(call("GET", "/status", {{"anything", ""}}).body).contains("sampled_at"));
  EXPECT_EQ(daemon->executor.works(), works);
  follow("chazki", "C4", "1002");
  daemon->intake.wake();
  clock().run_for(15s);
  const json second = json::parse(get("/status").body);
  EXPECT_EQ(second["open_shipments"][0]["count"], 4);
  EXPECT_GT(second["sampled_at"], first["sampled_at"]);
}

TEST_F(WebCallsTest, WithoutTheDatabaseTheOverviewTellsWhatItKnows) {
  sampler->start();
  clock().run_queued();
  daemon->executor.fail_always(DbError::Kind::connection);
  clock().run_for(15s);
  const json report = json::parse(get("/status").body);
  EXPECT_EQ(report["ok"], false);
  EXPECT_EQ(report["database"]["ok"], false);
  EXPECT_EQ(report["carriers"][0]["shipments"], 3);
  EXPECT_EQ(report["open_shipments"][0]["count"], 3) << "what it last was";
}

TEST_F(WebCallsTest, WhatTheControlSocketAnswersIsAnsweredHereToo) {
  const WebAnswer shipment = call("GET", "/status", {{"target", "chazki:C1"}});
  EXPECT_EQ(json::parse(shipment.body)["shipments"][0]["remito"], "C1");
  EXPECT_EQ(call("GET", "/status", {{"target", "chazki:C99"}}).status, 404);
  const WebAnswer resync = call("POST", "/resync", {}, R"({"target": "chazki"})");
  EXPECT_EQ(json::parse(resync.body)["shipments"], 3);
}

TEST_F(WebCallsTest, ANumberIsFoundAsAnOrderOrAsARemito) {
  const auto targets = [&](const std::string& text) {
    return json::parse(call("GET", "/find", {{"text", text}}).body)["targets"];
  };
  EXPECT_EQ(targets("1001"), json::array({"order:1001"}));
  EXPECT_EQ(targets("C2"), json::array({"chazki:C2"}));
  EXPECT_EQ(targets("nothing"), json::array());
  EXPECT_EQ(call("GET", "/find").status, 400);
}

TEST_F(WebCallsTest, TheLastDayOfACarrierIsTold) {
  activity.note("chazki", {3, 30, 1, 2}, monday + 7min);
  const json told = json::parse(call("GET", "/activity", {{"target", "chazki"}}).body);
  EXPECT_EQ(told["span_s"], 300);
  EXPECT_EQ(told["spans"], json::array({{{"begins_at", "2026-11-23T00:05:00Z"},
                                         {"requests", 3},
                                         {"polls", 30},
                                         {"failed_requests", 1},
                                         {"transitions", 2}}}));
  EXPECT_EQ(call("GET", "/activity", {{"target", "nobody"}}).status, 404);
}

TEST_F(WebCallsTest, AnswersThatWereKeptAreToldOfOneShipment) {
  database.session().begin();
  const db::RawAnswer kept{.carrier = "chazki",
                           .operation = "track",
                           .remito = "C1",
                           .why = "changed",
                           .http_status = 200,
                           .content_type = "application/json",
                           .body = "{\"a\": \"<b>\"}"};
  ASSERT_TRUE(db::keep_raw_answers(database.session(), {&kept, 1}, monday));
  database.session().commit();
  const json told = json::parse(call("GET", "/answers", {{"target", "chazki:C1"}}).body);
  EXPECT_EQ(told["answers"][0]["body"], "{\"a\": \"<b>\"}");
  EXPECT_EQ(json::parse(call("GET", "/answers", {{"target", "chazki:C2"}}).body)["answers"], json::array());
  EXPECT_EQ(call("GET", "/answers", {{"target", "chazki"}}).status, 400);
}

TEST_F(WebCallsTest, ManyLookupsAtOnceAreSentAway) {
  daemon->executor.set_latency(1s);
  int answered = 0, sent_away = 0;
  for (int i = 0; i < 100; ++i)
    (*calls)({{"GET", "/status", {{"target", "chazki:C1"}}, ""}, "", ""},
             [&](const WebAnswer& answer) { ++(answer.status == 200 ? answered : sent_away); });
  EXPECT_EQ(sent_away, 84);
  clock().run_for(100s);
  EXPECT_EQ(answered, 16);
  daemon->executor.set_latency(0s);
  EXPECT_EQ(call("GET", "/status", {{"target", "chazki:C1"}}).status, 200) << "there is room again";
}

}  // namespace
}  // namespace remitod::test
