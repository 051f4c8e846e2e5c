// A carrier that lists what changed, and a daemon that asks it, on a virtual clock.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/feed_poller.h"
#include "tests/carriers/small_profile.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {

inline const std::string beginning = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
[limits]
requests_per_second = 10.0
concurrency = 2
)toml";
inline const std::string login = R"toml(
[auth]
kind = "login"
headers = { X-Token = "{{session.token}}" }
[auth.login]
url = "{{base_url}}/login"
[auth.login.answer]
format = "json"
[auth.login.answer.session]
token = "/json/token"
)toml";
inline const std::string feed = R"toml(
[feed]
url = "{{base_url}}/changes?since={{#since_utc}}%Y%m%d%H%M%S{{/since_utc}}&until={{#until_utc}}%Y%m%d%H%M%S{{/until_utc}}&page={{page}}"
[feed.paging]
kind = "page"
more = "/json/more = 'true'"
pages_max = 5
[feed.answer]
format = "json"
shipments = "/json/rows"
remito = "n"
events = "."
[feed.event]
code = "c"
time = "t"
formats = ["iso"]
[[feed.status]]
code = "picked"
status = "picked_up"
[[feed.status]]
code = "moving"
status = "in_transit"
[[feed.status]]
code = "done"
status = "delivered"
)toml";
inline const std::string track = R"toml(
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
events = "/json/events"
[track.event]
code = "c"
time = "t"
formats = ["iso"]
[[track.status]]
code = "picked"
status = "picked_up"
)toml";

struct Window {
  Instant since, until;
};

/// Lists what it published in the window that it is asked about, so many rows to a page.
class FeedCarrier {
 public:
  carriers::FetchResult operator()(const carriers::HttpRequest& request) {
    if (request.url.ends_with("/login")) return json(R"({"token":"token-)" + std::to_string(++logins) + "\"}");
    if (request.url.contains("/track/")) return json(R"({"events":[]})");
    const auto page = std::stoul(request.url.substr(request.url.find("page=") + 5));
    const Window asked{time_in(request.url, "since="), time_in(request.url, "until=")};
    if (page == 1) windows.push_back(asked);
    if (wants_token &&
        std::ranges::find(request.headers, "X-Token: token-" + std::to_string(logins)) == request.headers.end())
      return json("{}", 401);
    if (trouble && page >= trouble_from_page) return *trouble;
    std::vector<std::string> rows;
    for (const auto& [published, row] : changes_)
      if (published >= asked.since && published < asked.until) rows.push_back(row);
    std::string text;
    for (std::size_t i = (page - 1) * page_size; i < std::min(page * page_size, rows.size()); ++i)
      text += (text.empty() ? "" : ",") + rows[i];
    return json(R"({"more":)" + std::string(page * page_size < rows.size() ? "true" : "false") + R"(,"rows":[)" + text +
                "]}");
  }
  void publish(Instant at, const std::string& remito, const std::string& code) {
    publish_at(at, remito, code, to_iso8601(at));
  }
  void publish_at(Instant at, const std::string& remito, const std::string& code, const std::string& event_time) {
    changes_.emplace_back(at, R"({"n":")" + remito + R"(","c":")" + code + R"(","t":")" + event_time + "\"}");
  }

  std::vector<Window> windows;  ///< asked about
  std::optional<carriers::FetchResult> trouble;
  std::size_t trouble_from_page = 1;
  std::size_t page_size = 100;
  int logins = 0;
  bool wants_token = false;

 private:
  static carriers::FetchResult json(const std::string& body, int status = 200) {
    return http_answer(status, body, "application/json");
  }
  static Instant time_in(const std::string& url, const std::string& name) {
    const std::string text = url.substr(url.find(name) + name.size(), 14);
    return *from_iso8601(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2) + "T" +
                         text.substr(8, 2) + ":" + text.substr(10, 2) + ":" + text.substr(12, 2) + "Z");
  }
  std::vector<std::pair<Instant, std::string>> changes_;
};

struct FeedPollerTest : testing::Test, VirtualWorld {
  FeedPollerTest() {
    carriers.serve([this](const carriers::HttpRequest& request, Instant) { return carrier(request); });
  }
  void begin(const std::string& profile_text = beginning + feed, bool shadow = false,
             const std::function<void(scheduler::LaneConfig&)>& change = {}) {
    daemon->add_carrier(load_small_profile(profile_text), change, shadow);
    daemon->start();
  }
  /// A crash, and a new process.
  void begin_again(const std::string& profile_text = beginning + feed, bool shadow = false) {
    restart();
    carrier.windows.clear();
    begin(profile_text, shadow);
  }
  const daemon::FeedCounters& counters() { return daemon->feeds.carriers().front().counters; }
  Instant position() {
    return from_micros(database.number("select asked_until from feed_positions where carrier = 'test'"));
  }
  std::size_t asked_of(const std::string& path) {
    return static_cast<std::size_t>(std::ranges::count_if(
        carriers.sent(), [&](const SentRequest& sent) { return sent.request.url.contains(path); }));
  }

  FeedCarrier carrier;
};

}  // namespace remitod::test
