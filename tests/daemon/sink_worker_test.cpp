// Sinks on the virtual clock, with a real database: what receivers get when they, the database or the daemon fail.
#include <gmock/gmock.h>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "daemon/log.h"
#include "daemon/sink_control.h"
#include "daemon/sinks.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using daemon::SinkChannel;
using daemon::SinkMessage;
using daemon::SinkOutcome;
using daemon::SinkQueue;
using daemon::Sinks;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = SinkOutcome::Kind;

/// Somewhere that transitions go to. Outlives the daemons that send to it.
struct Receiver {
  struct Attempt {
    Instant at{};
    std::string id;
    Kind kind{};
  };
  /// Says what becomes of an attempt. Never: it hangs for as long as a channel may.
  std::function<std::optional<SinkOutcome>(const SinkMessage&)> answer = [](const SinkMessage&) {
    return SinkOutcome{Kind::delivered};
  };
  std::chrono::milliseconds latency{20};
  std::vector<Attempt> attempts;

  std::vector<std::string> received() const {
    std::vector<std::string> ids;
    for (const Attempt& attempt : attempts)
      if (attempt.kind == Kind::delivered) ids.push_back(attempt.id);
    return ids;
  }
};

class VirtualChannel final : public SinkChannel {
 public:
  static constexpr auto time_limit = 20s;
  VirtualChannel(VirtualRuntime& runtime, Receiver& receiver) : runtime_(runtime), receiver_(receiver) {}
  void send(SinkMessage message, Done done) override {
    auto outcome = receiver_.answer(message);
    const auto after = outcome ? std::chrono::microseconds(receiver_.latency) : time_limit;
    if (!outcome) outcome = SinkOutcome{Kind::failed, "timeout"};
    receiver_.attempts.push_back({runtime_.now(), message.id, outcome->kind});
    runtime_.after(after, [outcome = std::move(*outcome), done = std::move(done)]() mutable { done(outcome); });
  }

 private:
  VirtualRuntime& runtime_;
  Receiver& receiver_;
};

/// A daemon that has nothing but sinks.
struct Daemon {
  Daemon(VirtualDatabase& database, Instant start, std::string owner)
      : runtime(start), executor(runtime, database), sinks(runtime, executor, std::move(owner)) {}
  VirtualRuntime runtime;
  VirtualExecutor executor;
  Sinks sinks;
};

class SinkWorkerTest : public testing::Test {
 protected:
  SinkWorkerTest() {
    daemon::set_up_log("off");
    restart();
  }
  /// The daemon is gone without a word, and another one stands in its place.
  void restart(const std::string& owner = "here") {
    const Instant now = daemon ? daemon->runtime.now() : monday;
    daemon.reset();
    daemon = make(now, owner);
    daemon->sinks.start();
    daemon->runtime.run_queued();
  }
  std::unique_ptr<Daemon> make(Instant now, const std::string& owner) {
    auto made = std::make_unique<Daemon>(database, now, owner);
    for (auto& [name, receiver] : receivers)
      made->sinks.add(name, "webhook", settings, std::make_unique<VirtualChannel>(made->runtime, receiver));
    return made;
  }
  /// A transition of this order; returns its id.
  std::string tell(const std::string& order) {
    write(order);
    daemon->sinks.kick();
    return std::to_string(database.number("select max(id) from transitions"));
  }
  void write(const std::string& order) {
    database.sql(
        "insert into transitions (seq, dispatched_at, subject, order_number, parcel_group, carrier, remito, event_key, "
        "from_status, to_status, detected_at, created_at) select coalesce(max(seq), 0) + 1, 1, 'shipment', '" +
        order + "', 1, 'oca', 'R" + order +
        "', 'k' || count(*), 'registered', 'in_transit', 1, 1 from transitions;"
        "update counters set value = (select max(seq) from transitions) where name = 'transition_seq'");
  }
  void run_for(std::chrono::microseconds time) { daemon->runtime.run_for(time); }
  Instant now() { return daemon->runtime.now(); }
  Receiver& shop() { return receivers.at("shop"); }
  void fails(const std::string& why = "answered 500") {
    shop().answer = [why](const SinkMessage&) { return SinkOutcome{Kind::failed, why}; };
  }
  void works() {
    shop().answer = [](const SinkMessage&) { return SinkOutcome{Kind::delivered}; };
  }
  std::int64_t letters(const std::string& state) {
    return database.number("select count(*) from sink_letters where state = '" + state + "'");
  }
  std::int64_t replay(const std::string& target) {
    std::int64_t put_back = -1;
    daemon->sinks.replay(db::ReplayTarget::parse(target).value(), [&](auto result) {
      put_back = 0;
      for (const Sinks::ReplayedSink& one : result.value()) put_back += one.replayed.letters;
    });
    daemon->runtime.run_queued();
    return put_back;
  }

  VirtualDatabase database;
  std::map<std::string, Receiver> receivers{{"shop", {}}};
  SinkQueue::Settings settings{4, daemon::standard_retries()};
  std::unique_ptr<Daemon> daemon;
};

// ------------------------------------------------------------------ delivery

TEST_F(SinkWorkerTest, TransitionLeavesInTheMomentInWhichItIsThere) {
  run_for(1h);
  const std::string id = tell("1001");
  run_for(1ms);
  ASSERT_THAT(shop().attempts, SizeIs(1));
  EXPECT_EQ(shop().attempts[0].id, id);
  EXPECT_LE(shop().attempts[0].at, now());
}

TEST_F(SinkWorkerTest, CursorFollowsAndNothingIsSentTwice) {
  for (int i = 0; i < 50; ++i) tell(std::to_string(1000 + i % 7));
  run_for(3s);
  EXPECT_THAT(shop().received(), SizeIs(50));
  EXPECT_EQ(database.number("select cursor_seq from sinks"), 50);
  EXPECT_EQ(database.number("select count(*) from sink_letters"), 0);
  restart();
  run_for(1h);
  EXPECT_THAT(shop().attempts, SizeIs(50));
}

TEST_F(SinkWorkerTest, WhatWasToldBeforeTheSinkWasConfiguredIsNotSent) {
  daemon.reset();
  database.sql("delete from sinks");
  write("1001");
  restart();
  run_for(1h);
  EXPECT_THAT(shop().attempts, IsEmpty());
  EXPECT_EQ(replay("shop:1..1"), 1);
  run_for(1s);
  EXPECT_THAT(shop().attempts, SizeIs(1));
}

TEST_F(SinkWorkerTest, IdleSinkCostsTheDatabaseNextToNothing) {
  run_for(1min);
  const auto before = daemon->executor.works();
  run_for(10min);
  EXPECT_LE(daemon->executor.works() - before, 31u);
}

TEST_F(SinkWorkerTest, SinkThatHangsHoldsUpNoOther) {
  receivers["hangs"].answer = [](const SinkMessage&) { return std::nullopt; };
  restart();
  for (int i = 0; i < 20; ++i) tell(std::to_string(i));
  run_for(1s);
  EXPECT_THAT(shop().received(), SizeIs(20));
  EXPECT_THAT(receivers["hangs"].attempts, SizeIs(4)) << "no more at once than it may";
}

TEST_F(SinkWorkerTest, SinkThatIsFarBehindHoldsABoundedPartOfTheTable) {
  shop().answer = [](const SinkMessage&) { return std::nullopt; };
  for (int i = 0; i < 3000; ++i) write(std::to_string(i));
  daemon->sinks.kick();
  run_for(10s);
  EXPECT_EQ(database.number("select count(*) from sink_letters"), 0);
  works();
  run_for(30min);
  const auto ids = shop().received();
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 3000u);
}

// ------------------------------------------------------------------ failures of the receiver

TEST_F(SinkWorkerTest, FailedLetterIsSentAgainAndThenThoseBehindIt) {
  fails();
  const std::string first = tell("1001"), second = tell("1001"), other = tell("1002");
  run_for(100ms);
  works();
  run_for(10s);
  EXPECT_THAT(shop().received(), testing::UnorderedElementsAre(first, second, other));
  const auto ids = shop().received();
  EXPECT_LT(std::ranges::find(ids, first), std::ranges::find(ids, second));
  EXPECT_EQ(letters("waiting"), 0);
}

TEST_F(SinkWorkerTest, LetterDiesAfterItsLastAttemptAndItsKeyGoesOn) {
  const std::string poison = tell("1001"), next = tell("1001");
  shop().answer = [poison](const SinkMessage& message) {
    return SinkOutcome{message.id == poison ? Kind::failed : Kind::delivered, "answered 500"};
  };
  run_for(std::chrono::days{1});
  EXPECT_THAT(shop().received(), IsEmpty());
  run_for(std::chrono::days{4});
  EXPECT_THAT(shop().received(), ElementsAre(next));
  EXPECT_EQ(letters("dead"), 1);
  EXPECT_EQ(letters("waiting"), 0);
}

TEST_F(SinkWorkerTest, DeadLettersCanBeReplayed) {
  fails();
  const std::string first = tell("1001"), second = tell("1001");
  run_for(std::chrono::days{9});
  EXPECT_EQ(letters("dead"), 2);
  EXPECT_EQ(database.number("select count(*) from sink_letters where attempts = 10"), 2);
  works();
  run_for(std::chrono::days{9});
  EXPECT_THAT(shop().received(), IsEmpty()) << "the dead do not come back by themselves";
  EXPECT_EQ(replay("dead"), 2);
  run_for(1s);
  EXPECT_THAT(shop().received(), ElementsAre(first, second));
  run_for(2s);
  EXPECT_EQ(database.number("select count(*) from sink_letters"), 0);
}

TEST_F(SinkWorkerTest, WhoReplaysWhatIsNotThereIsTold) {
  tell("1001");
  run_for(3s);
  const auto answer_to = [&](const std::string& target) {
    std::optional<daemon::ControlAnswer> answer;
    daemon::replay_letters(daemon->sinks, {"POST", "/replay", {}, R"({"target": ")" + target + "\"}"},
                           [&](daemon::ControlAnswer given) { answer = std::move(given); });
    daemon->runtime.run_queued();
    return answer.value();
  };
  EXPECT_EQ(answer_to("shop:900..999").status, 404);
  EXPECT_THAT(answer_to("shop:900..999").body, HasSubstr("none of the transitions shop:900..999"));
  EXPECT_EQ(answer_to("shop:1..999").status, 200);
  EXPECT_EQ(answer_to("dead").status, 200) << "there may be none";
  EXPECT_EQ(answer_to("shop").status, 200);
  EXPECT_EQ(answer_to("shpo:1..2").status, 404);
  EXPECT_EQ(answer_to("shop:2").status, 400);
  EXPECT_THAT(answer_to("shop:2").body, HasSubstr("the target is none of dead, SINK, SINK:SEQ..SEQ"));
}

TEST_F(SinkWorkerTest, ReceiverThatIsBackGetsAllThatWaitsWithinAMinute) {
  fails("connect: refused");
  for (int i = 0; i < 200; ++i) tell(std::to_string(i));
  run_for(3h);
  works();
  tell("new");
  run_for(1min);
  EXPECT_THAT(shop().received(), SizeIs(201));
}

TEST_F(SinkWorkerTest, RetryAfterIsKept) {
  shop().answer = [](const SinkMessage&) { return SinkOutcome{Kind::failed, "answered 429", 600s}; };
  tell("1001");
  run_for(1s);
  tell("1002");
  run_for(598s);
  EXPECT_THAT(shop().attempts, SizeIs(1));
  works();
  run_for(10s);
  EXPECT_THAT(shop().received(), SizeIs(2));
}

TEST_F(SinkWorkerTest, ReceiverThatIsGoneDisablesTheSinkUntilItIsEnabled) {
  shop().answer = [](const SinkMessage&) { return SinkOutcome{Kind::gone, "answered 410"}; };
  const std::string first = tell("1001");
  run_for(1min);
  EXPECT_EQ(database.text("select disabled_why from sinks"), "answered 410");
  works();
  const std::string second = tell("1001");
  run_for(1h);
  restart();
  run_for(1h);
  EXPECT_THAT(shop().attempts, SizeIs(1));
  bool was_disabled = false;
  daemon->sinks.enable("shop", [&](db::DbResult<bool> result) { was_disabled = result.value(); });
  run_for(1s);
  EXPECT_TRUE(was_disabled);
  EXPECT_THAT(shop().received(), ElementsAre(first, second));
}

// ------------------------------------------------------------------ failures of ours

TEST_F(SinkWorkerTest, DaemonThatDiesSendsAgainWhatItHadNoTimeToWriteAndNothingElse) {
  for (int i = 0; i < 10; ++i) tell(std::to_string(i));
  run_for(5s);
  const std::string last = tell("1001");
  run_for(500ms);
  restart();
  run_for(1s);
  EXPECT_EQ(std::ranges::count(shop().attempts, last, &Receiver::Attempt::id), 2);
  EXPECT_THAT(shop().attempts, SizeIs(12));
}

TEST_F(SinkWorkerTest, AttemptsSurviveARestart) {
  fails();
  tell("1001");
  run_for(10s);
  ASSERT_THAT(shop().attempts, SizeIs(2));
  restart();
  run_for(1s);
  EXPECT_THAT(shop().attempts, SizeIs(2)) << "the next one is minutes away";
}

TEST_F(SinkWorkerTest, WithoutADatabaseNothingIsSentAfterTheLeaseAndNothingIsLost) {
  settings.retries.assign(100, 10s);
  restart();
  fails();
  tell("1001");
  run_for(1s);
  daemon->executor.fail_always(db::DbError::Kind::connection);
  tell("1002");
  run_for(10min);
  EXPECT_TRUE(daemon->sinks.database_trouble());
  EXPECT_LE(shop().attempts.size(), 8u) << "those of a lease of a minute";
  daemon->executor.stop_failing();
  works();
  run_for(20s);
  EXPECT_THAT(shop().received(), SizeIs(2));
  EXPECT_FALSE(daemon->sinks.database_trouble());
}

TEST_F(SinkWorkerTest, WhatBecameOfLettersIsWrittenWhenTheDatabaseIsBack) {
  tell("1001");
  run_for(10ms);
  daemon->executor.fail(3, db::DbError::Kind::busy);
  run_for(20s);
  EXPECT_EQ(database.number("select cursor_seq from sinks"), 1);
}

TEST_F(SinkWorkerTest, OfTwoDaemonsOneSendsAndTheOtherTakesOver) {
  run_for(1s);
  const auto other = make(now(), "there");
  other->sinks.start();
  write("1001");
  other->sinks.kick();
  other->runtime.run_for(30s);
  EXPECT_THAT(shop().attempts, IsEmpty());
  daemon->sinks.stop();  // gives the lease back
  daemon->runtime.run_for(1s);
  EXPECT_TRUE(daemon->sinks.idle());
  other->runtime.run_for(30s);
  EXPECT_THAT(shop().received(), SizeIs(1));
}

TEST_F(SinkWorkerTest, DaemonThatSleptThroughItsLeaseSendsAndWritesNothing) {
  run_for(1s);
  const auto other = make(now() + 5min, "there");
  other->sinks.start();
  other->runtime.run_for(1s);
  write("1001");
  daemon->sinks.kick();
  run_for(1min);
  EXPECT_THAT(shop().attempts, IsEmpty()) << "the lease is the other's";
  EXPECT_EQ(database.number("select cursor_seq from sinks"), 0);
}

TEST_F(SinkWorkerTest, StopWaitsForWhatIsInFlightAndWritesIt) {
  tell("1001");
  daemon->runtime.run_for(1ms);
  daemon->sinks.stop();
  EXPECT_FALSE(daemon->sinks.idle());
  write("1002");
  daemon->sinks.kick();
  run_for(1s);
  EXPECT_TRUE(daemon->sinks.idle());
  EXPECT_THAT(shop().attempts, SizeIs(1));
  EXPECT_EQ(database.number("select cursor_seq from sinks"), 1);
  restart("another");
  run_for(1s);
  EXPECT_THAT(shop().attempts, SizeIs(2)) << "without waiting for a lease to run out";
}

TEST_F(SinkWorkerTest, StopThatComesDuringASyncIsDoneSoonAfterIt) {
  daemon->executor.set_latency(100ms);
  daemon->sinks.kick();
  daemon->sinks.stop();
  run_for(1s);
  EXPECT_TRUE(daemon->sinks.idle());
}

TEST_F(SinkWorkerTest, SinkThatNeverStartedIsIdle) {
  Daemon never(database, now(), "never");
  never.sinks.add("x", "webhook", settings, std::make_unique<VirtualChannel>(never.runtime, shop()));
  EXPECT_TRUE(never.sinks.idle());
}

// ------------------------------------------------------------------ all at once

/// Order by first successful arrival; and every transition arrived.
void expect_all_in_order(VirtualDatabase& database, const std::vector<std::string>& received) {
  std::map<std::string, std::string> order_of;
  std::string id, order;
  database.session().query("select cast(id as text), order_number from transitions order by seq", {}, {&id, &order},
                           [&] { order_of[id] = order; });
  std::map<std::string, std::vector<std::int64_t>> by_order;
  std::set<std::string> seen;
  for (const std::string& one : received)
    if (seen.insert(one).second) by_order[order_of.at(one)].push_back(std::stoll(one));
  EXPECT_EQ(seen.size(), order_of.size());
  for (const auto& [number, ids] : by_order) EXPECT_TRUE(std::ranges::is_sorted(ids)) << "order " << number;
}

class SinkFaults : public SinkWorkerTest, public testing::WithParamInterface<unsigned> {};

TEST_P(SinkFaults, EveryTransitionArrivesAtLeastOnceInOrder) {
  std::mt19937 random(GetParam());
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  shop().answer = [&](const SinkMessage&) -> std::optional<SinkOutcome> {
    if (chance(10)) return std::nullopt;
    if (chance(25)) return SinkOutcome{Kind::failed, "answered 503", chance(20) ? std::optional(30s) : std::nullopt};
    return SinkOutcome{Kind::delivered};
  };
  for (int step = 0; step < 300; ++step) {
    for (auto left = random() % 4; left != 0; --left) tell(std::to_string(random() % 12));
    run_for(std::chrono::milliseconds(random() % 3000));
    if (chance(4)) restart(chance(50) ? "here" : "there");
    if (chance(4)) daemon->executor.fail(static_cast<int>(random() % 5), db::DbError::Kind::busy);
  }
  works();
  run_for(std::chrono::days{1});
  expect_all_in_order(database, shop().received());
  EXPECT_EQ(database.number("select count(*) from sink_letters"), 0);
  EXPECT_EQ(database.number("select cursor_seq from sinks"), database.number("select max(seq) from transitions"));
}
INSTANTIATE_TEST_SUITE_P(Seeds, SinkFaults, testing::Range(1u, 21u));

}  // namespace
}  // namespace remitod::test
