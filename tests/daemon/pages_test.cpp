// Answers that come in pages: asked for one after the other, read as one.
#include <gmock/gmock.h>

#include "tests/carriers/small_profile.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using carriers::FetchResult;
using carriers::HttpRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::string profile_text = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
[limits]
requests_per_second = 2.0
concurrency = 2
[track]
url = "{{base_url}}/track/{{remito}}?page={{page}}"
[track.paging]
kind = "page"
more = "/json/more = 'true'"
pages_max = 5
[track.answer]
format = "json"
shipments = "/json/shipment"
remito = "number"
events = "events"
[track.event]
code = "code"
time = "at"
formats = ["iso"]
[[track.status]]
code = "picked"
status = "picked_up"
[[track.status]]
code = "moving"
status = "in_transit"
[[track.status]]
code = "done"
status = "delivered"
)toml";

FetchResult page(const std::string& event, bool more) {
  return http_answer(
      200,
      R"({"more":)" + std::string(more ? "true" : "false") + R"(,"shipment":{"number":"T1","events":[)" + event + "]}}",
      "application/json");
}
const std::string picked = R"({"code":"picked","at":"2026-11-22T10:00:00Z"})";
const std::string moving = R"({"code":"moving","at":"2026-11-22T12:00:00Z"})";
const std::string done = R"({"code":"done","at":"2026-11-22T15:00:00Z"})";

struct PagesTest : testing::Test, VirtualWorld {
  void follow_one(std::vector<FetchResult> pages, const std::string& profile = profile_text) {
    pages_ = std::move(pages);
    carriers.serve([this](const HttpRequest& request, Instant) {
      const std::size_t number = std::stoul(request.url.substr(request.url.find('=') + 1));
      return number <= pages_.size() ? pages_[number - 1] : http_answer(500, "no such page", "text/plain");
    });
    daemon->add_carrier(load_small_profile(profile));
    follow("test", "T1");
    daemon->start();
  }
  std::vector<std::string> urls() {
    std::vector<std::string> result;
    for (const SentRequest& sent : carriers.sent()) result.push_back(sent.request.url.substr(23));
    return result;
  }
  const daemon::PollCounters& counters() { return daemon->poller.carriers().front().counters; }

  std::vector<FetchResult> pages_;
};

TEST_F(PagesTest, WhatSeveralPagesTellIsOneReport) {
  follow_one({page(picked, true), page(moving, true), page(done, false)});
  clock().run_for(61min);
  EXPECT_THAT(urls(), ElementsAre("/track/T1?page=1", "/track/T1?page=2", "/track/T1?page=3"));
  EXPECT_EQ(told("T1"), "registered>picked_up picked_up>in_transit in_transit>delivered");
  EXPECT_EQ(counters().polls, 1u);
  EXPECT_EQ(counters().mapped, 1u);
}

TEST_F(PagesTest, TheNextPollBeginsWithTheFirstPageAndSeesANewEventOnAnyOfThem) {
  follow_one({page(picked, true), page("", false)});
  clock().run_for(61min);
  EXPECT_EQ(told("T1"), "registered>picked_up");
  carriers.forget_sent();
  pages_[1] = page(moving, false);
  clock().run_for(60min);
  EXPECT_THAT(urls(), ElementsAre("/track/T1?page=1", "/track/T1?page=2"))
      << "the bytes of the first page are known, and say nothing of the second";
  EXPECT_EQ(told("T1"), "registered>picked_up picked_up>in_transit");
}

TEST_F(PagesTest, HalfAnAnswerIsNoAnswer) {
  follow_one({page(picked, true), http_answer(503, "busy", "text/plain")});
  clock().run_for(61min);
  EXPECT_EQ(told("T1"), "");
  EXPECT_THAT(counters().last_error, HasSubstr("http_status: HTTP 503"));
}

TEST_F(PagesTest, MorePagesThanTheProfileAllowsAreTroubleAndNoneOfThemIsBelieved) {
  follow_one(std::vector<FetchResult>(100, page(picked, true)));
  clock().run_for(10min);
  ASSERT_TRUE(clock().run_until_true([&] { return counters().failed_requests == 1; }, monday + 2h));
  EXPECT_THAT(carriers.sent(), SizeIs(5));
  EXPECT_THAT(counters().last_error, HasSubstr("more than 5 pages"));
  EXPECT_EQ(told("T1"), "");
}

TEST_F(PagesTest, PagesWaitForTheCarriersRateLikeOtherRequests) {
  std::string slow = replaced(profile_text, "requests_per_second = 2.0", "requests_per_second = 0.1");
  follow_one({page(picked, true), page(moving, true), page(done, false)}, slow);
  follow("test", "T2");
  daemon->intake.wake();
  clock().run_for(61min);
  EXPECT_THAT(carriers.sent(), SizeIs(6));
  expect_rate(carriers.sent(), 0.1);
}

TEST_F(PagesTest, PagesWaitWhileTheCarrierWantsToBeLeftAlone) {
  auto throttled = http_answer(429, "{}", "application/json");
  throttled->retry_after = 1h;
  follow("test", "T0", "1000");
  follow_one({page(picked, true), page(done, false)},
             replaced(profile_text, "requests_per_second = 2.0", "requests_per_second = 0.1"));
  carriers.set_latency(15s);  // so that the first page is under way when the other shipment's answer comes
  carriers.serve([this, throttled](const HttpRequest& request, Instant) {
    if (request.url.contains("/T0")) return throttled;
    return pages_[request.url.ends_with("=1") ? 0 : 1];
  });
  daemon->poller.mark_resync(std::vector<db::ResyncScope>{{1, "test"}, {2, "test"}});
  clock().run_for(59min);
  EXPECT_THAT(urls(), ElementsAre("/track/T0?page=1", "/track/T1?page=1"));
  clock().run_for(2min);
  EXPECT_EQ(told("T1"), "registered>picked_up picked_up>in_transit~ in_transit>delivered");
}

TEST_F(PagesTest, AfterARestPagesKeepTheCarriersRateToo) {
  auto throttled = http_answer(429, "{}", "application/json");
  throttled->retry_after = 1h;
  std::vector<db::ResyncScope> all{{1, "test"}};
  follow("test", "T0", "1000");
  for (int i = 2; i <= 5; ++i) {
    follow("test", "T" + std::to_string(i), std::to_string(1000 + i));
    all.push_back({i, "test"});
  }
  follow_one({}, replaced(replaced(profile_text, "requests_per_second = 2.0", "requests_per_second = 0.1"),
                          "concurrency = 2", "concurrency = 8"));
  carriers.set_latency(60s);  // all first pages are under way when the one that wants rest comes
  carriers.serve([throttled](const HttpRequest& request, Instant) {
    if (request.url.contains("/T0")) return throttled;
    return page("", request.url.ends_with("=1"));
  });
  daemon->poller.mark_resync(all);
  clock().run_for(70min);
  EXPECT_EQ(std::ranges::count_if(urls(), [](const std::string& url) { return url.ends_with("=2"); }), 4);
  expect_rate(carriers.sent(), 0.1);
}

TEST_F(PagesTest, AClockThatIsSetBackHoldsUpNoPage) {
  follow_one({page(picked, true), page(done, false)},
             replaced(profile_text, "requests_per_second = 2.0", "requests_per_second = 0.01"));
  ASSERT_TRUE(clock().run_until_true([&] { return carriers.sent().size() == 1; }, monday + 2h));
  clock().run_for(10s);
  ASSERT_THAT(carriers.sent(), SizeIs(1)) << "the next page waits for the rate";
  clock().set_clock_error(-30 * 24h);
  clock().run_for(5min);
  EXPECT_THAT(urls(), ElementsAre("/track/T1?page=1", "/track/T1?page=2"));
}

TEST_F(PagesTest, AStopDoesNotWaitForPagesThatTheRateHoldsBack) {
  follow_one({page(picked, true), page(done, false)},
             replaced(profile_text, "requests_per_second = 2.0", "requests_per_second = 0.001"));
  ASSERT_TRUE(clock().run_until_true([&] { return carriers.sent().size() == 1; }, monday + 2h));
  EXPECT_TRUE(daemon->stop());
  EXPECT_THAT(carriers.sent(), SizeIs(1));
  EXPECT_EQ(counters().failed_requests, 0u);
}

TEST_F(PagesTest, AStopBetweenTwoPagesComesToItsEnd) {
  follow_one({page(picked, true), page(done, false)},
             replaced(profile_text, "requests_per_second = 2.0", "requests_per_second = 20.0"));
  ASSERT_TRUE(clock().run_until_true([&] { return carriers.sent().size() == 1; }, monday + 2h));
  EXPECT_TRUE(daemon->stop());
  EXPECT_THAT(carriers.sent(), SizeIs(2));
  EXPECT_EQ(told("T1"), "registered>picked_up picked_up>in_transit~ in_transit>delivered");
}

}  // namespace
}  // namespace remitod::test
