// What the tests of remitos that do not come with the call share.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "tests/carriers/small_profile.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {

inline const std::string head_of_all = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
[limits]
requests_per_second = 100.0
concurrency = 4
)toml";

struct RemitoWays : testing::Test, VirtualWorld {
  static carriers::FetchResult json(const std::string& body, int status = 200) {
    return http_answer(status, body, "application/json");
  }
  void start(const std::string& profile) {
    profile_ = profile;
    daemon->add_carrier(load_small_profile(profile));
    daemon->start();
  }
  void crash() {
    restart();
    start(profile_);
  }
  void ask(const std::string& order, const std::string& payload = R"({"recipient": {"name": "Ana"}})") {
    ask_remito("test", order, payload);
    daemon->intake.wake();
  }
  void state_range(const std::string& first, const std::string& last) {
    database.sql("insert into remito_ranges (carrier, first_number, last_number) values ('test', '" + first + "', '" +
                 last + "')");
    daemon->intake.wake();
  }
  std::string of(const std::string& order, const std::string& column) {
    return database.text("select " + column + " from remito_requests where order_number = '" + order + "'");
  }
  std::string state(const std::string& order = "1") { return of(order, "state"); }
  std::string remito(const std::string& order = "1") { return of(order, "remito"); }
  std::int64_t ready_to_ship() { return count("transitions where to_status = 'ready_to_ship'"); }
  std::size_t sent_to(const std::string& path) {
    return static_cast<std::size_t>(std::ranges::count_if(
        carriers.sent(), [&](const SentRequest& sent) { return sent.request.url.contains(path); }));
  }
  const std::string& last_url() { return carriers.sent().back().request.url; }

  /// Gives blocks of 20, and makes a shipment of whatever number it is told.
  carriers::FetchResult ranges_carrier() {
    if (!last_url().contains("/range/")) return json(R"({"ok":true})");
    const int first = 1000 + 20 * blocks_++;
    return json(R"({"first":")" + std::to_string(first) + R"(","last":")" + std::to_string(first + 19) + "\"}");
  }
  void give_ranges() {
    carriers.always("test", [this](const Asked&, Instant) { return ranges_carrier(); });
  }

  std::string profile_;
  int blocks_ = 0;
};

}  // namespace remitod::test
