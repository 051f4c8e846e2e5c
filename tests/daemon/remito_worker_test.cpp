#include "daemon/remito_worker.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using carriers::FetchError;
using carriers::FetchResult;
using db::DbError;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// All that OCA and Chazki want to know.
const std::string payload = R"({
  "sender": {"name": "Tienda Demo", "email": "tienda@example.com",
             "address": {"street": "Av. Demo", "number": "1", "postcode": "1001", "district": "CABA", "province": "CABA"}},
  "recipient": {"first_name": "Ana", "last_name": "Prueba", "phone": "999999999", "document_number": "00000000",
                "address": {"street": "Calle Falsa", "number": "123", "postcode": "1001", "district": "Lince",
                            "province": "Lima", "department": "Lima"}},
  "parcels": [{"weight_kg": 1, "length_cm": 10, "width_cm": 10, "height_cm": 10, "description": "Libro"}]})";

struct RemitoWorkerTest : testing::Test, VirtualWorld {
  void start(const std::function<void(scheduler::LaneConfig&)>& change = {}) {
    daemon->add_carrier("oca", change);
    daemon->add_carrier("chazki", change);
    daemon->start();
  }
  void ask(const std::string& carrier, const std::string& order) {
    ask_remito(carrier, order, payload);
    daemon->intake.wake();
  }
  std::string state(const std::string& order = "1001") {
    return database.text("select state from remito_requests where order_number = '" + order + "'");
  }
  std::string refusal(const std::string& order = "1001") {
    return database.text("select refusal_text from remito_requests where order_number = '" + order + "'");
  }
  std::int64_t ready_to_ship() { return count("transitions where to_status = 'ready_to_ship'"); }
};

// ------------------------------------------------------------------ the carrier's answer

TEST_F(RemitoWorkerTest, AGrantedRemitoBecomesOneShipmentAndOneReadyToShip) {
  start();
  ask("oca", "1001");
  clock().run_for(5s);
  ASSERT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(database.text("select remito from remito_requests"), database.text("select remito from shipments"));
  EXPECT_EQ(count("shipments where accepted_at is not null and order_number = '1001'"), 1);
  EXPECT_EQ(ready_to_ship(), 1);
  EXPECT_EQ(count("transitions where seq is null"), 0);
  EXPECT_EQ(daemon->worker.counters().granted, 1u);
  clock().run_for(2h);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(ready_to_ship(), 1);
  EXPECT_THAT(carriers.asked_at("oca", database.text("select remito from shipments")), Not(IsEmpty()))
      << "the new shipment is followed";
}

/// The payloads of the requests for remitos of OCA in db/README.md, one for each engine.
std::vector<std::string> payloads_of_the_readme() {
  const std::string readme = read_file(source_dir() / "db" / "README.md");
  const std::string begin = "'order-1001-try-1', '1001', 'oca',\n  '";
  std::vector<std::string> payloads;
  for (std::size_t at = 0; (at = readme.find(begin, at)) != std::string::npos;) {
    at += begin.size();
    payloads.push_back(readme.substr(at, readme.find("');", at) - at));
  }
  return payloads;
}

TEST_F(RemitoWorkerTest, WhatTheDatabasesPageShowsIsAllThatTheShippedProfileWants) {
  const std::vector<std::string> payloads = payloads_of_the_readme();
  ASSERT_THAT(payloads, SizeIs(2)) << "of SQLite and of PostgreSQL";
  EXPECT_EQ(payloads[0], payloads[1]);
  start();
  ask_remito("oca", "1001", payloads[0]);
  daemon->intake.wake();
  clock().run_for(5s);
  EXPECT_EQ(state(), "granted") << refusal();
}

TEST_F(RemitoWorkerTest, WhereTheOrderNumberIsTheRemitoItsZerosStay) {
  start();
  ask("chazki", "0000001000417");
  clock().run_for(5s);
  EXPECT_EQ(state("0000001000417"), "granted");
  EXPECT_EQ(database.text("select remito from shipments"), "0000001000417");
  clock().run_for(1h);
  EXPECT_THAT(carriers.asked_at("chazki", "0000001000417"), SizeIs(1));
}

TEST_F(RemitoWorkerTest, ACreateGoesOverAConnectionOfItsOwn) {
  start();
  ask("oca", "1001");
  ask("chazki", "1002");
  clock().run_for(5s);
  ASSERT_THAT(carriers.creates(), SizeIs(2));
  for (const SentRequest& sent : carriers.creates()) EXPECT_TRUE(sent.request.fresh_connection) << sent.asked.carrier;
}

TEST_F(RemitoWorkerTest, ARefusalCarriesTheCarriersWords) {
  start();
  carriers.next("chazki", http_answer(200,
                                      R"({"response":0,"descriptionResponse":"FAILED",)"
                                      R"("messages":"El distrito no tiene cobertura"})",
                                      "application/json"));
  ask("chazki", "1001");
  clock().run_for(5s);
  EXPECT_EQ(state(), "refused");
  EXPECT_THAT(refusal(), HasSubstr("El distrito no tiene cobertura"));
  EXPECT_EQ(count("transitions where to_status = 'remito_refused' and text like '%cobertura%'"), 1);
  EXPECT_EQ(count("shipments"), 0);
  clock().run_for(24h);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
}

TEST_F(RemitoWorkerTest, AnOrderMayAskAgainAfterARefusal) {
  start();
  carriers.next("chazki", http_answer(200, R"({"response":0,"descriptionResponse":"FAILED"})", "application/json"));
  ask("chazki", "1001");
  clock().run_for(5s);
  ASSERT_EQ(state(), "refused");
  ask_remito("chazki", "1001", payload, "second");
  daemon->intake.wake();
  clock().run_for(5s);
  EXPECT_EQ(database.text("select state from remito_requests where request_key = 'second'"), "granted");
  EXPECT_EQ(ready_to_ship(), 1);
}

// ------------------------------------------------------------------ nothing sent, or nobody knows

TEST_F(RemitoWorkerTest, WhatProvablyNeverLeftIsTriedAgainWithGrowingPausesAndTheSameReference) {
  start();
  for (int i = 0; i < 6; ++i) carriers.next("oca", fetch_error(FetchError::Kind::connect, true));
  ask("oca", "1001");
  clock().run_for(1h);
  const auto creates = carriers.creates();
  ASSERT_THAT(creates, SizeIs(7));
  std::set<std::string> references;
  for (const SentRequest& sent : creates) references.insert(sent.asked.client_ref);
  EXPECT_THAT(references, SizeIs(1));
  EXPECT_THAT(*references.begin(), Not(IsEmpty()));
  for (std::size_t i = 2; i < creates.size(); ++i)
    EXPECT_GT(creates[i].at - creates[i - 1].at, creates[i - 1].at - creates[i - 2].at) << i;
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(database.number("select attempts from remito_requests"), 7);
  EXPECT_EQ(ready_to_ship(), 1);
}

TEST_F(RemitoWorkerTest, ThePausesHaveAnEnd) {
  start();
  carriers.always("oca", fetch_error(FetchError::Kind::resolve, true));
  ask("oca", "1001");
  clock().run_for(24h);
  EXPECT_GE(carriers.creates().size(), 24u * 6 - 6) << "every ten minutes at least";
  EXPECT_LE(carriers.creates().size(), 24u * 6 + 10);
  EXPECT_EQ(state(), "pending");
}

struct Unclear {
  std::string name;
  FetchResult answer;
  friend void PrintTo(const Unclear& unclear, std::ostream* out) { *out << unclear.name; }
};
const std::vector<Unclear> unclear_answers{
    Unclear{"timeout", fetch_error(FetchError::Kind::timeout)},
    Unclear{"reset", fetch_error(FetchError::Kind::transport)},
    Unclear{"too_large", fetch_error(FetchError::Kind::too_large)},
    Unclear{"http_500", http_answer(500, "Internal Server Error", "text/plain")},
    Unclear{"http_504", http_answer(504, "<html><body>504 Gateway Time-out</body></html>", "text/html")},
    Unclear{"html_at_200", http_answer(200, "<html><body>Mantenimiento</body></html>", "text/html")},
    Unclear{"truncated", http_answer(200, R"({"response":1,"descri)", "application/json")},
    Unclear{"empty", http_answer(200, "", "application/json")},
    Unclear{"neither", http_answer(200, R"({"response":99,"descriptionResponse":"ERROR"})", "application/json")}};

class UnclearAnswer : public RemitoWorkerTest, public testing::WithParamInterface<Unclear> {};
INSTANTIATE_TEST_SUITE_P(Answers, UnclearAnswer, testing::ValuesIn(unclear_answers),
                         [](const auto& of) { return of.param.name; });

TEST_P(UnclearAnswer, OfACarrierThatPromisesNothingIsForAPersonAndNeverSentAgain) {
  start();
  carriers.next("chazki", GetParam().answer);
  ask("chazki", "1001");
  clock().run_for(6h);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_THAT(refusal(), HasSubstr("last seen: ")) << "it says what was seen";
  EXPECT_EQ(count("shipments"), 0);
  EXPECT_EQ(ready_to_ship(), 0);
  EXPECT_EQ(daemon->worker.counters().needs_operator, 1u);
}

TEST_F(RemitoWorkerTest, WhatNeedsAPersonIsNotSentAgainForAWeekOfSweepsAndRestarts) {
  start();
  for (const Unclear& unclear : unclear_answers) carriers.next("chazki", unclear.answer);
  for (std::size_t i = 0; i < unclear_answers.size(); ++i) ask("chazki", std::to_string(1001 + i));
  for (int day = 0; day < 7; ++day) {
    clock().run_for(24h);
    restart();
    start();
  }
  EXPECT_THAT(carriers.creates(), SizeIs(unclear_answers.size()));
  EXPECT_EQ(count("remito_requests where state = 'needs_operator'"), static_cast<std::int64_t>(unclear_answers.size()));
}

TEST_F(RemitoWorkerTest, ACrashBetweenSendingAndSettlingIsForAPerson) {
  carriers.set_latency(10s);
  start();
  ask("oca", "1001");
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1min));
  EXPECT_EQ(state(), "sending") << "committed before the call";
  restart();
  start();
  clock().run_for(24h);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_THAT(refusal(), HasSubstr("attempt 1 was found cut off"));
}

TEST_F(RemitoWorkerTest, ACrashBetweenTheAnswerAndItsCommitIsForAPerson) {
  start();
  ask("oca", "1001");
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1min));
  daemon->executor.fail_always(DbError::Kind::connection);
  clock().run_for(1min);
  EXPECT_EQ(state(), "sending");
  restart();
  start();
  clock().run_for(std::chrono::days{1});
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(state(), "needs_operator");
}

TEST_F(RemitoWorkerTest, StopWaitsForTheCallUnderWay) {
  carriers.set_latency(10s);
  start();
  ask("oca", "1001");
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1min));
  ask("oca", "1002");
  EXPECT_TRUE(daemon->stop());
  EXPECT_EQ(state("1001"), "granted");
  EXPECT_EQ(count("remito_requests where order_number = '1002' and state <> 'pending'"), 0) << "not begun";
  EXPECT_THAT(carriers.creates(), SizeIs(1));
}

// ------------------------------------------------------------------ what is not sent at all

TEST_F(RemitoWorkerTest, AnEmptyRequiredFieldSendsNothingAndIsNamed) {
  start();
  ask_remito("chazki", "1001", replaced(payload, R"("Calle Falsa")", R"("  ")"));
  daemon->intake.wake();
  clock().run_for(1h);
  EXPECT_THAT(carriers.creates(), IsEmpty());
  EXPECT_EQ(state(), "refused");
  EXPECT_THAT(refusal(), HasSubstr("recipient.address.street"));
  EXPECT_EQ(count("transitions where to_status = 'remito_refused'"), 1);
  EXPECT_EQ(count("transitions where seq is null"), 0);
}

TEST_F(RemitoWorkerTest, ARequestForACarrierThatIsNotConfiguredIsRefused) {
  start();
  ask("ocaa", "1001");
  clock().run_for(1h);
  EXPECT_EQ(state(), "refused");
  EXPECT_THAT(refusal(), HasSubstr("ocaa"));
  EXPECT_THAT(refusal(), HasSubstr("oca")) << "names those that are";
  EXPECT_EQ(count("transitions where to_status = 'remito_refused' and seq is not null"), 1);
}

// ------------------------------------------------------------------ the database

class SettlementWithoutDatabase : public RemitoWorkerTest, public testing::WithParamInterface<DbError::Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, SettlementWithoutDatabase,
                         testing::Values(DbError::Kind::busy, DbError::Kind::connection, DbError::Kind::disk),
                         [](const auto& of) { return std::string(db::name(of.param)); });

TEST_P(SettlementWithoutDatabase, IsTriedUntilItSucceedsAndTheRemitoIsNotLost) {
  start();
  ask("oca", "1001");
  ASSERT_TRUE(clock().run_until_true([&] { return daemon->transport.in_flight() == 1; }, monday + 1min));
  daemon->executor.fail_always(GetParam());
  clock().run_for(2h);
  EXPECT_EQ(state(), "sending");
  EXPECT_TRUE(daemon->worker.database_trouble());
  EXPECT_FALSE(daemon->worker.idle());
  daemon->executor.stop_failing();
  clock().run_for(1min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(ready_to_ship(), 1);
  EXPECT_FALSE(daemon->worker.database_trouble());
  EXPECT_THAT(carriers.creates(), SizeIs(1));
}

TEST_F(RemitoWorkerTest, ASettlementThatTheDatabaseRefusesHoldsUpNobodyElse) {
  database.sql(
      "create trigger refuse before insert on shipments when new.order_number = '1002' "
      "begin select raise(abort, 'refused by a rule'); end");
  start();
  for (const char* order : {"1001", "1002", "1003"}) ask("oca", order);
  clock().run_for(10min);
  EXPECT_EQ(state("1001"), "granted");
  EXPECT_EQ(state("1003"), "granted");
  // The carrier has made a shipment: a person has to know its number.
  EXPECT_EQ(state("1002"), "needs_operator");
  EXPECT_THAT(refusal("1002"), HasSubstr("39055"));
  EXPECT_TRUE(daemon->worker.idle());
  EXPECT_THAT(carriers.creates(), SizeIs(3));
}

// ------------------------------------------------------------------ limits

TEST_F(RemitoWorkerTest, PollsAndCreatesTogetherKeepTheCarriersRate) {
  start([](scheduler::LaneConfig& config) { config.requests_per_second = 1; });
  daemon->executor.set_latency(300ms);  // time for a poll to take what a claim counts on
  for (int i = 1; i <= 200; ++i) follow("oca", "R" + std::to_string(i), "x" + std::to_string(i));
  daemon->intake.wake();
  clock().run_for(1min);
  for (int i = 1; i <= 100; ++i) ask_remito("oca", std::to_string(1000 + i), payload);
  daemon->intake.wake();
  std::vector<db::ResyncScope> all;
  for (std::int64_t id = 1; id <= 200; ++id) all.push_back({id, "oca"});
  daemon->poller.mark_resync(all);
  clock().run_for(1h);
  expect_rate(carriers.sent(), 1);
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 100);
}

TEST_F(RemitoWorkerTest, PollsAndCreatesTogetherKeepTheCarriersConcurrency) {
  carriers.set_latency(5s);
  daemon->add_carrier("oca", [](scheduler::LaneConfig& config) {
    config.requests_per_second = 100;
    config.concurrency = 2;
  });
  for (int i = 1; i <= 50; ++i) follow("oca", "R" + std::to_string(i), "x" + std::to_string(i));
  for (int i = 1; i <= 50; ++i) ask_remito("oca", std::to_string(1000 + i), payload);
  daemon->start();
  std::vector<db::ResyncScope> all;
  for (std::int64_t id = 1; id <= 50; ++id) all.push_back({id, "oca"});
  daemon->poller.mark_resync(all);
  clock().run_for(1h);
  EXPECT_EQ(daemon->transport.in_flight_max(), 2u);
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 50);
}

TEST_F(RemitoWorkerTest, ARemitoDoesNotWaitForTheEndOfALongResync) {
  daemon->add_carrier("oca", [](scheduler::LaneConfig& config) { config.requests_per_second = 1; });
  for (int i = 1; i <= 1000; ++i) follow("oca", "R" + std::to_string(i), "x" + std::to_string(i));
  daemon->start();
  std::vector<db::ResyncScope> all;
  for (std::int64_t id = 1; id <= 1000; ++id) all.push_back({id, "oca"});
  daemon->poller.mark_resync(all);
  clock().run_for(1min);
  ask("oca", "1001");
  clock().run_for(10s);
  EXPECT_EQ(state(), "granted") << "a merchant waits for it";
}

TEST_F(RemitoWorkerTest, WhileOneRequestTriesAfterARestThePollsHaveThePlacesOfTheOthers) {
  start([](scheduler::LaneConfig& config) { config.concurrency = 2; });
  auto throttled = http_answer(429, "Limit Exceeded", "text/plain");
  throttled->retry_after = 30min;
  carriers.always("oca", [&, creates = 0](const Asked& asked, Instant) mutable {
    return asked.create && ++creates == 1 ? throttled : carriers.ordinary_answer(asked);
  });
  for (int i = 1; i <= 50; ++i) follow("oca", "R" + std::to_string(i), "x" + std::to_string(i));
  for (int i = 1; i <= 20; ++i) ask_remito("oca", std::to_string(1000 + i), payload);
  daemon->intake.wake();
  clock().run_for(1min);
  const Instant rested = daemon->poller.lane("oca")->orders_resting_until();
  clock().run_until(rested - 1s);
  carriers.set_latency(10min);
  clock().run_until(rested + 1s);
  ASSERT_THAT(carriers.creates(), SizeIs(2));
  carriers.set_latency(100ms);
  const std::size_t sent = carriers.sent().size();
  clock().run_for(9min);
  EXPECT_THAT(carriers.creates(), SizeIs(2)) << "it is still out";
  EXPECT_GT(carriers.sent().size(), sent + 3);
  clock().run_for(10min);
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 19) << "what was throttled is for a person";
}

TEST_F(RemitoWorkerTest, NothingIsSentWhileTheCarrierRests) {
  start();
  auto throttled = http_answer(429, "Limit Exceeded", "text/plain");
  throttled->retry_after = 1h;
  follow("oca", "R1");
  daemon->intake.wake();
  carriers.next("oca", throttled);
  ASSERT_TRUE(clock().run_until_true(
      [&] { return daemon->poller.lane("oca")->breaker() == scheduler::BreakerState::open; }, monday + 2h));
  ask("oca", "1001");
  clock().run_for(55min);
  EXPECT_THAT(carriers.creates(), IsEmpty());
  EXPECT_EQ(state(), "pending");
  clock().run_for(10min);
  EXPECT_EQ(state(), "granted");
}

}  // namespace
}  // namespace remitod::test
