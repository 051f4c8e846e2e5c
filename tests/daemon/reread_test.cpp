// Kept answers that are read again with another profile, on the virtual clock.
#include "daemon/reread.h"

#include <gmock/gmock.h>

#include "tests/carriers/small_profile.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using daemon::Reread;
using db::DbError;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view tracking = R"toml(
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
shipments = "/json/s"
remito = "id"
events = "events"
[track.event]
code = "code"
time = "at"
formats = ["iso"]
[[track.status]]
code = "MOV"
status = "in_transit"
)toml";
constexpr std::string_view rule_of_07 = R"toml(
[[track.status]]
code = "07"
status = "delivered"
)toml";

std::string alone(std::string_view text) {
  return replaced(std::string(text), "batch_max = 10", "batch_max = 1");
}
std::shared_ptr<const carriers::Profile> first_profile() {
  return load_small_profile(alone(head) + std::string(tracking));
}
std::shared_ptr<const carriers::Profile> better_profile() {
  return load_small_profile(alone(head) + std::string(tracking) + std::string(rule_of_07));
}

std::string event(const std::string& code, const std::string& at) {
  return R"({"code":")" + code + R"(","at":")" + at + "\"}";
}
const std::string moving = event("MOV", "2026-11-22T10:00:00Z");
const std::string seven = event("07", "2026-11-22T15:00:00Z");

struct RereadTest : testing::Test, VirtualWorld {
  /// The carrier shows this code of each of its shipments, and no time.
  void show_state(const std::string& code) {
    carriers.serve([code](const carriers::HttpRequest& request, Instant) {
      const std::string remito = request.url.substr(request.url.rfind('/') + 1);
      return http_answer(200, R"({"s":{"id":")" + remito + R"(","code":")" + code + "\"}}", "application/json");
    });
  }
  /// The carrier shows these events of each of its shipments.
  void show(const std::string& events) {
    carriers.serve([events](const carriers::HttpRequest& request, Instant) {
      const std::string remito = request.url.substr(request.url.rfind('/') + 1);
      return http_answer(200, R"({"s":{"id":")" + remito + R"(","events":[)" + events + "]}}", "application/json");
    });
  }
  void run_with(const std::shared_ptr<const carriers::Profile>& profile) {
    restart();
    daemon->add_carrier(profile);
    daemon->start();
  }
  void end_all() { database.sql("update shipments set ended_at = " + std::to_string(to_micros(clock().now()))); }

  Reread::Progress reread(bool dry_run = false, std::optional<Instant> since = std::nullopt) {
    std::optional<Reread::Begun> begun;
    daemon->reread.begin("test", since, dry_run, [&](Reread::Begun result) { begun = std::move(result); });
    clock().run_queued();
    if (!begun || !*begun) throw std::runtime_error(begun ? begun->error() : "not begun");
    return daemon->reread.progress(**begun).value();
  }
};

TEST_F(RereadTest, ACodeThatANewRuleExplainsIsTheRightTransitionOnce) {
  show(moving + "," + seven);
  for (const char* remito : {"T1", "T2"}) follow("test", remito);
  run_with(first_profile());
  clock().run_for(3h);
  ASSERT_EQ(told("T1"), "registered>in_transit");
  ASSERT_EQ(count("unmapped_codes"), 1);
  end_all();

  run_with(better_profile());
  const Reread::Progress first = reread();
  EXPECT_TRUE(first.finished);
  EXPECT_EQ(first.error, "");
  EXPECT_EQ(first.transitions, 2);
  EXPECT_EQ(first.updated_events, 2);
  EXPECT_EQ(told("T1"), "registered>in_transit in_transit>delivered");
  EXPECT_EQ(told("T2"), "registered>in_transit in_transit>delivered");
  EXPECT_EQ(count("transitions where seq is null"), 0) << "the outbox was told";
  EXPECT_EQ(count("shipments where status = 'delivered' and ended_at is not null"), 2);
  EXPECT_EQ(count("unmapped_codes"), 0);

  const Reread::Progress second = reread();
  EXPECT_EQ(second.answers, first.answers);
  EXPECT_EQ(second.transitions, 0);
  EXPECT_EQ(second.updated_events, 0);
  EXPECT_EQ(count("transitions"), 4);
}

TEST_F(RereadTest, ADryRunSaysWhatItWouldTellOnceAndWritesNothing) {
  show(moving + "," + seven);
  follow("test", "T1");
  run_with(first_profile());
  clock().run_for(3h);
  show(moving + "," + seven + "," + event("MOV", "2026-11-22T16:00:00Z"));
  clock().run_for(3h);
  ASSERT_GE(raw_answers("test").size(), 2u) << "each of them would tell it";
  run_with(better_profile());
  daemon->intake.stop();
  const std::int64_t transitions = count("transitions");
  const Reread::Progress progress = reread(true);
  EXPECT_EQ(progress.transitions, 1);
  ASSERT_THAT(progress.listed, SizeIs(1));
  EXPECT_EQ(progress.listed[0].remito, "T1");
  EXPECT_EQ(progress.listed[0].to, Status::delivered);
  EXPECT_EQ(count("transitions"), transitions);
  EXPECT_EQ(count("tracking_events where status = 'unmapped'"), 1);
  EXPECT_EQ(count("unmapped_codes"), 1);
  EXPECT_EQ(reread().transitions, 1);
}

TEST_F(RereadTest, AnAnswerThatNobodyUnderstoodIsReadWithAProfileThatDoes) {
  carriers.serve([](const carriers::HttpRequest&, Instant) {
    return http_answer(200, R"({"result":{"id":"T1","events":[)" + moving + "]}}", "application/json");
  });
  follow("test", "T1");
  run_with(first_profile());
  clock().run_for(2h);
  ASSERT_EQ(told("T1"), "");
  ASSERT_THAT(raw_answers("test"), SizeIs(testing::Ge(1u)));
  end_all();
  run_with(load_small_profile(replaced(alone(head) + std::string(tracking), "/json/s", "/json/*[id]")));
  EXPECT_EQ(reread().new_events, 1);
  EXPECT_EQ(told("T1"), "registered>in_transit");
}

TEST_F(RereadTest, StatesWithoutTimesAreReadAsOfWhenTheyWereSeen) {
  const std::string snapshots =
      replaced(replaced(replaced(std::string(tracking), "events = \"events\"\n", "snapshot = true\n"),
                        "time = \"at\"\nformats = [\"iso\"]\n", ""),
               "status = \"in_transit\"",
               "status = \"in_transit\"\n[[track.status]]\ncode = \"OUT\"\nstatus = \"out_for_delivery\"");
  follow("test", "T1");
  show_state("MOV");
  run_with(load_small_profile(alone(head) + snapshots));
  clock().run_for(2h);
  for (const char* code : {"OUT", "07", "MOV"}) {
    show_state(code);
    clock().run_for(2h);
  }
  ASSERT_EQ(told("T1"), "registered>in_transit in_transit>out_for_delivery out_for_delivery>in_transit");
  ASSERT_THAT(raw_answers("test"), SizeIs(4));
  const std::int64_t events = count("tracking_events");

  run_with(load_small_profile(alone(head) + snapshots));
  EXPECT_EQ(reread().transitions, 0) << "the same profile: nothing is news, and nothing is the present state again";
  EXPECT_EQ(count("tracking_events"), events);

  run_with(
      load_small_profile(alone(head) + snapshots + "[[track.status]]\ncode = \"07\"\nstatus = \"attempt_failed\"\n"));
  EXPECT_EQ(reread().transitions, 1);
  EXPECT_EQ(count("transitions where to_status = 'attempt_failed' and late"), 1);
  EXPECT_EQ(database.text("select status from shipments"), "in_transit");
  EXPECT_EQ(count("tracking_events"), events);
  EXPECT_EQ(reread().transitions, 0);
}

TEST_F(RereadTest, OnlyWhatCameSinceTheMomentIsRead) {
  show(moving + "," + seven);
  follow("test", "T1");
  run_with(first_profile());
  clock().run_for(3h);
  run_with(better_profile());
  EXPECT_EQ(reread(false, clock().now()).answers, 0);
  EXPECT_EQ(reread(false, monday).transitions, 1);
}

TEST_F(RereadTest, ManyAnswersAreReadAFewAtATime) {
  show(moving + "," + seven);
  for (int i = 1; i <= 205; ++i) follow("test", "T" + std::to_string(i));
  run_with(first_profile());
  clock().run_for(5h);
  ASSERT_EQ(count("transitions"), 205);
  ASSERT_EQ(count("raw_answers"), 205);
  run_with(better_profile());
  const std::size_t works = daemon->executor.works();
  const Reread::Progress progress = reread();
  EXPECT_EQ(progress.done, 205);
  EXPECT_EQ(progress.transitions, 205);
  EXPECT_GE(daemon->executor.works(), works + 2 * 205 / 20) << "twenty to a transaction at most";
}

TEST_F(RereadTest, OneAtATimeIsUnderWayOfACarrier) {
  run_with(first_profile());
  daemon->executor.set_latency(1s);
  std::optional<Reread::Begun> first, second;
  daemon->reread.begin("test", {}, false, [&](Reread::Begun begun) { first = std::move(begun); });
  daemon->reread.begin("test", {}, false, [&](Reread::Begun begun) { second = std::move(begun); });
  EXPECT_FALSE(daemon->reread.idle());
  clock().run_for(1min);
  EXPECT_TRUE(first->has_value());
  ASSERT_FALSE(second->has_value());
  EXPECT_THAT(second->error(), HasSubstr("already"));
  EXPECT_TRUE(daemon->reread.idle());
}

TEST_F(RereadTest, ADatabaseThatGoesAwayEndsItAndWhatWasDoneStaysDone) {
  show(moving + "," + seven);
  for (int i = 1; i <= 50; ++i) follow("test", "T" + std::to_string(i));
  run_with(first_profile());
  clock().run_for(3h);
  run_with(better_profile());
  daemon->intake.stop();
  clock().run_queued();
  daemon->executor.set_latency(100ms);
  std::optional<Reread::Begun> begun;
  daemon->reread.begin("test", {}, false, [&](Reread::Begun result) { begun = std::move(result); });
  clock().run_for(350ms);
  daemon->executor.fail_always(DbError::Kind::connection);
  clock().run_for(10s);
  const Reread::Progress cut_short = daemon->reread.progress(**begun).value();
  EXPECT_TRUE(cut_short.finished);
  EXPECT_NE(cut_short.error, "");
  EXPECT_EQ(cut_short.transitions, 20);
  daemon->executor.stop_failing();
  daemon->executor.set_latency(0ms);
  EXPECT_EQ(reread().transitions, 30);
  EXPECT_EQ(count("transitions where to_status = 'delivered'"), 50);
}

TEST_F(RereadTest, WhatWasErasedIsNotReadAgain) {
  show(moving + "," + seven);
  follow("test", "T1");
  run_with(first_profile());
  clock().run_for(3h);
  end_all();
  database.sql("update shipments set erased_at = 1");
  run_with(better_profile());
  EXPECT_EQ(reread().transitions, 0);
  EXPECT_EQ(told("T1"), "registered>in_transit");
}

TEST_F(RereadTest, AnAnswerOfSeveralPagesIsReadAsTheOneThatItIs) {
  const std::string paged =
      replaced(alone(head) + std::string(tracking), "/track/{{remito}}", "/track/{{remito}}?page={{page}}") +
      "[track.paging]\nkind = \"page\"\nmore = \"/json/more = 'true'\"\npages_max = 5\n";
  carriers.serve([](const carriers::HttpRequest& request, Instant) {
    const bool first = request.url.ends_with("=1");
    return http_answer(200,
                       R"({"more":)" + std::string(first ? "true" : "false") + R"(,"s":{"id":"T1","events":[)" +
                           (first ? moving : seven) + "]}}",
                       "application/json");
  });
  follow("test", "T1");
  run_with(load_small_profile(paged));
  clock().run_for(3h);
  ASSERT_EQ(told("T1"), "registered>in_transit");
  end_all();
  run_with(load_small_profile(paged + std::string(rule_of_07)));
  const Reread::Progress progress = reread();
  EXPECT_EQ(progress.unread, 0);
  EXPECT_EQ(told("T1"), "registered>in_transit in_transit>delivered");
}

TEST_F(RereadTest, OfACarrierInShadowItIsRecordedAndToldToNobody) {
  show(moving + "," + seven);
  follow("test", "T1");
  run_with(first_profile());
  clock().run_for(3h);
  end_all();
  restart();
  daemon->add_carrier(better_profile(), {}, true);
  daemon->start();
  EXPECT_EQ(reread().transitions, 1);
  clock().run_for(1min);
  EXPECT_EQ(count("transitions where to_status = 'delivered' and shadow and seq is null"), 1);
}

TEST_F(RereadTest, NothingIsKnownOfOneThatNobodyAskedFor) {
  run_with(first_profile());
  EXPECT_FALSE(daemon->reread.progress(7));
  EXPECT_EQ(reread().answers, 0);
  EXPECT_THAT(reread(true).listed, IsEmpty());
}

}  // namespace
}  // namespace remitod::test
