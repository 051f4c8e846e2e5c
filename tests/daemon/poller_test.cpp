#include "daemon/poller.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "daemon/log.h"
#include "tests/carriers/small_profile.h"
#include "tests/daemon/poller_fixture.h"

namespace remitod::test {
namespace {

using db::DbError;
using scheduler::BreakerState;
using scheduler::Fingerprint;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// ------------------------------------------------------------------ what a poll costs

TEST_F(PollerTest, AnUnchangedBodyCostsNoStatementAndNoParse) {
  carriers.show("chazki", "C1", {picked_up});
  follow_chazki(1);
  clock().run_for(1h);
  ASSERT_EQ(told("C1"), "registered>picked_up");
  stop_sweeping();
  const std::uint64_t statements = daemon->executor.statements();
  const std::size_t works = daemon->executor.works();
  const std::uint64_t maps = counters().mapped;
  clock().run_for(24h);
  EXPECT_THAT(carriers.asked_at("chazki", "C1"), SizeIs(25));
  EXPECT_EQ(daemon->executor.statements(), statements);
  EXPECT_EQ(daemon->executor.works(), works);
  EXPECT_EQ(counters().mapped, maps);
  EXPECT_EQ(counters().unchanged, 24u);
}

TEST_F(PollerTest, EachAnswerIsALineForWhoeverWatchesAtDebug) {
  carriers.show("chazki", "C1", {picked_up});
  follow_chazki(1);
  std::ostringstream lines;
  auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
  clock().run_for(2h);
  daemon::set_up_log("off");
  EXPECT_THAT(lines.str(), HasSubstr("poll_answered carrier=chazki remito=C1 shipments=1 http_status=200 known=false"));
  EXPECT_THAT(lines.str(), HasSubstr("poll_answered carrier=chazki remito=C1 shipments=1 http_status=200 known=true"));
}

TEST_F(PollerTest, ASmallAnswerIsReadAtOnceUnlessTheProfilesExpressionsAreCostly) {
  const auto works_with = [this](std::string_view code) {
    restart();
    daemon->add_carrier(load_small_profile(replaced(std::string(head), "batch_max = 10", "batch_max = 1") + R"toml(
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
shipments = "/json"
remito = "id"
events = "events"
[track.event]
time = "at"
formats = ["iso"]
code = ")toml" + std::string(code) + "\"\n"));
    carriers.always("test", http_answer(200, R"({"id":"T1","events":[{"code":"1","at":"2026-11-22T10:00:00Z"}]})",
                                        "application/json"));
    daemon->start();
    clock().run_for(2h);
    EXPECT_GE(counters().mapped, 1u);
    return daemon->mapper.works();
  };
  follow("test", "T1");
  EXPECT_EQ(works_with("code"), 0u);
  const std::size_t works = works_with("//code");
  EXPECT_EQ(works, counters().mapped) << "whatever it costs, the thread that decides does not pay";
}

TEST_F(PollerTest, AVolatileEnvelopeCostsAParseAndNoStatement) {
  carriers.set_volatile_envelope(true);
  carriers.show("chazki", "C1", {picked_up});
  follow_chazki(1);
  clock().run_for(1h);
  stop_sweeping();
  const std::uint64_t statements = daemon->executor.statements();
  const std::size_t works = daemon->executor.works();
  const std::uint64_t maps = counters().mapped;
  clock().run_for(24h);
  EXPECT_EQ(counters().mapped, maps + 24);
  EXPECT_EQ(daemon->executor.statements(), statements);
  EXPECT_EQ(daemon->executor.works(), works);
  EXPECT_EQ(counters().unchanged, 24u);
}

TEST_F(PollerTest, WhatTheCarrierDatesInTheFutureIsTakenWhenItsTimeHasComeAndCostsNoStatementUntilThen) {
  carriers.show("chazki", "C1", {picked_up, {monday + 12h, "", "Entregado"}});
  follow_chazki(1);
  clock().run_for(2h);
  EXPECT_EQ(database.text("select status from shipments"), "picked_up");
  EXPECT_EQ(counters().ahead, 1u);
  stop_sweeping();
  const std::uint64_t statements = daemon->executor.statements();
  clock().run_for(7h);
  EXPECT_EQ(daemon->executor.statements(), statements);
  clock().run_for(3h);
  EXPECT_EQ(database.text("select status from shipments"), "delivered");
  const std::uint64_t maps = counters().mapped;
  clock().run_for(3h);
  EXPECT_EQ(counters().mapped, maps) << "nothing is ahead any more: equal bytes say nothing new";
}

TEST_F(PollerTest, AnEnvelopeThatIsVolatileWhereTheProfileSaysSoCostsNoParse) {
  std::string state = "moving";
  carriers.serve([&, answers = 0](const carriers::HttpRequest&, Instant) mutable {
    return http_answer(200,
                       R"({"now":")" + std::to_string(++answers) + R"(","events":[{"code":")" + state +
                           R"(","at":"2026-11-22T10:00:00Z"}]})",
                       "application/json");
  });
  daemon->add_carrier(load_small_profile(replaced(std::string(head), "batch_max = 10", "batch_max = 1") + R"toml(
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
events = "/json/events"
[[track.answer.volatile]]
after = '"now":"'
before = '"'
[track.event]
code = "code"
time = "at"
formats = ["iso"]
[[track.status]]
code = "moving"
status = "in_transit"
[[track.status]]
code = "here"
status = "delivered"
)toml"));
  follow("test", "T1");
  daemon->start();
  clock().run_for(2h);
  const std::uint64_t maps = counters().mapped;
  clock().run_for(24h);
  EXPECT_EQ(counters().mapped, maps);
  EXPECT_GE(counters().unchanged, 24u);
  state = "here";
  clock().run_for(1h);
  EXPECT_EQ(database.text("select status from shipments"), "delivered");
}

TEST_F(PollerTest, AnUnchangedBatchCostsAParseAndNoStatement) {
  daemon->add_carrier("correios");
  for (int i = 1; i <= 30; ++i) {
    follow("correios", "QB" + std::to_string(i), "1");
    carriers.show("correios", "QB" + std::to_string(i), {{monday, "PO-01", "Objeto postado"}});
  }
  daemon->start();
  clock().run_for(2h);
  stop_sweeping();
  const std::uint64_t statements = daemon->executor.statements();
  const std::uint64_t maps = counters().mapped;
  clock().run_for(10h);
  EXPECT_EQ(daemon->executor.statements(), statements);
  EXPECT_GT(counters().mapped, maps);
  EXPECT_LT(counters().mapped, maps + 30 * 10) << "thirty shipments share requests";
}

TEST_F(PollerTest, ANumberThatIsNotKnownYetIsReadOnce) {
  follow_chazki(1);
  clock().run_for(1h);
  stop_sweeping();
  const std::uint64_t statements = daemon->executor.statements();
  clock().run_for(5h);
  EXPECT_EQ(daemon->executor.statements(), statements);
  EXPECT_EQ(told("C1"), "");
}

// ------------------------------------------------------------------ changes and the database

TEST_F(PollerTest, AChangeIsToldOnceAndNumbered) {
  carriers.show("chazki", "C1", {picked_up});
  follow_chazki(1);
  clock().run_for(1h);
  carriers.show("chazki", "C1", {picked_up, delivered});
  clock().run_for(5h);
  EXPECT_EQ(told("C1"), "registered>picked_up picked_up>in_transit~ in_transit>delivered");
  EXPECT_EQ(count("transitions where seq is null"), 0);
  EXPECT_EQ(daemon->outbox.last_seq(), 3);
  EXPECT_EQ(counters().transitions, 3u);
}

TEST_F(PollerTest, FingerprintsAdvanceOnlyAfterTheCommit) {
  carriers.show("chazki", "C1", {picked_up});
  follow_chazki(1);
  stop_sweeping();
  daemon->executor.fail_always(DbError::Kind::busy);
  clock().run_for(1h);
  ASSERT_THAT(carriers.asked_at("chazki", "C1"), SizeIs(1));
  EXPECT_EQ(lane().body_fingerprint(slot(1)), Fingerprint{});
  EXPECT_EQ(lane().read_fingerprint(slot(1)), Fingerprint{});
  daemon->executor.stop_failing();
  clock().run_for(1min);
  EXPECT_NE(lane().body_fingerprint(slot(1)), Fingerprint{});
  EXPECT_NE(lane().read_fingerprint(slot(1)), Fingerprint{});
}

class PollerWithoutDatabase : public PollerTest, public testing::WithParamInterface<DbError::Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, PollerWithoutDatabase,
                         testing::Values(DbError::Kind::busy, DbError::Kind::connection, DbError::Kind::disk),
                         [](const auto& of) { return std::string(db::name(of.param)); });

TEST_P(PollerWithoutDatabase, KeepsTheAnswersPausesAndLosesNothing) {
  constexpr int shipments = 1200;
  follow_chazki(shipments);
  show_all_chazki(shipments, {picked_up});
  stop_sweeping();
  daemon->executor.fail_always(GetParam());
  clock().run_for(3h);
  // A thousand reports wait, and what was under way then; nobody is asked twice.
  EXPECT_THAT(carriers.sent(), SizeIs(testing::AllOf(Ge(1000u), testing::Le(1002u))));
  EXPECT_TRUE(daemon->poller.database_trouble());
  EXPECT_FALSE(daemon->poller.idle());

  daemon->executor.stop_failing();
  clock().run_for(2h);
  EXPECT_FALSE(daemon->poller.database_trouble());
  for (int i = 1; i <= shipments; ++i) EXPECT_EQ(told("C" + std::to_string(i)), "registered>picked_up");
  EXPECT_EQ(count("tracking_events"), shipments);
}

TEST_F(PollerTest, ACommitThatFailsAFewTimesIsTriedAgainWithGrowingPauses) {
  carriers.show("chazki", "C1", {picked_up});
  follow_chazki(1);
  stop_sweeping();
  const std::size_t works = daemon->executor.works();
  daemon->executor.fail(3, DbError::Kind::busy);
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->executor.works() == works + 1; }, monday + 1h));
  const Instant first_try = clock().now();
  ASSERT_TRUE(clock().run_until_true([&] { return told("C1") == "registered>picked_up"; }, monday + 2h));
  EXPECT_EQ(clock().now() - first_try, 1s + 2s + 4s);
  EXPECT_THAT(carriers.sent(), SizeIs(1)) << "the answer is kept, the carrier is not asked again";
}

TEST_F(PollerTest, OnlyTheReportThatTheDatabaseRefusesIsLeftOut) {
  constexpr int shipments = 10;
  database.sql(
      "create trigger refuse before insert on tracking_events when new.shipment_id = 4 "
      "begin select raise(abort, 'refused by a rule'); end");
  follow_chazki(shipments, [](scheduler::LaneConfig& config) { config.concurrency = shipments; });
  show_all_chazki(shipments, {picked_up});
  stop_sweeping();
  // The answers gather while the database is away, so that they come in one transaction.
  daemon->executor.fail_always(DbError::Kind::connection);
  clock().run_for(1h);
  ASSERT_THAT(carriers.sent(), SizeIs(shipments));
  daemon->executor.stop_failing();
  clock().run_for(1min);
  for (int i = 1; i <= shipments; ++i)
    EXPECT_EQ(told("C" + std::to_string(i)), i == 4 ? "" : "registered>picked_up") << i;
  EXPECT_EQ(counters().failed_requests, 1u);
  EXPECT_TRUE(daemon->poller.idle());
  EXPECT_EQ(lane().read_fingerprint(slot(4)), Fingerprint{}) << "it is tried again with its next answer";
  EXPECT_EQ(count("raw_answers where remito = 'C4' and why like '%refused%'"), 1);
  EXPECT_EQ(count("raw_answers"), shipments);
}

TEST_F(PollerTest, OfABatchOnlyTheReportThatTheDatabaseRefusesIsLeftOut) {
  database.sql(
      "create trigger refuse before insert on tracking_events when new.shipment_id = 4 "
      "begin select raise(abort, 'refused by a rule'); end");
  daemon->add_carrier("correios", [](scheduler::LaneConfig& config) { config.interval = 60s; });
  for (int i = 1; i <= 10; ++i) {
    follow("correios", "QB" + std::to_string(i), std::to_string(i));
    carriers.show("correios", "QB" + std::to_string(i), {{monday, "PO-01", "Objeto postado"}});
  }
  daemon->start();
  const std::vector<std::int64_t> all{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  std::vector<db::ResyncScope> scope;
  for (const std::int64_t id : all) scope.push_back({id, "correios"});
  daemon->poller.mark_resync(scope);
  clock().run_for(5s);
  ASSERT_THAT(carriers.sent().front().asked.remitos, SizeIs(10)) << "one request for all";
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(told("QB" + std::to_string(i)), i == 4 ? "" : "registered>picked_up") << i;
  EXPECT_EQ(count("raw_answers"), 1) << "it was one answer";
}

// ------------------------------------------------------------------ what carriers do

TEST_F(PollerTest, OfABatchABadRowAMissingOneAndAStrangerAreLeftOutAndCounted) {
  daemon->add_carrier("correios");
  for (const char* remito : {"GOOD", "BAD", "MISSING"}) follow("correios", remito, remito);
  daemon->start();
  carriers.show("correios", "GOOD", {{monday, "PO-01", "Objeto postado"}});
  carriers.show("correios", "BAD", {{monday - 24h, "PO-01", "Objeto postado"}, {monday, "BDE-01", "Objeto entregue"}});
  carriers.show("correios", "STRANGER", {{monday, "BDE-01", "Objeto entregue"}});
  carriers.always("correios", [&](Asked asked, Instant) {
    std::erase(asked.remitos, "MISSING");
    asked.remitos.insert(asked.remitos.begin(), "STRANGER");
    auto answer = carriers.ordinary_answer(asked);
    return with_body(answer, replaced(answer->body, "<data>21/11/2026", "<data>99/99/2026"));
  });
  daemon->poller.mark_resync(std::vector<db::ResyncScope>{{1, "correios"}, {2, "correios"}, {3, "correios"}});
  clock().run_for(5s);
  ASSERT_THAT(carriers.sent(), SizeIs(1));
  EXPECT_EQ(counters().wrong_rows, 1u);
  EXPECT_EQ(counters().missing, 1u);
  EXPECT_EQ(counters().extra, 1u);
  EXPECT_EQ(counters().failed_requests, 0u);
  EXPECT_EQ(told("GOOD"), "registered>picked_up");
  EXPECT_EQ(told("BAD"), "registered>in_transit~ in_transit>delivered") << "its other event could be read";
  EXPECT_EQ(told("MISSING"), "") << "missing is not deleted";
  EXPECT_EQ(count("shipments where remito = 'STRANGER'"), 0);
  EXPECT_EQ(count("shipments where ended_at is not null"), 0);
  EXPECT_EQ(count("raw_answers"), 1);
}

TEST_F(PollerTest, ARemitoThatCannotStandInARequestDoesNotHoldUpItsNeighbours) {
  daemon->add_carrier("correios");
  follow("correios", "GOOD", "1");
  follow("correios", "two\nlines", "2");
  follow("correios", "ALSO", "3");
  carriers.show("correios", "GOOD", {{monday, "PO-01", "Objeto postado"}});
  carriers.show("correios", "ALSO", {{monday, "PO-01", "Objeto postado"}});
  daemon->start();
  daemon->poller.mark_resync(std::vector<db::ResyncScope>{{1, "correios"}, {2, "correios"}, {3, "correios"}});
  clock().run_for(5s);
  EXPECT_EQ(told("GOOD"), "registered>picked_up");
  EXPECT_EQ(told("ALSO"), "registered>picked_up");
  for (const SentRequest& sent : carriers.sent()) EXPECT_EQ(sent.request.body.find("two"), std::string::npos);
  EXPECT_NE(counters().last_error.find("remito"), std::string::npos);
  EXPECT_TRUE(daemon->poller.idle());
}

TEST_F(PollerTest, AnHtmlPageAt200IsTroubleOfTheCarrierAndIsKept) {
  constexpr int shipments = 30;
  follow_chazki(shipments);
  show_all_chazki(shipments, {picked_up});
  carriers.always("chazki", http_answer(200, "<!DOCTYPE html><html><body>Mantenimiento</body></html>", "text/html"));
  // Only a failure opens the breaker, and only an answer closes it.
  ASSERT_TRUE(clock().run_until_true([&] { return lane().breaker() == BreakerState::open; }, monday + 1h));
  EXPECT_THAT(carriers.sent(), SizeIs(Ge(3u)));
  EXPECT_LE(carriers.sent().size(), 4u) << "three failures, and what was under way";
  clock().run_for(2s);
  const auto kept = raw_answers("chazki");
  ASSERT_THAT(kept, Not(IsEmpty()));
  EXPECT_THAT(kept.front().why, HasSubstr("HTML"));
  EXPECT_THAT(kept.front().body, HasSubstr("Mantenimiento"));
  EXPECT_EQ(kept.front().http_status, 200);
  EXPECT_EQ(count("tracking_events"), 0);

  carriers.ordinary("chazki");
  clock().run_for(4h);
  EXPECT_EQ(lane().breaker(), BreakerState::closed);
  EXPECT_EQ(count("tracking_events"), shipments) << "the day of trouble cost nobody anything";
}

TEST_F(PollerTest, ThrottledWithRetryAfterRestsTheLaneForThatLong) {
  follow_chazki(50);
  auto throttled = http_answer(429, R"({"message":"Limit Exceeded"})", "application/json");
  throttled->retry_after = 2h;
  carriers.next("chazki", throttled);
  clock().run_for(12h);
  ASSERT_THAT(carriers.sent(), SizeIs(Ge(3u)));
  // A request that was under way may still have arrived; then there is silence.
  const Instant answered_at = carriers.sent().front().at + carriers.latency();
  for (const SentRequest& sent : carriers.sent())
    EXPECT_TRUE(sent.at <= answered_at || sent.at >= answered_at + 2h) << to_iso8601(sent.at);
  EXPECT_EQ(lane().breaker(), BreakerState::closed);
}

TEST_F(PollerTest, WhatTheCarrierAskedForOutlivesTheProcess) {
  follow_chazki(50);
  auto throttled = http_answer(429, R"({"message":"Limit Exceeded"})", "application/json");
  throttled->retry_after = 2h;
  carriers.next("chazki", throttled);
  ASSERT_TRUE(clock().run_until_true([&] { return lane().resting_until() != Instant{}; }, monday + 1h));
  const Instant wished = lane().resting_until();
  clock().run_for(5s);
  save_checkpoint();
  const std::size_t before = carriers.sent().size();
  restart_from_checkpoints();
  clock().run_until(wished - 1s);
  EXPECT_THAT(carriers.sent(), SizeIs(before));
  clock().run_for(2h);
  EXPECT_THAT(carriers.sent(), SizeIs(Ge(before + 50)));
}

TEST_F(PollerTest, WhatTheCarrierAskedForIsAsLongThoughTheClockWasSetBackSince) {
  follow_chazki(1);
  const Instant now = clock().now();
  daemon->poller.restore_wishes("chazki", {.polls = now + 3h, .orders = now + 4h}, now + 2h);
  EXPECT_EQ(lane().resting_until(), now + 1h);
  EXPECT_EQ(daemon->poller.orders_rest_until("chazki"), now + 2h);
  EXPECT_EQ(counters().last_error, "it has asked to be left alone (Retry-After)");
}

TEST_F(PollerTest, ChangedAnswersDoNotPushOutOneThatWasNotUnderstood) {
  const auto answer = [](const std::string& why) {
    db::RawAnswer raw;
    raw.carrier = "chazki";
    raw.operation = "track";
    raw.why = why;
    raw.body = "{}";
    return raw;
  };
  for (int i = 0; i < 150; ++i) daemon->raw.keep_changed(answer("something new"));
  daemon->raw.keep(answer("a riddle"));
  clock().run_for(2s);
  EXPECT_EQ(count("raw_answers where why = 'a riddle'"), 1);
}

TEST_F(PollerTest, ACodeThatTheProfileDoesNotKnowIsKeptWithItsAnswer) {
  carriers.show("chazki", "C1", {picked_up, {monday + 2min, "", "En dron"}});
  follow_chazki(1);
  clock().run_for(5h);
  EXPECT_EQ(counters().unmapped, 1u);
  ASSERT_THAT(raw_answers("chazki"), SizeIs(1)) << "once, however often it is read";
  EXPECT_EQ(raw_answers("chazki").front().remito, "C1");
  EXPECT_THAT(raw_answers("chazki").front().body, HasSubstr("En dron"));
  EXPECT_EQ(told("C1"), "registered>picked_up");
}

}  // namespace
}  // namespace remitod::test
