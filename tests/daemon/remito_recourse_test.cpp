// Calls that ended without a clear answer: found at the carrier, sent again where it promises one shipment for a key,
// or left to a person.
#include <gmock/gmock.h>

#include <map>

#include "tests/carriers/small_profile.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using carriers::FetchError;
using carriers::FetchResult;
using testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

const std::string create = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
[limits]
requests_per_second = 100.0
concurrency = 4
[create.answer]
format = "json"
granted = "/json/number"
refused = "/json/why"
remito = "/json/number"
refusal_text = "/json/why"
[create]
method = "POST"
url = "{{base_url}}/create/{{client_ref}}"
)toml";

const std::string bare = create;
const std::string one_for_a_key = create + R"toml(
is_idempotent_by = "client_ref"
key_window = "24 h"
)toml";
const std::string find = R"toml(
[find]
url = "{{base_url}}/find/{{client_ref}}"
visible_after = "2 min"
[find.answer]
format = "json"
found = "/json/shipments"
not_found = "/json/none"
shipments = "/json/shipments"
remito = "number"
reference = "reference"
parcels = "parcels"
)toml";

FetchResult json(const std::string& body, int status = 200) {
  return http_answer(status, body, "application/json");
}

struct RemitoRecourse : testing::Test, VirtualWorld {
  /// What happens to a create request on its way back.
  enum class Way { clear, lost, never_arrived, error_after, error_before };

  RemitoRecourse() {
    // A carrier's clock is right, whatever is made of the daemon's.
    carriers.serve(
        [this](const carriers::HttpRequest& request, Instant) { return answer(request, clock().true_now()); });
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
  void ask(const std::string& order = "1", const std::string& payload = R"({"parcels": [{"quantity": 2}]})") {
    ask_remito("test", order, payload);
    daemon->intake.wake();
  }
  std::string of(const std::string& column, const std::string& order = "1") {
    return database.text("select " + column + " from remito_requests where order_number = '" + order + "'");
  }
  std::string state() { return of("state"); }
  std::int64_t ready_to_ship() { return count("transitions where to_status = 'ready_to_ship'"); }
  std::size_t sent_to(const std::string& path) {
    return static_cast<std::size_t>(std::ranges::count_if(
        carriers.sent(), [&](const SentRequest& sent) { return sent.request.url.contains(path); }));
  }

  FetchResult answer(const carriers::HttpRequest& request, Instant now) {
    const std::string reference = request.url.substr(request.url.rfind('/') + 1);
    if (request.url.contains("/find/")) return search(reference, now);
    const Way way = ways_.empty() ? Way::clear : ways_.front();
    if (!ways_.empty()) ways_.erase(ways_.begin());
    if (way == Way::never_arrived) return fetch_error(FetchError::Kind::timeout);
    if (way == Way::error_before) return json("{}", 502);
    const std::string number = make(reference, now);
    if (way == Way::lost) return fetch_error(FetchError::Kind::timeout);
    if (way == Way::error_after) return json("{}", 503);
    return json(R"({"number":")" + number + "\"}");
  }
  /// One shipment for a key where the carrier promises that; else one for each call.
  std::string make(const std::string& reference, Instant now) {
    auto& made = made_[reference];
    if (made.empty() || !profile_.contains("key_window")) made.push_back({"N" + std::to_string(++numbers_), now});
    return made.back().number;
  }
  FetchResult search(const std::string& reference, Instant now) {
    if (!find_works_) return json("{}", 500);
    std::string rows;
    for (const Made& one : made_[reference])
      if (now >= one.at + lag_)
        rows += (rows.empty() ? "" : ",") + (R"({"number":")" + one.number) + R"(","reference":")" + reference +
                R"(","parcels":)" + std::to_string(parcels_) + "}";
    return json(rows.empty() ? R"({"none":true})" : R"({"shipments":[)" + rows + "]}");
  }
  std::size_t made() {
    std::size_t count = 0;
    for (const auto& [reference, shipments] : made_) count += shipments.size();
    return count;
  }

  struct Made {
    std::string number;
    Instant at;
  };
  std::map<std::string, std::vector<Made>> made_;
  std::vector<Way> ways_;
  std::string profile_;
  std::chrono::seconds lag_{60};
  int numbers_ = 0, parcels_ = 2;
  bool find_works_ = true;
};

using Way = RemitoRecourse::Way;

TEST_F(RemitoRecourse, WhatTheCarrierMadeIsFoundAndAdopted) {
  start(bare + find);
  ways_ = {Way::lost};
  ask();
  clock().run_for(30s);
  EXPECT_EQ(state(), "unknown");
  clock().run_for(2min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(of("remito"), "N1");
  EXPECT_EQ(ready_to_ship(), 1);
  EXPECT_EQ(made(), 1u);
  EXPECT_EQ(sent_to("/create/"), 1u);
  EXPECT_EQ(daemon->worker.counters().adopted, 1u);
  EXPECT_GE(sent_to("/find/"), 2u) << "it was not visible at once";
  const std::size_t looks = sent_to("/find/");
  clock().run_for(24h);
  EXPECT_EQ(sent_to("/find/"), looks);
}

TEST_F(RemitoRecourse, AMissIsBelievedAfterTheLagAndThenItIsSentAnew) {
  start(bare + find);
  ways_ = {Way::never_arrived};
  ask();
  clock().run_for(110s);
  EXPECT_EQ(sent_to("/create/"), 1u);
  EXPECT_EQ(state(), "unknown");
  clock().run_for(30s);
  EXPECT_EQ(sent_to("/create/"), 2u);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(made(), 1u);
  EXPECT_EQ(ready_to_ship(), 1);
}

TEST_F(RemitoRecourse, AClockThatIsSetForwardMakesNoMissCountEarlier) {
  start(bare + find);
  ways_ = {Way::lost};
  ask();
  clock().run_for(10s);
  ASSERT_EQ(state(), "unknown");
  clock().set_clock_error(1h);
  clock().run_for(30s);
  EXPECT_EQ(sent_to("/create/"), 1u);
  clock().run_for(3min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(of("remito"), "N1");
  EXPECT_EQ(made(), 1u);
}

TEST_F(RemitoRecourse, AClockThatIsSetForwardAfterACrashInTheCallMakesNoMissCountEarlier) {
  carriers.set_latency(10s);
  lag_ = 119s;
  start(bare + find);
  ask();
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1min));
  crash();
  carriers.set_latency(1s);
  clock().run_for(10s);
  ASSERT_EQ(state(), "unknown");
  clock().set_clock_error(1h);
  clock().run_for(80s);
  EXPECT_EQ(sent_to("/create/"), 1u);
  clock().run_for(3min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(of("remito"), "N1");
  EXPECT_EQ(made(), 1u);
}

TEST_F(RemitoRecourse, AClockThatIsSetForwardWhileNobodyRunsMakesNoMissCountEarlier) {
  lag_ = 119s;
  start(bare + find);
  ways_ = {Way::lost};
  ask();
  clock().run_for(10s);
  ASSERT_EQ(state(), "unknown");
  restart();
  clock().set_clock_error(1h);
  start(profile_);
  clock().run_for(80s);
  EXPECT_GE(sent_to("/find/"), 2u);
  EXPECT_EQ(sent_to("/create/"), 1u);
  clock().run_for(3min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(of("remito"), "N1");
  EXPECT_EQ(made(), 1u);
}

TEST_F(RemitoRecourse, AMissOfALookThatLeftTooEarlyDoesNotCountHoweverLateItIsTold) {
  start(bare + find);
  ways_ = {Way::lost};
  lag_ = 119s;
  ask();
  clock().run_for(5s);
  ASSERT_EQ(state(), "unknown");
  carriers.set_latency(20s);
  clock().run_for(10min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(made(), 1u);
}

TEST_F(RemitoRecourse, WhereAKeyMakesOneShipmentTheSameRequestIsSentAgain) {
  start(one_for_a_key);
  ways_ = {Way::lost, Way::error_before, Way::error_after};
  ask();
  clock().run_for(2min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(of("remito"), "N1");
  EXPECT_EQ(made(), 1u);
  const auto creates = carriers.creates();
  ASSERT_THAT(creates, SizeIs(4));
  for (const SentRequest& sent : creates) {
    EXPECT_EQ(sent.request.url, creates[0].request.url);
    EXPECT_TRUE(sent.request.fresh_connection);
  }
}

TEST_F(RemitoRecourse, AKeyThatTheCarrierHasForgottenIsNotUsedHoweverLateTheTurnComes) {
  start(one_for_a_key);
  ways_ = {Way::lost};
  ask();
  clock().run_for(1s);
  ASSERT_EQ(of("next_step"), "resend");
  clock().set_clock_error(22h);
  clock().run_for(2min);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_THAT(of("refusal_text"), HasSubstr("no longer remembers the key"));
  EXPECT_EQ(sent_to("/create/"), 1u);
}

TEST_F(RemitoRecourse, AKeyThatTheCarrierHasForgottenIsNotUsedThoughTheClockWasSetBack) {
  start(one_for_a_key);
  ways_ = {Way::lost};
  ask();
  clock().run_for(1s);
  ASSERT_EQ(of("next_step"), "resend");
  clock().set_clock_error(-10h);
  carriers.serve([](const carriers::HttpRequest&, Instant) { return fetch_error(FetchError::Kind::connect, true); });
  clock().run_for(23h);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_THAT(of("refusal_text"), HasSubstr("no longer remembers the key"));
}

TEST_F(RemitoRecourse, SendingAgainHasAnEnd) {
  start(one_for_a_key);
  ways_.assign(50, Way::never_arrived);
  ask();
  clock().run_for(24h);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_EQ(of("refusal_code"), "attempts");
  EXPECT_EQ(sent_to("/create/"), 5u);
}

TEST_F(RemitoRecourse, WithoutAnyPromiseAPersonDecides) {
  start(bare);
  ways_ = {Way::lost};
  ask();
  clock().run_for(24h);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_EQ(sent_to("/create/"), 1u);
  EXPECT_THAT(of("refusal_text"), HasSubstr("timeout"));
}

TEST_F(RemitoRecourse, ACrashInTheCallTakesTheSameWays) {
  carriers.set_latency(10s);
  start(bare + find);
  ask();
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1min));
  crash();
  clock().run_for(3min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(made(), 1u);
  EXPECT_EQ(sent_to("/create/"), 1u);
}

TEST_F(RemitoRecourse, ACrashInTheCallOfACarrierWithAKeySendsItAgain) {
  carriers.set_latency(10s);
  start(one_for_a_key);
  for (int crashes = 0; crashes < 3; ++crashes) {
    if (crashes == 0) ask();
    ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1h));
    crash();
  }
  clock().run_for(1min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(made(), 1u);
  EXPECT_EQ(sent_to("/create/"), 4u);
  EXPECT_EQ(ready_to_ship(), 1);
}

TEST_F(RemitoRecourse, ACrashBetweenTwoLooksLosesNothing) {
  start(bare + find);
  find_works_ = false;
  ways_ = {Way::lost};
  ask();
  for (int crashes = 0; crashes < 5; ++crashes) {
    clock().run_for(20min);
    crash();
  }
  find_works_ = true;
  clock().run_for(15min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(made(), 1u);
}

TEST_F(RemitoRecourse, TwoShipmentsWithOurReferenceAreForAPerson) {
  start(bare + find);
  ways_ = {Way::lost};
  lag_ = 0s;
  ask();
  ASSERT_TRUE(clock().run_until_true([&] { return made() == 1; }, monday + 1min));
  made_.begin()->second.push_back({"N9", monday});
  clock().run_for(1min);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_EQ(of("refusal_code"), "several_found");
  EXPECT_THAT(of("refusal_text"), HasSubstr("N1 and N9"));
  EXPECT_THAT(raw_answers("test"), SizeIs(1));
}

TEST_F(RemitoRecourse, AnotherNumberOfParcelsIsForAPerson) {
  start(bare + find);
  ways_ = {Way::lost};
  parcels_ = 1;
  ask();
  clock().run_for(3min);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_EQ(of("refusal_code"), "parcels_differ");
  EXPECT_EQ(count("shipments"), 0);
}

TEST_F(RemitoRecourse, AFoundRemitoThatWeFollowAlreadyIsForAPerson) {
  start(bare + find);
  follow("test", "N1", "other");
  ways_ = {Way::lost};
  ask();
  clock().run_for(3min);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_EQ(of("refusal_code"), "remito_in_use");
  EXPECT_EQ(count("shipments"), 1);
}

TEST_F(RemitoRecourse, ACarrierThatGivesACancelledShipmentsNumberAgainMadeNothing) {
  std::string by_order = one_for_a_key;
  for (const std::string key : {"client_ref}}", "\"client_ref\""})
    by_order.replace(by_order.find(key), key.size(), key.front() == '"' ? "\"order_number\"" : "order_number}}");
  start(by_order);
  ask();
  clock().run_for(1min);
  ASSERT_EQ(state(), "granted");
  database.sql("update shipments set status = 'cancelled'");
  ask_remito("test", "1", "{}", "again");
  daemon->intake.wake();
  clock().run_for(1min);
  EXPECT_EQ(made(), 1u);
  EXPECT_EQ(database.text("select state from remito_requests where request_key = 'again'"), "needs_operator");
  EXPECT_EQ(ready_to_ship(), 1);
}

TEST_F(RemitoRecourse, ARefusalOfWhatIsSentAgainIsNotBelieved) {
  start(one_for_a_key);
  ways_ = {Way::lost};
  ask();
  ASSERT_TRUE(clock().run_until_true([&] { return state() == "unknown"; }, monday + 1min));
  carriers.serve([](const carriers::HttpRequest&, Instant) { return json(R"({"why":"reference exists"})"); });
  clock().run_for(1min);
  EXPECT_EQ(state(), "needs_operator") << "a merchant would ask again for what exists";
  EXPECT_THAT(of("refusal_text"), HasSubstr("reference exists"));
}

TEST_F(RemitoRecourse, ACarrierThatIsDownForAnHourIsWaitedFor) {
  start(bare + find);
  find_works_ = false;
  ways_ = {Way::lost};
  ask();
  clock().run_for(1h);
  EXPECT_EQ(state(), "unknown");
  EXPECT_LE(sent_to("/find/"), 15u);
  find_works_ = true;
  clock().run_for(15min);
  EXPECT_EQ(state(), "granted");
}

TEST_F(RemitoRecourse, AProfileThatLearntToFindHelpsWhatWasSentAgainInVain) {
  start(one_for_a_key);
  ways_.assign(3, Way::lost);
  ask();
  clock().run_for(12s);
  ASSERT_EQ(state(), "unknown");
  restart();
  start(bare + find);
  clock().run_for(3min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(of("remito"), "N1");
}

TEST_F(RemitoRecourse, ManyUnclearRequestsKeepTheCarriersLimitsAndEachIsAskedForAlone) {
  start(bare + find);
  ways_.assign(40, Way::error_after);
  for (int order = 1; order <= 60; ++order) ask(std::to_string(order));
  clock().run_for(30min);
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 60);
  EXPECT_EQ(made(), 60u);
  EXPECT_EQ(sent_to("/create/"), 60u);
  EXPECT_LE(daemon->transport.in_flight_max(), 4u);
  EXPECT_EQ(ready_to_ship(), 60);
}

}  // namespace
}  // namespace remitod::test
