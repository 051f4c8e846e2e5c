// What the control socket answers, asked without a socket.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "daemon/control_handlers.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {

struct ControlHandlersTest : testing::Test, VirtualWorld {
  ControlHandlersTest() {
    daemon->add_carrier("chazki");
    for (int i = 1; i <= 3; ++i) follow("chazki", "C" + std::to_string(i), "1001");
    daemon->start();
    handlers = std::make_unique<daemon::ControlHandlers>(daemon::ControlHandlers::Parts{
        daemon->runtime, daemon->executor, daemon->poller, daemon->worker, daemon->outbox, daemon->resync,
        daemon->intake, trials, daemon->sinks, daemon->reread, "sqlite", monday, [this] { return listener_trouble; }});
  }
  daemon::ControlAnswer call(const daemon::ControlRequest& request) {
    std::optional<daemon::ControlAnswer> answer;
    (*handlers)(request, [&](daemon::ControlAnswer given) {
      EXPECT_FALSE(answer) << "answered twice";
      answer = std::move(given);
    });
    clock().run_queued();
    EXPECT_TRUE(answer) << "not answered";
    return answer.value_or(daemon::ControlAnswer{0, "{}"});
  }
  daemon::ControlAnswer resync(const std::string& body) { return call({"POST", "/resync", {}, body}); }
  nlohmann::json status() { return nlohmann::json::parse(call({"GET", "/status", {}, ""}).body); }
  /// A request of that moment, which is not due for an hour.
  void insert_tried(const std::string& key, const std::string& carrier, const std::string& state, Instant requested_at,
                    int attempts, const std::string& why) {
    const std::string at = std::to_string(to_micros(requested_at));
    database.sql(
        "insert into remito_requests (request_key, order_number, carrier, state, accepted_at, requested_at, retry_at, "
        "attempts, refusal_text) values ('" +
        key + "', '" + key + "', '" + carrier + "', '" + state + "', " + at + ", " + at + ", " +
        std::to_string(to_micros(monday + 1h)) + ", " + std::to_string(attempts) + ", '" + why + "')");
  }

  /// A cancellation of that moment, likewise.
  void insert_cancel(const std::string& key, const std::string& carrier, const std::string& state, Instant accepted_at,
                     int attempts, const std::string& why) {
    const std::string at = std::to_string(to_micros(accepted_at));
    database.sql(
        "insert into cancel_requests (request_key, order_number, carrier, state, accepted_at, retry_at, attempts, "
        "refusal_text) values ('" +
        key + "', '" + key + "', '" + carrier + "', '" + state + "', " + at + ", " +
        std::to_string(to_micros(monday + 1h)) + ", " + std::to_string(attempts) + ", '" + why + "')");
  }

  daemon::CarrierTrials trials{daemon->runtime,
                               daemon->transport,
                               daemon->mapper,
                               {[this](std::string_view carrier) { return daemon->poller.spare_requests(carrier); },
                                [this](std::string_view carrier) { daemon->poller.request_sent(carrier); },
                                [this](std::string_view carrier) { daemon->poller.request_answered(carrier); }}};
  std::optional<daemon::Trouble> listener_trouble;
  std::unique_ptr<daemon::ControlHandlers> handlers;
};

}  // namespace remitod::test
