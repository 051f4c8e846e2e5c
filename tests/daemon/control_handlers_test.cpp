#include "daemon/control_handlers.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using daemon::ControlAnswer;
using daemon::ControlRequest;
using db::DbError;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

struct ControlHandlersTest : testing::Test, VirtualWorld {
  ControlHandlersTest() {
    daemon->add_carrier("chazki");
    for (int i = 1; i <= 3; ++i) follow("chazki", "C" + std::to_string(i), "1001");
    daemon->start();
    handlers = std::make_unique<daemon::ControlHandlers>(
        daemon::ControlHandlers::Parts{daemon->runtime, daemon->executor, daemon->poller, daemon->worker,
                                       daemon->outbox, daemon->resync, daemon->intake, "sqlite", monday});
  }
  ControlAnswer call(const ControlRequest& request) {
    std::optional<ControlAnswer> answer;
    (*handlers)(request, [&](ControlAnswer given) {
      EXPECT_FALSE(answer) << "answered twice";
      answer = std::move(given);
    });
    clock().run_queued();
    EXPECT_TRUE(answer) << "not answered";
    return answer.value_or(ControlAnswer{0, "{}"});
  }
  ControlAnswer resync(const std::string& body) { return call({"POST", "/resync", {}, body}); }
  json status() { return json::parse(call({"GET", "/status", {}, ""}).body); }

  std::unique_ptr<daemon::ControlHandlers> handlers;
};

TEST_F(ControlHandlersTest, StatusTellsOfEveryCarrier) {
  const json report = status();
  EXPECT_EQ(report["ok"], true);
  ASSERT_EQ(report["carriers"].size(), 1u);
  EXPECT_EQ(report["carriers"][0]["carrier"], "chazki");
  EXPECT_EQ(report["carriers"][0]["shipments"], 3);
}

TEST_F(ControlHandlersTest, StatusAnswersWhileTheDatabaseDoesNot) {
  daemon->executor.fail_always(DbError::Kind::connection);
  const json report = status();
  EXPECT_EQ(report["ok"], false);
  EXPECT_THAT(report["degraded"].dump(), HasSubstr("database"));
}

TEST_F(ControlHandlersTest, StatusOfAShipmentTellsWhenItIsAskedNext) {
  const ControlAnswer answer = call({"GET", "/status", {{"target", "chazki:C1"}}, ""});
  ASSERT_EQ(answer.status, 200);
  const json shipment = json::parse(answer.body)["shipments"][0];
  EXPECT_EQ(shipment["remito"], "C1");
  EXPECT_TRUE(shipment["last_asked"].is_null());
  EXPECT_TRUE(shipment["next_due"].is_string());
  EXPECT_EQ(json::parse(call({"GET", "/status", {{"target", "order:1001"}}, ""}).body)["shipments"].size(), 3u);
}

TEST_F(ControlHandlersTest, ATargetOfNothingIsNotFoundAndOneThatIsNoneIsRefused) {
  EXPECT_EQ(call({"GET", "/status", {{"target", "chazki:C99"}}, ""}).status, 404);
  EXPECT_EQ(call({"GET", "/status", {{"target", "order:99"}}, ""}).status, 404);
  EXPECT_EQ(call({"GET", "/status", {{"target", "all"}}, ""}).status, 400);
  EXPECT_EQ(call({"GET", "/status", {{"target", "chazki"}}, ""}).status, 400);
  EXPECT_EQ(call({"GET", "/status", {{"target", ""}}, ""}).status, 400);
}

TEST_F(ControlHandlersTest, ACallThatDoesNotExistIsNotFound) {
  EXPECT_EQ(call({"GET", "/", {}, ""}).status, 404);
  EXPECT_EQ(call({"POST", "/status", {}, ""}).status, 404);
  EXPECT_EQ(call({"DELETE", "/resync", {}, ""}).status, 404);
  EXPECT_THAT(call({"GET", "/\x1B\xFF", {}, ""}).body, HasSubstr("no such call"));
}

TEST_F(ControlHandlersTest, AResyncIsTakenUpAndItsProgressTold) {
  const ControlAnswer answer = resync(R"({"target": "chazki"})");
  ASSERT_EQ(answer.status, 200);
  const json begun = json::parse(answer.body);
  EXPECT_EQ(begun["shipments"], 3);
  EXPECT_EQ(begun["carriers"]["chazki"], 3);
  clock().run_for(5s);
  const json progress =
      json::parse(call({"GET", "/resync", {{"id", std::to_string(begun["resync_id"].get<int>())}}, ""}).body);
  EXPECT_EQ(progress["finished"], true);
  EXPECT_EQ(progress["done"], 3);
}

TEST_F(ControlHandlersTest, ADryRunAsksNobody) {
  const ControlAnswer answer = resync(R"({"target": "all", "dry_run": true})");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body)["shipments"], 3);
  clock().run_for(10s);
  EXPECT_THAT(carriers.sent(), IsEmpty());
  EXPECT_EQ(count("resync_requests"), 0);
}

TEST_F(ControlHandlersTest, WhatIsNoResyncIsRefusedAndNothingIsWritten) {
  for (const char* body :
       {"", "[]", "{", "\xFF", "{}", R"({"target": 7})", R"({"target": "order:"})", R"({"target": "nobody"})",
        R"({"target": "all", "since": "yesterday"})", R"({"target": "all", "since": 7})",
        R"({"target": "all", "dry_run": "yes"})", R"({"target": "all", "dry-run": true})"})
    EXPECT_EQ(resync(body).status, 400) << body;
  EXPECT_EQ(resync(R"({"target": "chazki:C99"})").status, 404);
  EXPECT_EQ(count("resync_requests"), 0);
}

TEST_F(ControlHandlersTest, WithoutTheDatabaseAResyncIsNotAccepted) {
  daemon->executor.fail_always(DbError::Kind::connection);
  EXPECT_EQ(resync(R"({"target": "all"})").status, 503);
  EXPECT_EQ(call({"GET", "/status", {{"target", "chazki:C1"}}, ""}).status, 503);
}

TEST_F(ControlHandlersTest, ProgressOfNothingIsNothing) {
  for (const char* id : {"7", "", "x", "99999999999999999999"}) {
    const json progress = json::parse(call({"GET", "/resync", {{"id", id}}, ""}).body);
    EXPECT_EQ(progress["finished"], false) << id;
    EXPECT_TRUE(progress["shipments"].is_null()) << id;
  }
}

}  // namespace
}  // namespace remitod::test
