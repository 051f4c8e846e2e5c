// Logins as the state machine sees them: what is sent when, and what becomes of the requests that wait.
#include "carriers/session.h"

#include <gmock/gmock.h>

#include "carriers/request.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using carriers::Call;
using carriers::CarrierTrouble;
using carriers::FetchError;
using carriers::FetchResult;
using carriers::HttpAnswer;
using carriers::HttpRequest;
using carriers::Session;
using carriers::TrackItem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view oauth = R"toml([auth]
kind = "oauth2"
grant = "client_credentials"
token_url = "{{base_url}}/token"
client_id = "{{settings.account}}"
client_secret = "{{secrets.password}}"
scope = "track all"
)toml";

constexpr std::string_view login = R"toml([auth]
kind = "login"
lifetime = "30 min"
headers = { X-Token = "{{session.token}}" }
[auth.login]
method = "POST"
url = "{{base_url}}/login"
body_format = "xml"
body = '''<login user="{{settings.account}}" password="{{secrets.password}}"/>'''
[auth.login.answer]
format = "xml"
success = "not(//fault)"
error = "//fault"
[auth.login.answer.session]
token = "//token"
)toml";

HttpAnswer answer(std::string body, int status = 200) {
  HttpAnswer result;
  result.status = status;
  result.body = std::move(body);
  return result;
}

class SessionTest : public ProfileTest {
 protected:
  static std::string tracking(std::string_view auth, std::string_view track = "url = \"{{base_url}}/{{remito}}\"") {
    return "title = \"C\"\nzone = \"America/Lima\"\nbase_url = \"https://c.example\"\nsettings = [\"account\"]\n"
           "secrets = [\"password\"]\n" +
           std::string(auth) + "[track]\n" + std::string(track) +
           "\n[track.answer]\nformat = \"xml\"\nshipments = \"//s\"\nremito = \"n\"\nsnapshot = true\n"
           "[track.event]\ncode = \"c\"\n";
  }

  void open(std::string_view auth) {
    profile_ = loaded(tracking(auth));
    ASSERT_TRUE(profile_);
    session_.emplace(profile_);
  }

  Session::Step next() { return session_->next(now_, {}); }

  HttpRequest login_request() {
    Session::Step step = next();
    auto* send = std::get_if<Session::SendLogin>(&step);
    if (!send) ADD_FAILURE() << "no login is to be sent, but " << step.index();
    return send ? send->request : HttpRequest{};
  }

  std::shared_ptr<const carriers::SessionValues> values() {
    Session::Step step = next();
    auto* ready = std::get_if<Session::Ready>(&step);
    if (!ready) ADD_FAILURE() << "the session is not ready, but " << step.index();
    return ready ? ready->values : nullptr;
  }

  CarrierTrouble trouble() {
    Session::Step step = next();
    auto* failed = std::get_if<Session::Failed>(&step);
    if (!failed) ADD_FAILURE() << "the login has not failed, but " << step.index();
    return failed ? failed->trouble : CarrierTrouble{};
  }

  void log_in(FetchResult result) {
    login_request();
    session_->login_answered(result, now_);
  }

  Instant now_ = *from_iso8601("2026-11-23T12:00:00Z");
  std::shared_ptr<const carriers::Profile> profile_;
  std::optional<Session> session_;
};

TEST_F(SessionTest, WhatSaysThatItHasEndedIsNoAnswerAboutShipments) {
  const std::string whole =
      with(tracking(login), "shipments =", "not_found_statuses = [403, 404]\ngone_statuses = [401]\nshipments =");
  const auto found = errors(whole);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].key, "track.answer.not_found_statuses");
  EXPECT_THAT(found[0].message, HasSubstr("403 means that the session has ended"));
  EXPECT_EQ(found[1].key, "track.answer.gone_statuses");
  EXPECT_TRUE(loaded(with(tracking(""), "shipments =", "not_found_statuses = [403]\nshipments ="))) << "no login";
}

TEST_F(SessionTest, ALoginGivesTheValuesThatRequestsAreMadeWith) {
  open(login);
  EXPECT_EQ(login_request().body, R"(<login user="77&amp;1" password="hush-hush"/>)");
  EXPECT_TRUE(std::holds_alternative<Session::Wait>(next())) << "one login at a time";
  session_->login_answered(answer("<a><token> t-1 </token></a>"), now_);
  ASSERT_TRUE(values());
  EXPECT_THAT(values()->values, ElementsAre("t-1"));

  Call call(now_);
  call.session = values()->values;
  const TrackItem item{.remito = "1"};
  EXPECT_THAT(build_track(*profile_, std::span{&item, 1}, call)->headers, ElementsAre("X-Token: t-1"));
  EXPECT_EQ(build_track(*profile_, std::span{&item, 1}, now_).error().field, "session") << "not without a login";
}

TEST_F(SessionTest, AThousandRequestsThatCarryAnExpiredTokenCauseOneLogin) {
  open(login);
  log_in(answer("<token>old</token>"));
  const std::uint64_t generation = values()->generation;
  now_ += 10min;
  int logins = 0;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(session_->rejected(generation, now_)) << "each is made once more";
    if (std::holds_alternative<Session::SendLogin>(next())) ++logins;
  }
  EXPECT_EQ(logins, 1);
  session_->login_answered(answer("<token>new</token>"), now_);
  EXPECT_THAT(values()->values, ElementsAre("new"));
  EXPECT_TRUE(session_->rejected(generation, now_)) << "a late answer to a request with the old token";
  EXPECT_THAT(values()->values, ElementsAre("new")) << "which says nothing of the new one";
}

TEST_F(SessionTest, ACarrierThatTakesNoTokenIsNotAskedForOneWithEveryRequest) {
  open(login);
  log_in(answer("<token>1</token>"));
  EXPECT_TRUE(session_->rejected(values()->generation, now_));
  log_in(answer("<token>2</token>"));
  EXPECT_FALSE(session_->rejected(values()->generation, now_ + 59s)) << "the new one, too: this is not about the token";
  EXPECT_THAT(values()->values, ElementsAre("2"));
  now_ += 60s;
  EXPECT_TRUE(session_->rejected(values()->generation, now_));
}

TEST_F(SessionTest, ASessionIsRenewedShortlyBeforeItsEnd) {
  open(login);
  log_in(answer("<token>1</token>"));
  now_ += 29min - 1us;
  EXPECT_TRUE(values());
  now_ += 1us;
  log_in(answer("<token>2</token>"));
  EXPECT_THAT(values()->values, ElementsAre("2"));
}

TEST_F(SessionTest, AFailedLoginRestsLongerEachTimeAndTellsWhy) {
  open(login);
  log_in(answer("<fault>no such user</fault>"));
  EXPECT_EQ(trouble().kind, CarrierTrouble::Kind::auth);
  EXPECT_EQ(trouble().message, "login: refused: no such user");
  now_ += 5s;
  log_in(std::unexpected(FetchError{.kind = FetchError::Kind::timeout, .message = "no answer"}));
  EXPECT_EQ(trouble().message, "login: timeout: no answer");
  now_ += 9s;
  EXPECT_EQ(trouble().message, "login: timeout: no answer");
  now_ += 1s;
  HttpAnswer throttled = answer("<x/>", 429);
  throttled.retry_after = 300s;
  log_in(throttled);
  EXPECT_EQ(trouble().kind, CarrierTrouble::Kind::throttled);
  now_ += 299s;
  trouble();
  now_ += 1s;
  log_in(answer("<token>1</token>"));
  ASSERT_TRUE(values());
  EXPECT_TRUE(session_->rejected(values()->generation, now_));
  log_in(answer("<fault/>"));
  now_ += 5s;
  login_request();
}

TEST_F(SessionTest, WhatFailedIsToldUntilALoginSucceeds) {
  open(login);
  EXPECT_EQ(session_->trouble(), nullptr);
  log_in(answer("<fault>no such user</fault>"));
  now_ += 5s;
  login_request();
  ASSERT_TRUE(session_->trouble()) << "also while the next is under way";
  EXPECT_EQ(session_->trouble()->message, "login: refused: no such user");
  EXPECT_TRUE(session_->login_answered(answer("<token>1</token>"), now_));
  EXPECT_EQ(session_->trouble(), nullptr);
}

TEST_F(SessionTest, ASessionThatHasEndedWhenItBeginsIsAFailedLoginAndNoLoopOfThem) {
  open(with(login, "success = \"not(//fault)\"", "expires_at = \"//until\"\nformats = [\"iso\"]"));
  log_in(answer("<a><token>1</token><until>2026-11-23T11:59:59Z</until></a>"));
  EXPECT_EQ(trouble().message, "login: it ends at 2026-11-23T11:59:59Z, in the past");
  now_ += 5s;
  log_in(answer("<a><token>2</token><until>2026-11-23T13:00:00Z</until></a>"));
  EXPECT_TRUE(values());
}

TEST_F(SessionTest, WhereTheAnswerSaysNotHowLongItLastsTheProfilesWordHolds) {
  open(with(login, "success = \"not(//fault)\"", "lifetime = \"number(//minutes) * 60\""));
  log_in(answer("<a><token>1</token></a>"));
  EXPECT_TRUE(values());
  now_ += 31min;
  log_in(answer("<a><token>2</token><minutes>5</minutes></a>"));
  EXPECT_TRUE(values());
  now_ += 6min;
  login_request();
}

TEST_F(SessionTest, AnAnswerAboutAnOrderRefusesTheSessionByItsStatusOrByTheProfilesWord) {
  const auto profile = loaded(tracking(login) +
                              "[create]\nurl = \"{{base_url}}/create\"\n[create.answer]\nformat = \"xml\"\n"
                              "granted = \"//number\"\nremito = \"//number\"\nauth_error = \"//who\"\n");
  const auto refuses = [&](std::string body, int status) {
    const auto trouble = order_trouble(*profile, carriers::OrderOperation::create, answer(std::move(body), status));
    return trouble && trouble->kind == carriers::CarrierTrouble::Kind::auth;
  };
  EXPECT_TRUE(refuses("", 401));
  EXPECT_TRUE(refuses("<html>", 403));
  EXPECT_TRUE(refuses("<a><who/></a>", 200));
  EXPECT_TRUE(refuses("<a><who/></a>", 500));
  EXPECT_FALSE(refuses("<a><number>1</number></a>", 200));
  EXPECT_FALSE(refuses("<a/>", 500));
  EXPECT_FALSE(refuses("no document", 200));
}

TEST_F(SessionTest, WhatAnAnswerHoldsIsNeverPartOfTheTrouble) {
  open(login);
  for (const auto& [body, status] : {std::pair{"<a><Token>canary-1</Token></a>", 200},
                                     {"canary-2", 200},
                                     {"<a><token>canary-3</token></a>", 500},
                                     {"{\"token\": \"canary-4\"}", 401}}) {
    log_in(answer(body, status));
    EXPECT_THAT(trouble().message, AllOf(HasSubstr("login: "), Not(HasSubstr("canary"))));
    now_ += 1h;
  }
}

TEST_F(SessionTest, OAuth2AsksWithTheClientsIdAndKeepsTheTokenAsLongAsTheAnswerSays) {
  open(oauth);
  const HttpRequest request = login_request();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://c.example/token");
  EXPECT_THAT(request.headers, Contains("Content-Type: application/x-www-form-urlencoded"));
  EXPECT_EQ(request.body, "grant_type=client_credentials&scope=track%20all&client_id=77%261&client_secret=hush-hush");
  session_->login_answered(answer(R"({"access_token": "t-1", "expires_in": 300})"), now_);
  now_ += 270s - 1us;
  Call call(now_);
  const auto ready = values();
  call.session = ready->values;
  const TrackItem item{.remito = "1"};
  EXPECT_THAT(build_track(*profile_, std::span{&item, 1}, call)->headers, ElementsAre("Authorization: Bearer t-1"));
  now_ += 1us;
  EXPECT_EQ(login_request().method, "POST") << "a tenth of its life before the end";
}

TEST_F(SessionTest, OAuth2SendsTheClientInAHeaderAndFurtherParametersWhereTheProfileSaysSo) {
  open(std::string(oauth) +
       "client_auth = \"basic\"\nparameters = { audience = \"a/b\" }\ntoken_headers = { x-merchant = "
       "\"{{settings.account}}\" }\n");
  const HttpRequest request = login_request();
  EXPECT_EQ(request.body, "grant_type=client_credentials&scope=track%20all&audience=a%2Fb");
  EXPECT_THAT(request.headers,
              AllOf(Contains("Authorization: Basic NzcmMTpodXNoLWh1c2g="), Contains("x-merchant: 77&1")));
}

TEST_F(SessionTest, OAuth2WithAPasswordSendsTheUser) {
  open(with(oauth, "\"client_credentials\"", "\"password\"\nuser = \"u@x\"\npassword = \"{{secrets.password}}\""));
  EXPECT_THAT(login_request().body, HasSubstr("grant_type=password&username=u%40x&password=hush-hush&"));
}

TEST_F(SessionTest, ARefreshTokenIsUsedAndKeptUntilItFails) {
  open(oauth);
  log_in(answer(R"({"access_token": "t-1", "refresh_token": "r-1", "expires_in": 300})"));
  now_ += 300s;
  EXPECT_EQ(login_request().body,
            "grant_type=refresh_token&refresh_token=r-1&client_id=77%261&client_secret=hush-hush");
  session_->login_answered(answer(R"({"access_token": "t-2", "expires_in": 300})"), now_);
  EXPECT_EQ(values()->values.front(), "t-2");
  now_ += 300s;
  EXPECT_THAT(login_request().body, HasSubstr("refresh_token=r-1")) << "no new one: the old one stays";
  session_->login_answered(answer(R"({"error": "invalid_grant"})", 400), now_);
  EXPECT_THAT(login_request().body, HasSubstr("grant_type=client_credentials")) << "at once, from the beginning";
  session_->login_answered(answer(R"({"access_token": "t-3"})"), now_);
  EXPECT_EQ(values()->values.front(), "t-3");
  now_ += std::chrono::days{300};
  EXPECT_TRUE(values()) << "nothing says that it ends";
}

TEST_F(SessionTest, ATokenThatIsRefusedThoughItWasJustRefreshedIsAskedForFromTheBeginning) {
  open(oauth);
  log_in(answer(R"({"access_token": "t-1", "refresh_token": "r-1"})"));
  EXPECT_TRUE(session_->rejected(values()->generation, now_));
  EXPECT_THAT(login_request().body, HasSubstr("grant_type=refresh_token"));
  session_->login_answered(answer(R"({"access_token": "t-2"})"), now_);
  now_ += 60s;
  EXPECT_TRUE(session_->rejected(values()->generation, now_));
  EXPECT_THAT(login_request().body, HasSubstr("grant_type=client_credentials"));
}

TEST_F(SessionTest, ACarrierThatWantsToRestIsNotAskedForAnotherTokenAtOnce) {
  open(oauth);
  log_in(answer(R"({"access_token": "t-1", "refresh_token": "r-1", "expires_in": 300})"));
  now_ += 300s;
  HttpAnswer throttled = answer("", 429);
  throttled.retry_after = 120s;
  log_in(throttled);
  now_ += 119s;
  EXPECT_EQ(trouble().kind, CarrierTrouble::Kind::throttled);
  now_ += 1s;
  EXPECT_THAT(login_request().body, HasSubstr("refresh_token=r-1")) << "nothing was said against it";
}

TEST_F(SessionTest, AClockThatIsSetBackMakesNoRestAndNoSessionLonger) {
  open(login);
  log_in(answer("<fault>no such user</fault>"));
  now_ -= 6h;
  trouble();
  now_ += 5s;
  log_in(answer("<token>1</token>"));
  now_ -= 6h;
  EXPECT_TRUE(values());
  now_ += 29min;
  log_in(answer("<token>2</token>"));
  EXPECT_TRUE(session_->rejected(values()->generation, now_));
  log_in(answer("<token>3</token>"));
  now_ -= 6h;
  EXPECT_FALSE(session_->rejected(values()->generation, now_)) << "within the minute";
  now_ += 60s;
  EXPECT_TRUE(session_->rejected(values()->generation, now_));
}

TEST_F(SessionTest, TheErrorOfOAuth2IsTold) {
  open(oauth);
  log_in(answer(R"({"error": "invalid_client", "error_description": "unknown client"})", 401));
  EXPECT_EQ(trouble().message, "login: HTTP 401: unknown client");
}

TEST_F(SessionTest, ALoginOfSeveralStepsHandsOnWhatTheEarlierBrought) {
  open(R"toml([auth]
kind = "login"
[[auth.login]]
url = "{{base_url}}/one?u={{settings.account}}"
[auth.login.answer.session]
cookie = { header = "Set-Cookie", pattern = "(JSESSIONID=[^;]+)" }
[[auth.login]]
method = "POST"
url = "{{base_url}}/two"
headers = { Cookie = "{{session.cookie}}" }
[auth.login.answer]
format = "json"
expires_at = "/json/until"
formats = ["%d/%m/%Y %H:%M"]
[auth.login.answer.session]
depot = "/json/depot"
token = "/json/token"
)toml");
  EXPECT_THAT(profile_->transport_options()->kept_headers, ElementsAre("Set-Cookie"));
  EXPECT_EQ(login_request().url, "https://c.example/one?u=77%261");
  HttpAnswer first = answer("<html>welcome</html>");
  first.headers = {{"Set-Cookie", "lang=es"}, {"Set-Cookie", "JSESSIONID=abc; Path=/; HttpOnly"}};
  EXPECT_FALSE(session_->login_answered(first, now_)) << "not its end";
  EXPECT_THAT(login_request().headers, ElementsAre("Cookie: JSESSIONID=abc"));
  session_->login_answered(answer(R"({"depot": "0530", "token": "t", "until": "23/11/2026 08:00"})"), now_);
  EXPECT_THAT(values()->values, ElementsAre("JSESSIONID=abc", "0530", "t"));
  now_ += 59min;
  login_request();  // 08:00 in Lima is 13:00 UTC, less a minute
}

TEST_F(SessionTest, WhatALoginLacksIsToldWhenTheProfileIsLoaded) {
  const auto spoiled = [&](std::string_view what, std::string_view instead) {
    std::vector<std::string> keys;
    for (const auto& error : errors(tracking(with(login, what, instead)))) keys.push_back(error.key);
    return keys;
  };
  EXPECT_THAT(spoiled("format = \"xml\"\nsuccess", "success"), Contains("auth.login.answer.format"));
  EXPECT_THAT(spoiled("token = \"//token\"", ""), Contains("auth.headers.X-Token"))
      << "which names what no login brings";
  EXPECT_THAT(spoiled("token = \"//token\"", "token = { header = \"X\", patern = \"y\" }"),
              Contains("auth.login.answer.session.token.patern"));
  EXPECT_THAT(spoiled("url = \"{{base_url}}/login\"", "url = \"{{base_url}}/{{session.token}}\""),
              Contains("auth.login.url"))
      << "a step knows only what the earlier ones brought";
}

}  // namespace
}  // namespace remitod::test
