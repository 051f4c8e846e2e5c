// A carrier that wants a login, asked by the whole daemon on a virtual clock: who logs in when, and who waits for it.
#include "daemon/carrier_access.h"

#include <gmock/gmock.h>

#include "tests/carriers/small_profile.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using carriers::FetchError;
using carriers::FetchResult;
using carriers::HttpRequest;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

const std::string profile_text = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
secrets = ["password"]
[limits]
requests_per_second = 1000.0
concurrency = 1000
[auth]
kind = "login"
headers = { X-Token = "{{session.token}}" }
[auth.login]
method = "POST"
url = "{{base_url}}/login"
body_format = "json"
body = '''{"password":"{{secrets.password}}"}'''
[auth.login.answer]
format = "json"
error = "/json/error"
lifetime = "/json/lives"
[auth.login.answer.session]
token = "/json/token"
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
auth_error = "/json/error = 'session'"
snapshot = true
[track.event]
code = "/json/state"
[[track.status]]
code = "moving"
status = "in_transit"
[create]
method = "POST"
url = "{{base_url}}/create/{{client_ref}}"
[create.answer]
format = "json"
accepted_statuses = [202]
auth_error = "/json/error = 'session'"
remito = "/json/number"
[confirm]
url = "{{base_url}}/confirm/{{client_ref}}"
interval = "2 min"
give_up_after = "1 h"
[confirm.answer]
format = "json"
granted = "/json/state = 'made'"
)toml";

FetchResult json(const std::string& body, int status = 200) {
  return http_answer(status, body, "application/json");
}

/// Gives a new token with each login, and takes the newest only.
class LoginCarrier {
 public:
  FetchResult operator()(const HttpRequest& request) {
    if (request.url.ends_with("/login")) return log_in();
    if (!takes_token || std::ranges::find(request.headers, "X-Token: " + token()) == request.headers.end())
      return refusal;
    if (request.url.contains("/create/")) return json("{}", 202);
    if (request.url.contains("/confirm/")) return json(R"({"state":"made"})");
    return json(R"({"state":"moving"})");
  }
  /// As a restart of theirs does, or the end of a session that they never announced.
  void forget_sessions() { ++forgotten_; }

  int logins = 0;
  std::optional<FetchResult> login_trouble;
  std::string lives;  ///< seconds, as they say it
  bool takes_token = true;
  FetchResult refusal = json(R"({"error":"session"})");

 private:
  FetchResult log_in() {
    ++logins;
    if (login_trouble) return *login_trouble;
    return json(R"({"token":")" + token() + "\"" + (lives.empty() ? "" : ",\"lives\":" + lives) + "}");
  }
  std::string token() const { return "token-" + std::to_string(forgotten_); }
  int forgotten_ = 0;
};

struct CarrierAccessTest : testing::Test, VirtualWorld {
  CarrierAccessTest() {
    carriers.serve([this](const HttpRequest& request, Instant) { return carrier(request); });
  }
  void follow_many(int count, const std::function<void(scheduler::LaneConfig&)>& change = {}) {
    daemon->add_carrier(load_small_profile(profile_text, {{"password", "hush-hush"}}), change);
    for (int i = 1; i <= count; ++i) follow("test", "T" + std::to_string(i), std::to_string(i));
    daemon->start();
  }
  void ask(const std::string& order) {
    ask_remito("test", order, "{}");
    daemon->intake.wake();
  }
  std::size_t sent_to(const std::string& path) {
    return static_cast<std::size_t>(std::ranges::count_if(
        carriers.sent(), [&](const SentRequest& sent) { return sent.request.url.contains(path); }));
  }
  daemon::Poller::CarrierView view() { return daemon->poller.carriers().front(); }
  std::string login_trouble() { return view().access.login_trouble(); }
  std::string state() { return database.text("select state from remito_requests"); }

  LoginCarrier carrier;
};

// ------------------------------------------------------------------ polls

TEST_F(CarrierAccessTest, TheFirstPollLogsInAndAllGoOutInTheSession) {
  follow_many(100);
  clock().run_for(61min);
  EXPECT_EQ(carrier.logins, 1);
  EXPECT_EQ(count("shipments where status = 'in_transit'"), 100);
  EXPECT_EQ(view().counters.failed_requests, 0u);
}

TEST_F(CarrierAccessTest, AThousandPollsUnderWayWithAnExpiredTokenCauseOneLoginAndAreAllAnswered) {
  follow_many(1000, [](scheduler::LaneConfig& lane) {
    lane.interval = 24h;
    lane.requests_per_second = 10'000;
  });
  clock().run_for(25h);
  ASSERT_EQ(carrier.logins, 1);
  ASSERT_EQ(count("shipments where status = 'in_transit'"), 1000);
  carriers.forget_sent();
  carrier.forget_sessions();
  carriers.set_latency(10s);
  std::vector<db::ResyncScope> scope;
  for (std::int64_t id = 1; id <= 1000; ++id) scope.push_back({id, "test"});
  ASSERT_EQ(daemon->poller.mark_resync(scope), 1000u);
  clock().run_for(5s);
  EXPECT_EQ(sent_to("/track/"), 1000u) << "all are under way, with a token that is no more";
  clock().run_for(55s);
  EXPECT_EQ(carrier.logins, 2);
  EXPECT_GE(sent_to("/track/"), 2000u) << "each once more";
  EXPECT_LE(sent_to("/track/"), 2002u) << "and at most its ordinary turn";
  EXPECT_EQ(view().lane.status(clock().now()).resync_left, 0u);
  EXPECT_EQ(view().counters.failed_requests, 0u);
  EXPECT_EQ(count("raw_answers where why <> 'something new'"), 0);
}

TEST_F(CarrierAccessTest, ATokenIsRenewedBeforeItEndsAndNoPollIsRefused) {
  carrier.lives = "1800";
  carrier.refusal = json("", 500);  // which would be seen
  follow_many(60);
  clock().run_for(4h);
  EXPECT_EQ(sent_to("/login"), 9u) << "one at the beginning, then one in each 29 minutes";
  EXPECT_EQ(view().counters.failed_requests, 0u);
}

TEST_F(CarrierAccessTest, ACarrierThatRefusesAFreshSessionIsNotAskedForOneAgainAndAgain) {
  carrier.takes_token = false;
  carrier.refusal = json(R"({"error":"not yours"})", 403);
  follow_many(20);
  clock().run_for(61min);
  EXPECT_LE(carrier.logins, 61) << "one a minute at most";
  EXPECT_LE(carriers.sent().size(), 3u * 61) << "nor for anything else: the lane rests";
  EXPECT_THAT(view().counters.last_error, HasSubstr("auth: HTTP 403"));
  EXPECT_EQ(login_trouble(), "") << "the login is well";
  EXPECT_EQ(count("shipments where status = 'in_transit'"), 0);
  carrier.takes_token = true;
  clock().run_for(2h);
  EXPECT_EQ(count("shipments where status = 'in_transit'"), 20);
}

TEST_F(CarrierAccessTest, WithoutALoginNoPollIsSentAndTheBreakerIsOpenUntilOneSucceeds) {
  carrier.login_trouble = json(R"({"error":"cuenta bloqueada"})", 401);
  follow_many(50);
  clock().run_for(3h);
  EXPECT_EQ(sent_to("/track/"), 0u);
  EXPECT_GE(carrier.logins, 10) << "5 s after the first, doubled up to 10 min";
  EXPECT_LE(carrier.logins, 26);
  EXPECT_NE(view().lane.breaker(), scheduler::BreakerState::closed);
  EXPECT_EQ(view().counters.failed_requests, static_cast<std::uint64_t>(carrier.logins))
      << "a login that fails is one failure, not one of each poll";
  EXPECT_EQ(login_trouble(), "login: HTTP 401: cuenta bloqueada");
  EXPECT_EQ(view().counters.last_error, "auth: login: HTTP 401: cuenta bloqueada");
  carrier.login_trouble.reset();
  clock().run_for(80min);
  EXPECT_EQ(login_trouble(), "");
  EXPECT_EQ(view().lane.breaker(), scheduler::BreakerState::closed);
  EXPECT_EQ(count("shipments where status = 'in_transit'"), 50);
}

TEST_F(CarrierAccessTest, TellsWhenNobodyWaitsForAFailedLoginAnyMore) {
  carrier.login_trouble = json(R"({"error":"cuenta bloqueada"})", 401);
  int refused = 0;
  std::vector<bool>
      waiting;  // when the poller is woken: does anybody still wait, so that it has to go on waiting, too?
  daemon::CarrierAccess* access = nullptr;
  const auto looked = [&] { waiting.push_back(access->is_entering()); };
  daemon::CarrierAccess made(daemon->runtime, daemon->transport,
                             load_small_profile(profile_text, {{"password", "hush-hush"}}),
                             {[] {}, looked, looked, [] { return carriers::Random{}; }});
  access = &made;
  for (int i = 0; i < 2; ++i) made.enter([&](const daemon::CarrierAccess::Entered& session) { refused += !session; });
  clock().run_for(1min);
  EXPECT_EQ(refused, 2);
  EXPECT_THAT(waiting, ElementsAre(true, false));
}

TEST_F(CarrierAccessTest, TheTroubleOfALoginShowsNothingOfWhatItsEarlierStepsGave) {
  constexpr std::string_view steps = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
[auth]
kind = "login"
headers = { X-Token = "{{session.token}}" }
[[auth.login]]
url = "{{base_url}}/ticket"
[auth.login.answer]
format = "json"
[auth.login.answer.session]
ticket = "/json/ticket"
[[auth.login]]
url = "{{base_url}}/open?ticket={{session.ticket}}"
[auth.login.answer]
format = "json"
error = "/json/error"
[auth.login.answer.session]
token = "/json/token"
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
snapshot = true
[track.event]
code = "/json/state"
)toml";
  carriers.serve([](const HttpRequest& request, Instant) {
    return request.url.ends_with("/ticket") ? json(R"({"ticket":"canary-4f1d"})")
                                            : json(R"({"error":"canary-4f1d has been used"})", 401);
  });
  daemon::CarrierAccess made(daemon->runtime, daemon->transport, load_small_profile(std::string(steps)),
                             {[] {}, [] {}, [] {}, [] { return carriers::Random{}; }});
  made.enter([](const daemon::CarrierAccess::Entered&) {});
  clock().run_for(1s);
  EXPECT_EQ(made.login_trouble(), "login: HTTP 401: [secret] has been used");
}

TEST_F(CarrierAccessTest, ALoginThatGetsNoAnswerIsTroubleToo) {
  carrier.login_trouble = fetch_error(FetchError::Kind::connect);
  follow_many(5);
  clock().run_for(61min);
  EXPECT_EQ(sent_to("/track/"), 0u);
  EXPECT_THAT(login_trouble(), HasSubstr("login: connect"));
  EXPECT_THAT(view().counters.failures, Contains(Key("unreachable")));
}

TEST_F(CarrierAccessTest, ALoginThatIsThrottledRestsAsLongAsTheCarrierSays) {
  FetchResult throttled = json("{}", 429);
  throttled->retry_after = 300s;
  carrier.login_trouble = throttled;
  follow_many(50, [](scheduler::LaneConfig& lane) { lane.interval = 60s; });
  ASSERT_TRUE(clock().run_until_true([&] { return carrier.logins == 1; }, monday + 5min));
  const Instant first = clock().now();
  carrier.login_trouble.reset();
  clock().run_until(first + 300s);
  EXPECT_EQ(carriers.sent().size(), 1u);
  clock().run_until(first + 310s);
  EXPECT_EQ(carrier.logins, 2);
  EXPECT_GT(sent_to("/track/"), 0u);
}

TEST_F(CarrierAccessTest, LoginsAndPollsTogetherKeepTheCarriersRate) {
  carrier.lives = "60";
  follow_many(200, [](scheduler::LaneConfig& lane) {
    lane.requests_per_second = 0.2;
    lane.concurrency = 2;
    lane.interval = 60s;
  });
  clock().run_for(10h);
  EXPECT_GT(carrier.logins, 500);
  const auto most = static_cast<std::size_t>(0.2 * 36'000) + 2;
  EXPECT_LE(carriers.sent().size(), most) << "a login goes out ahead of its turn, and what follows waits for it";
  EXPECT_GE(carriers.sent().size(), most - 100) << "and no turn is lost";
}

TEST_F(CarrierAccessTest, PollsWaitInTheirLaneWhileALoginIsUnderWay) {
  carriers.set_latency(20s);
  follow_many(300, [](scheduler::LaneConfig& lane) { lane.interval = 60s; });
  ASSERT_TRUE(clock().run_until_true([&] { return carrier.logins == 1; }, monday + 5min));
  clock().run_for(19s);
  EXPECT_EQ(carriers.sent().size(), 1u);
  EXPECT_EQ(view().lane.in_flight(), 1u);
  clock().run_for(2s);
  EXPECT_GT(sent_to("/track/"), 90u);
}

TEST_F(CarrierAccessTest, AStopWhileALoginIsUnderWayComesToItsEnd) {
  carriers.set_latency(5s);
  follow_many(10, [](scheduler::LaneConfig& lane) { lane.interval = 60s; });
  ASSERT_TRUE(clock().run_until_true([&] { return carrier.logins == 1; }, monday + 5min));
  EXPECT_TRUE(daemon->stop());
  EXPECT_EQ(sent_to("/track/"), 1u) << "the one that had logged in";
}

// ------------------------------------------------------------------ remitos

TEST_F(CarrierAccessTest, RequestsForRemitosLogInAndAreSentOnceMoreWhereTheirSessionHasEnded) {
  follow_many(0);
  ask("1");
  clock().run_for(1min);
  EXPECT_EQ(carrier.logins, 1);
  EXPECT_EQ(state(), "accepted");
  ask("2");
  carrier.forget_sessions();
  clock().run_for(1min);
  EXPECT_EQ(carrier.logins, 2);
  EXPECT_EQ(sent_to("/create/"), 3u) << "the second request twice, the first time in vain";
  EXPECT_EQ(count("remito_requests where state = 'accepted' and attempts = 1"), 2);
  EXPECT_EQ(view().lane.in_flight(), 0u);
  EXPECT_TRUE(daemon->worker.idle());
}

TEST_F(CarrierAccessTest, ARequestWhoseSessionEndsAgainWithinTheMinuteIsNotRefusedButSentLater) {
  follow_many(0);
  ask("1");
  clock().run_for(10s);
  carrier.forget_sessions();
  ask("2");
  clock().run_for(10s);
  carrier.forget_sessions();
  ask("3");
  clock().run_for(10s);
  EXPECT_EQ(carrier.logins, 2);
  EXPECT_EQ(count("remito_requests where state = 'pending'"), 1);
  EXPECT_EQ(view().lane.in_flight(), 0u);
  clock().run_for(2min);
  EXPECT_EQ(carrier.logins, 3);
  EXPECT_EQ(count("remito_requests where state = 'accepted'"), 3);
}

TEST_F(CarrierAccessTest, WhatIsSentOnceMoreAfterALoginKeepsItsPlaceAmongTheCarriersRequests) {
  carriers.set_latency(2s);
  follow_many(200, [](scheduler::LaneConfig& lane) {
    lane.concurrency = 1;
    lane.interval = 60s;  // more than it can take: a poll waits for every place
  });
  for (int i = 1; i <= 20; ++i) {
    clock().run_for(1min);
    carrier.forget_sessions();
    ask(std::to_string(i));
  }
  clock().run_for(1min);
  EXPECT_GT(sent_to("/create/"), 30u) << "most of them were refused for their session once";
  EXPECT_EQ(count("remito_requests where state = 'accepted' and attempts = 1"), 20);
  EXPECT_EQ(daemon->transport.in_flight_max(), 1u);
}

TEST_F(CarrierAccessTest, ALookAtAnAcceptedRequestIsMadeOnceMore) {
  follow_many(0);
  ask("1");
  clock().run_for(1min);
  carrier.forget_sessions();
  carrier.refusal = json("", 401);
  clock().run_for(90s);
  EXPECT_EQ(carrier.logins, 2);
  EXPECT_EQ(sent_to("/confirm/"), 2u);
}

TEST_F(CarrierAccessTest, ACreateThatIsRefusedInAFreshSessionIsRefused) {
  carrier.takes_token = false;
  carrier.refusal = json(R"({"error":"not yours"})", 403);
  follow_many(0);
  ask("1");
  clock().run_for(1min);
  EXPECT_EQ(sent_to("/create/"), 2u);
  EXPECT_EQ(carrier.logins, 2);
  EXPECT_EQ(state(), "refused");
  EXPECT_EQ(database.text("select refusal_code from remito_requests"), "http 403");
}

TEST_F(CarrierAccessTest, WithoutALoginACreateIsProvablyUnsentAndTriedAgainLater) {
  carrier.login_trouble = json(R"({"error":"cuenta bloqueada"})", 401);
  follow_many(0);
  ask("1");
  clock().run_for(10min);
  EXPECT_EQ(sent_to("/create/"), 0u);
  EXPECT_EQ(state(), "pending");
  EXPECT_EQ(daemon->worker.counters().unsent, static_cast<std::uint64_t>(carrier.logins));
  carrier.login_trouble.reset();
  clock().run_for(12min);
  EXPECT_EQ(state(), "accepted");
  EXPECT_EQ(sent_to("/create/"), 1u);
}

TEST_F(CarrierAccessTest, APollAndARemitoShareOneLogin) {
  carriers.set_latency(5s);
  follow_many(20, [](scheduler::LaneConfig& lane) { lane.interval = 60s; });
  ask("1");
  clock().run_for(2min);
  EXPECT_EQ(carrier.logins, 1);
  EXPECT_EQ(state(), "accepted");
  EXPECT_EQ(count("shipments where status = 'in_transit'"), 20);
}

}  // namespace
}  // namespace remitod::test
