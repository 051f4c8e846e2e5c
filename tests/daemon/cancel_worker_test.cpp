// Shipments that are no longer wanted, on the virtual clock.
#include "daemon/cancel_worker.h"

#include <gmock/gmock.h>

#include "tests/carriers/small_profile.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using carriers::FetchError;
using carriers::FetchResult;
using db::DbError;
using testing::HasSubstr, testing::IsEmpty;

const std::string create = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
[limits]
requests_per_second = 100.0
concurrency = 4
[create]
method = "POST"
url = "{{base_url}}/create/{{client_ref}}"
[create.answer]
format = "json"
granted = "/json/number"
refused = "/json/why"
remito = "/json/number"
refusal_text = "/json/why"
)toml";
const std::string track = R"toml(
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
snapshot = true
[track.event]
code = "/json/state"
time = "/json/at"
formats = ["iso"]
[[track.status]]
code = "moving"
status = "in_transit"
[[track.status]]
code = "gone home"
status = "delivered"
[[track.status]]
code = "void"
status = "cancelled"
)toml";
const std::string cancel = R"toml(
[cancel]
method = "DELETE"
url = "{{base_url}}/shipments/{{remito}}"
[cancel.answer]
format = "json"
accepted = "/json/ok = 'true'"
refused = "/json/ok = 'false'"
refusal_code = "/json/code"
refusal_text = "/json/why"
)toml";
const std::string lookup = R"toml(
[cancel.lookup]
url = "{{base_url}}/lookup/{{remito}}"
[cancel.lookup.answer]
format = "json"
shipment_id = "/json/id"
[cancel]
method = "DELETE"
url = "{{base_url}}/shipments/{{shipment_id}}"
[cancel.answer]
format = "json"
accepted = "/json/ok = 'true'"
)toml";

FetchResult json(const std::string& body, int status = 200) {
  return http_answer(status, body, "application/json");
}

struct CancelWorkerTest : testing::Test, VirtualWorld {
  CancelWorkerTest() {
    carriers.serve([this](const carriers::HttpRequest& request, Instant) { return answer(request); });
  }
  void start(const std::string& profile = create + track + cancel) {
    profile_ = profile;
    daemon->add_carrier(load_small_profile(profile));
    daemon->start();
  }
  void crash() {
    restart();
    start(profile_);
  }
  void ask(const std::string& key = "K1", const std::string& order = "1") {
    ask_remito("test", order, "{}", key);
    daemon->intake.wake();
  }
  void granted() {
    ask();
    clock().run_for(5s);
    ASSERT_EQ(database.text("select state from remito_requests"), "granted");
  }
  void cancel_order(const std::string& key = "C1", const std::string& order = "1") {
    database.sql("insert into cancel_requests (request_key, order_number) values ('" + key + "', '" + order + "')");
    daemon->intake.wake();
  }
  std::string of(const std::string& column, const std::string& key = "C1") {
    return database.text("select " + column + " from cancel_requests where request_key = '" + key + "'");
  }
  std::string state(const std::string& key = "C1") { return of("state", key); }
  std::string request_state(const std::string& key = "K1") {
    return database.text("select state from remito_requests where request_key = '" + key + "'");
  }
  std::string shipment() { return database.text("select status from shipments order by id desc limit 1"); }
  std::int64_t told_cancelled() { return count("transitions where to_status = 'cancelled'"); }
  std::size_t sent_to(const std::string& path) {
    return static_cast<std::size_t>(std::ranges::count_if(
        carriers.sent(), [&](const SentRequest& sent) { return sent.request.url.contains(path); }));
  }

  FetchResult answer(const carriers::HttpRequest& request) {
    if (request.url.contains("/create/"))
      return create_ ? *create_ : json(R"({"number":"N)" + std::to_string(++numbers_) + "\"}");
    if (request.url.contains("/track/"))
      return json(R"({"state":")" + tracked_ + R"(","at":"2026-11-23T00:00:)" + (tracked_ == "moving" ? "01" : "30") +
                  R"(Z"})");
    if (request.url.contains("/lookup/")) return json(lookup_);
    if (cancels_.empty()) return json(R"({"ok":true})");
    FetchResult next = cancels_.front();
    cancels_.erase(cancels_.begin());
    return next;
  }

  std::string profile_, tracked_ = "moving", lookup_ = R"({"id":"77"})";
  std::optional<FetchResult> create_;
  std::vector<FetchResult> cancels_;
  int numbers_ = 0;
};

TEST_F(CancelWorkerTest, AShipmentIsCancelledAtTheCarrierAndToldOnce) {
  start();
  granted();
  cancel_order();
  clock().run_for(5s);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(of("remito"), "N1");
  EXPECT_EQ(shipment(), "cancelled");
  EXPECT_EQ(told_cancelled(), 1);
  EXPECT_EQ(sent_to("/shipments/N1"), 1u);
  tracked_ = "void";
  clock().run_for(4h);
  EXPECT_GT(sent_to("/track/"), 1u);
  EXPECT_EQ(told_cancelled(), 1) << "the carrier tells it, too";
  EXPECT_EQ(count("transitions where seq is null"), 0);
}

TEST_F(CancelWorkerTest, TheOrderMayAskAgainAtOnce) {
  start();
  granted();
  cancel_order();
  clock().run_for(5s);
  ask("K2");
  clock().run_for(5s);
  EXPECT_EQ(request_state("K2"), "granted");
  EXPECT_EQ(count("transitions where to_status = 'ready_to_ship'"), 2);
}

TEST_F(CancelWorkerTest, ANumberOfItsOwnThatTheCarrierGivesTheOrderAgainIsForAPerson) {
  start();
  granted();
  cancel_order();
  clock().run_for(5s);
  numbers_ = 0;
  ask("K2");
  clock().run_for(5s);
  EXPECT_EQ(request_state("K2"), "needs_operator");
  EXPECT_EQ(database.text("select refusal_code from remito_requests where request_key = 'K2'"), "remito_in_use");
  EXPECT_EQ(count("transitions where to_status = 'ready_to_ship'"), 1) << "and not of what was cancelled";
}

TEST_F(CancelWorkerTest, WhereTheOrdersNumberIsTheRemitoItsNextCycleStarts) {
  start(replaced(create, "remito = \"/json/number\"", "remito_is = \"order_number\"") + track + cancel);
  granted();
  cancel_order();
  clock().run_for(1min);  // the carrier shows what it does half a minute later
  numbers_ = 0;
  ask("K2");
  clock().run_for(5s);
  EXPECT_EQ(request_state("K2"), "granted");
  EXPECT_EQ(database.number("select max(cycle) from shipments where remito = '1'"), 2);
  EXPECT_EQ(daemon->poller.lane("test")->size(), 1u) << "the cancelled one left";
  tracked_ = "void";
  clock().run_for(4h);
  EXPECT_EQ(shipment(), "registered") << "what the carrier still shows was of the cancelled one";
  EXPECT_EQ(told_cancelled(), 1);
}

TEST_F(CancelWorkerTest, ARefusalCarriesTheCarriersWordsAndChangesNothing) {
  start();
  granted();
  cancels_ = {json(R"({"ok":false,"code":"12","why":"Ya fue recogido"})")};
  cancel_order();
  clock().run_for(5s);
  EXPECT_EQ(state(), "refused");
  EXPECT_EQ(of("refusal_code"), "12");
  EXPECT_EQ(of("refusal_text"), "Ya fue recogido");
  EXPECT_EQ(told_cancelled(), 0);
  cancel_order("C2");
  clock().run_for(5s);
  EXPECT_EQ(state("C2"), "cancelled") << "one may try again";
}

TEST_F(CancelWorkerTest, WhatWasNotSentYetIsCancelledHereAndNobodyIsAsked) {
  create_ = fetch_error(FetchError::Kind::connect, true);
  start();
  ask();
  clock().run_for(8s);
  ASSERT_EQ(request_state(), "pending");
  const std::size_t creates = sent_to("/create/");
  cancel_order();
  clock().run_for(1h);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(request_state(), "cancelled");
  EXPECT_EQ(sent_to("/create/"), creates);
  EXPECT_EQ(sent_to("/shipments/"), 0u);
  EXPECT_EQ(count("transitions where to_status = 'cancelled' and subject = 'request' and from_status = 'confirmed'"),
            1);
  create_.reset();
  ask("K2");
  clock().run_for(5s);
  EXPECT_EQ(request_state("K2"), "granted");
}

TEST_F(CancelWorkerTest, ARequestThatIsUnderWayIsWaitedForAndItsShipmentCancelled) {
  carriers.set_latency(20s);
  start();
  ask();
  ASSERT_TRUE(clock().run_until_true([&] { return request_state() == "sending"; }, monday + 1min));
  cancel_order();
  clock().run_for(1s);
  EXPECT_EQ(state(), "pending");
  clock().run_for(2min);
  EXPECT_EQ(request_state(), "granted");
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(told_cancelled(), 1);
}

TEST_F(CancelWorkerTest, AfterARefusedRequestThereIsNothingToCancel) {
  create_ = json(R"({"why":"sin cobertura"})");
  carriers.set_latency(20s);
  start();
  ask();
  ASSERT_TRUE(clock().run_until_true([&] { return request_state() == "sending"; }, monday + 1min));
  cancel_order();
  clock().run_for(2min);
  EXPECT_EQ(request_state(), "refused");
  EXPECT_EQ(state(), "refused");
  EXPECT_EQ(of("refusal_code"), "nothing_to_cancel");
}

TEST_F(CancelWorkerTest, ACarrierThatTakesNoCancellationsIsNamed) {
  start(create + track);
  granted();
  cancel_order();
  clock().run_for(5s);
  EXPECT_EQ(state(), "refused");
  EXPECT_EQ(of("refusal_code"), "cannot_cancel");
  EXPECT_THAT(of("refusal_text"), HasSubstr("test"));
}

TEST_F(CancelWorkerTest, WhatNeverLeftOrWasNotLookedAtIsTriedAgain) {
  start();
  granted();
  cancels_ = {fetch_error(FetchError::Kind::connect, true), fetch_error(FetchError::Kind::resolve, true),
              json("{}", 429)};
  cancel_order();
  clock().run_for(10min);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(database.number("select attempts from cancel_requests"), 4);
}

TEST_F(CancelWorkerTest, AnUnclearEndIsDecidedByWhatTheCarrierTellsOfTheShipment) {
  start();
  granted();
  cancels_ = {fetch_error(FetchError::Kind::timeout)};
  cancel_order();
  clock().run_for(5s);
  EXPECT_EQ(state(), "unknown");
  tracked_ = "void";
  clock().run_for(2min);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(told_cancelled(), 1);
  EXPECT_EQ(sent_to("/shipments/"), 1u) << "not sent again";
}

TEST_F(CancelWorkerTest, AnUnclearEndOfWhatIsDeliveredIsARefusal) {
  start();
  granted();
  cancels_ = {json("{}", 503)};
  tracked_ = "gone home";
  cancel_order();
  clock().run_for(2min);
  EXPECT_EQ(state(), "refused");
  EXPECT_THAT(of("refusal_text"), HasSubstr("the shipment is delivered"));
}

TEST_F(CancelWorkerTest, AnUnclearEndThatNothingDecidesIsForAPersonAfterADay) {
  start();
  granted();
  cancels_ = {fetch_error(FetchError::Kind::transport)};
  cancel_order();
  clock().run_for(23h);
  EXPECT_EQ(state(), "unknown");
  clock().run_for(90min);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_THAT(of("refusal_text"), HasSubstr("still shows it as in_transit"));
  EXPECT_EQ(sent_to("/shipments/"), 1u);
}

TEST_F(CancelWorkerTest, WhereNobodyCanLookAnUnclearEndIsForAPersonAtOnce) {
  start(create + cancel);
  granted();
  cancels_ = {fetch_error(FetchError::Kind::timeout)};
  cancel_order();
  clock().run_for(1min);
  EXPECT_EQ(state(), "needs_operator");
}

TEST_F(CancelWorkerTest, ACrashInTheCallIsAnUnclearEnd) {
  start();
  granted();
  carriers.set_latency(10s);
  cancel_order();
  ASSERT_TRUE(clock().run_until_true([&] { return state() == "sending"; }, monday + 1min));
  crash();
  EXPECT_EQ(state(), "unknown");
  tracked_ = "void";
  clock().run_for(2min);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_LE(sent_to("/shipments/"), 1u) << "the crash may have come before it left; it is not sent again";
}

TEST_F(CancelWorkerTest, AClaimThatWasCommittedAndCalledAFailureIsAnUnclearEndWithoutARestart) {
  start();
  granted();
  // As such a claim leaves the row.
  const std::int64_t now = to_micros(clock().now()), lease = to_micros(clock().now() + 1min);
  database.sql(
      "insert into cancel_requests (request_key, order_number, accepted_at, state, shipment_id, carrier, remito, "
      "attempts, fencing_token, lease_expires_at) select 'C1', '1', " +
      std::to_string(now) + ", 'sending', id, carrier, remito, 1, 1, " + std::to_string(lease) + " from shipments");
  clock().run_for(50s);
  EXPECT_EQ(state(), "sending");
  clock().run_for(2min);
  EXPECT_EQ(state(), "unknown");
  tracked_ = "void";
  clock().run_for(10min);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(told_cancelled(), 1);
}

TEST_F(CancelWorkerTest, AStopThatWasCommittedAndCalledAFailureIsTold) {
  create_ = fetch_error(FetchError::Kind::connect, true);
  start();
  ask();
  clock().run_for(8s);
  ASSERT_EQ(request_state(), "pending");
  cancel_order();
  database.commits().deny(1);
  clock().run_for(10s);
  ASSERT_EQ(database.commits().denied(), 1);
  EXPECT_EQ(request_state(), "cancelled");
  EXPECT_EQ(count("transitions where to_status = 'cancelled' and seq is not null"), 1);
}

TEST_F(CancelWorkerTest, ACancellationWaitsForTheCarriersRateAndGoesBeforeThePolls) {
  daemon->add_carrier(load_small_profile(create + track + cancel),
                      [](scheduler::LaneConfig& lane) { lane.requests_per_second = 0.05; });
  daemon->start();
  ask();
  clock().run_for(1min);
  ASSERT_EQ(request_state(), "granted");
  for (int i = 0; i < 200; ++i) follow("test", "F" + std::to_string(i), "f" + std::to_string(i));
  daemon->intake.wake();
  clock().run_for(2h);  // the polls take all that there is
  const std::size_t asked = carriers.sent().size();
  cancel_order();
  clock().run_for(1min);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_LE(carriers.sent().size(), asked + 4) << "one in 20 s";
}

TEST_F(CancelWorkerTest, ACarriersOwnNumberIsLookedUpFirst) {
  start(create + track + lookup);
  granted();
  lookup_ = "{}";
  cancel_order();
  clock().run_for(2s);
  EXPECT_EQ(state(), "pending") << "nothing was cancelled, it is looked up again";
  lookup_ = R"({"id":"77"})";
  clock().run_for(1min);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(sent_to("/shipments/77"), 1u);
}

TEST_F(CancelWorkerTest, TheAnswerIsNotLostWhileTheDatabaseIsAway) {
  start();
  granted();
  carriers.set_latency(1s);
  cancel_order();
  ASSERT_TRUE(clock().run_until_true([&] { return sent_to("/shipments/") == 1; }, monday + 1min));
  daemon->executor.fail_always(DbError::Kind::connection);
  clock().run_for(10min);
  EXPECT_EQ(state(), "sending");
  daemon->executor.stop_failing();
  clock().run_for(10s);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(sent_to("/shipments/"), 1u);
  EXPECT_EQ(told_cancelled(), 1);
}

TEST_F(CancelWorkerTest, TwoWishesAreOneCancellation) {
  start();
  granted();
  cancel_order("C1");
  cancel_order("C2");
  clock().run_for(5s);
  EXPECT_EQ(state("C1"), "cancelled");
  EXPECT_EQ(state("C2"), "refused");
  EXPECT_EQ(of("refusal_code", "C2"), "duplicate_request");
  cancel_order("C3");
  clock().run_for(5s);
  EXPECT_EQ(state("C3"), "cancelled") << "it is";
  EXPECT_EQ(sent_to("/shipments/"), 1u);
  EXPECT_EQ(told_cancelled(), 1);
}

TEST_F(CancelWorkerTest, AnOrderThatNobodyKnowsHasNothingToCancel) {
  start();
  cancel_order("C1", "nobody");
  clock().run_for(5s);
  EXPECT_EQ(state(), "refused");
  EXPECT_EQ(of("refusal_code"), "nothing_to_cancel");
}

}  // namespace
}  // namespace remitod::test
