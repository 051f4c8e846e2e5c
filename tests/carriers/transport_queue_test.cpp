// Who goes next: order within a carrier, turns between carriers, places and deadlines.
#include "carriers/transport_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace remitod::carriers {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr TransportQueue::Time start{};

std::shared_ptr<const TransportOptions> carrier(long connections, std::chrono::milliseconds timeout = 60s) {
  auto options = std::make_shared<TransportOptions>();
  options->connections_per_host_max = connections;
  options->total_timeout = timeout;
  return options;
}

Submission request(std::shared_ptr<const TransportOptions> options, std::string url) {
  return {.request = {.url = std::move(url), .headers = {}, .body = {}, .options = std::move(options)},
          .done = [](const FetchResult&) {}};
}

std::vector<std::string> pop_all(TransportQueue& queue) {
  std::vector<std::string> urls;
  while (auto next = queue.pop()) urls.push_back(next->submission.request.url);
  return urls;
}

TEST(TransportQueue, OneCarriersRequestsKeepTheirOrder) {
  TransportQueue queue(10);
  const auto only = carrier(10);
  for (const char* url : {"1", "2", "3"}) queue.push(request(only, url), start);
  EXPECT_THAT(pop_all(queue), ElementsAre("1", "2", "3"));
}

TEST(TransportQueue, CarriersTakeTurns) {
  TransportQueue queue(10);
  const auto loud = carrier(10);
  const auto quiet = carrier(10);
  for (const char* url : {"loud 1", "loud 2", "loud 3"}) queue.push(request(loud, url), start);
  queue.push(request(quiet, "quiet 1"), start);
  EXPECT_THAT(pop_all(queue), ElementsAre("loud 1", "quiet 1", "loud 2", "loud 3"));
}

TEST(TransportQueue, CarrierWithoutAFreeConnectionDoesNotHoldUpAnother) {
  TransportQueue queue(10);
  const auto narrow = carrier(1);
  const auto other = carrier(1);
  queue.push(request(narrow, "narrow 1"), start);
  queue.push(request(narrow, "narrow 2"), start);
  queue.push(request(other, "other 1"), start);
  EXPECT_THAT(pop_all(queue), ElementsAre("narrow 1", "other 1"));
  EXPECT_FALSE(queue.can_pop());
  queue.release(*narrow);
  EXPECT_TRUE(queue.can_pop());
  EXPECT_THAT(pop_all(queue), ElementsAre("narrow 2"));
}

TEST(TransportQueue, FreedPlaceGoesToTheCarrierThatWaitedLonger) {
  TransportQueue queue(1);
  const auto first = carrier(10);
  const auto second = carrier(10);
  queue.push(request(first, "first 1"), start);
  queue.push(request(first, "first 2"), start);
  queue.push(request(second, "second 1"), start);
  EXPECT_THAT(pop_all(queue), ElementsAre("first 1"));
  queue.release(*first);
  EXPECT_THAT(pop_all(queue), ElementsAre("second 1"));
}

TEST(TransportQueue, NoConnectionsAtAllMeansOne) {
  TransportQueue queue(10);
  const auto none = carrier(0);
  queue.push(request(none, "1"), start);
  EXPECT_THAT(pop_all(queue), ElementsAre("1"));
}

TEST(TransportQueue, OnlyWhatIsPastItsDeadlineExpires) {
  TransportQueue queue(0);
  std::vector<Completion> expired;
  EXPECT_EQ(queue.next_expiry(), std::nullopt);
  queue.push(request(carrier(1, 500ms), "patient"), start);
  queue.push(request(carrier(1, 100ms), "hasty"), start);
  EXPECT_EQ(queue.next_expiry(), start + 100ms);
  queue.expire(start + 99ms, expired);
  EXPECT_EQ(expired.size(), 0U);
  queue.expire(start + 100ms, expired);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].result.error().kind, FetchError::Kind::timeout);
  EXPECT_TRUE(expired[0].result.error().provably_unsent);
  EXPECT_EQ(queue.next_expiry(), start + 500ms);
}

TEST(TransportQueue, StopAnswersAllThatWaitAsUnsent) {
  TransportQueue queue(1);
  const auto only = carrier(1);
  for (const char* url : {"1", "2", "3"}) queue.push(request(only, url), start);
  EXPECT_THAT(pop_all(queue), ElementsAre("1"));
  std::vector<Completion> stopped;
  queue.stop(stopped);
  ASSERT_EQ(stopped.size(), 2U);
  EXPECT_EQ(stopped[0].result.error().kind, FetchError::Kind::stopped);
  EXPECT_TRUE(stopped[0].result.error().provably_unsent);
  queue.release(*only);
  EXPECT_FALSE(queue.can_pop());
}

RC_GTEST_PROP(TransportQueue, WhateverHappensNothingIsLostAndNoLimitIsPassed, ()) {
  const auto in_flight_max = *rc::gen::inRange<std::size_t>(1, 6);
  std::vector<std::shared_ptr<const TransportOptions>> carriers;
  for (int i = 0; i < 3; ++i) carriers.push_back(carrier(*rc::gen::inRange(1, 4), 10ms * *rc::gen::inRange(1, 10)));
  TransportQueue queue(in_flight_max);
  TransportQueue::Time now = start;
  std::size_t pushed = 0, popped = 0;
  std::vector<Completion> expired;
  std::multiset<const TransportOptions*> running;

  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 12))) {
    const auto& one = carriers[static_cast<std::size_t>(step) % carriers.size()];
    if (step < 6) {
      queue.push(request(one, std::to_string(pushed++)), now);
    } else if (step < 9) {
      const bool could = queue.can_pop();
      const auto next = queue.pop();
      RC_ASSERT(could == next.has_value());
      if (!next) continue;
      running.insert(next->submission.request.options.get());
      ++popped;
    } else if (const auto found = running.find(one.get()); step < 11 && found != running.end()) {
      queue.release(*one);
      running.erase(found);
    } else {
      now += 25ms;
      queue.expire(now, expired);
      RC_ASSERT(queue.next_expiry().value_or(TransportQueue::Time::max()) > now);
    }
    RC_ASSERT(running.size() <= in_flight_max);
    for (const auto& options : carriers)
      RC_ASSERT(running.count(options.get()) <= static_cast<std::size_t>(options->connections_per_host_max));
  }
  std::vector<Completion> stopped;
  queue.stop(stopped);
  RC_ASSERT(popped + expired.size() + stopped.size() == pushed);
}

}  // namespace
}  // namespace remitod::carriers
