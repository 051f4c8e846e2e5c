// One live question to a carrier: what is asked, how often, and what is told of it.
#include "daemon/try_carrier.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include <deque>

#include "daemon/try_text.h"
#include "tests/carriers/profile_fixture.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using carriers::FetchError;
using carriers::HttpRequest;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view plain_profile = R"toml(
title = "Tried"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
secrets = ["password"]
[track]
url = "{{base_url}}/{{remito}}?key={{secrets.password}}&page={{page}}"
[track.paging]
kind = "page"
more = "/answer/@more = 'yes'"
[track.answer]
format = "xml"
auth_error = "/answer/bad_login"
shipments = "/answer/shipment"
remito = "@number"
events = "event"
[track.event]
code = "@code"
time = "@day"
formats = ["%d/%m/%Y"]
[[track.status]]
code = "D"
status = "delivered"
)toml";

constexpr std::string_view login = R"toml(
[auth]
kind = "login"
headers = { "X-Token" = "{{session.token}}" }
[auth.login]
url = "{{base_url}}/login"
[auth.login.answer]
format = "xml"
[auth.login.answer.session]
token = "/token"
)toml";

constexpr std::string_view canary = "canary-4f1d";

class TriedCarrier : public testing::Test {
 protected:
  /// A carrier that answers by the list, one after the other.
  void answers(std::deque<carriers::FetchResult> answers) {
    carriers_.serve([this, answers = std::move(answers)](const HttpRequest& request, Instant) mutable {
      urls_.push_back(request.url);
      if (answers.empty()) throw std::runtime_error("asked once more: " + request.url);
      carriers::FetchResult answer = std::move(answers.front());
      answers.pop_front();
      return answer;
    });
  }
  static carriers::FetchResult page(std::string_view number, bool more = false) {
    return http_answer(200, "<answer more=\"" + std::string(more ? "yes" : "no") + "\"><shipment number=\"" +
                                std::string(number) + "\"><event code=\"D\" day=\"02/11/2026\"/></shipment></answer>");
  }

  json try_it(std::string_view profile_text, std::string remito = "0417") {
    const TemporaryFolder folder;
    const auto dir = folder.path() / "tried";
    std::filesystem::create_directories(dir);
    write_file(dir / "carrier.toml", profile_text);
    const auto profile = carriers::load_profile(dir, {"tried", "", {}, {{"password", std::string(canary)}}});
    if (!profile) throw std::runtime_error(profile.error().front().to_string());
    std::optional<json> told;
    daemon::CarrierTrials trials(runtime_, transport_, mapper_,
                                 {[this](std::string_view) { return room_; }, [this](std::string_view) { ++sent_; },
                                  [this](std::string_view) { ++answered_; }, room_is_sure_});
    trials.add_carrier(std::make_shared<daemon::CarrierAccess>(
        runtime_, transport_, *profile,
        daemon::CarrierAccess::Hooks{[this] { ++sent_; }, [this] { ++answered_; }, [] {},
                                     [] { return carriers::Random{}; }}));
    trials.track("tried", std::move(remito), [&](std::string text) {
      EXPECT_FALSE(told) << "told twice";
      told = json::parse(text);
    });
    EXPECT_TRUE(runtime_.run_until_true([&] { return told.has_value(); }, monday + 1h));
    runtime_.run_queued();
    EXPECT_EQ(sent_, answered_) << "what is sent is answered";
    EXPECT_THAT(told->dump(), Not(HasSubstr(canary)));
    return *told;
  }

  VirtualRuntime runtime_{monday};
  VirtualCarriers carriers_;
  VirtualTransport transport_{runtime_, carriers_};
  VirtualOffload mapper_{runtime_};
  std::vector<std::string> urls_;
  std::size_t room_ = 1;
  std::function<bool(std::string_view)> room_is_sure_;
  int sent_ = 0, answered_ = 0;
};

TEST_F(TriedCarrier, ShowsRequestAnswerTreeAndReports) {
  answers({page("0417")});
  const json trial = try_it(plain_profile);
  EXPECT_EQ(trial["outcome"], "read");
  EXPECT_EQ(trial["pages"][0]["request"], "GET https://carrier.example/0417?key=[secret]&page=1\n\n");
  EXPECT_EQ(trial["pages"][0]["http_status"], 200);
  EXPECT_THAT(trial["pages"][0]["body"], HasSubstr("<shipment number="));
  EXPECT_THAT(trial["pages"][0]["tree"], HasSubstr("  <shipment number=\"0417\">\n"));
  EXPECT_EQ(trial["read"]["reports"][0]["events"][0]["status"], "delivered");
  EXPECT_EQ(sent_, 1);
}

TEST_F(TriedCarrier, EchoesNoSecretInBodyTreeOrReports) {
  answers({http_answer(200,
                       "<answer key=\"canary-4f1d\"><shipment number=\"0417\"><event code=\"canary-4f1d\" "
                       "day=\"02/11/2026\"/></shipment></answer>")});
  const json trial = try_it(plain_profile);
  EXPECT_EQ(trial["read"]["reports"][0]["events"][0]["code"], "[secret]");
}

TEST_F(TriedCarrier, IsAskedForEveryPage) {
  answers({page("0417", true), page("0418")});
  const json trial = try_it(plain_profile);
  ASSERT_EQ(trial["pages"].size(), 2U);
  EXPECT_THAT(trial["pages"][1]["request"], HasSubstr("page=2"));
  EXPECT_EQ(trial["read"]["extra"], 1);
  EXPECT_EQ(sent_, 2);
}

TEST_F(TriedCarrier, IsLoggedInAtAndOnceMoreWhereItDoesNotTakeTheSession) {
  answers({http_answer(200, "<token>first-token</token>"), http_answer(401, "<answer/>"),
           http_answer(200, "<token>second-token</token>"), page("0417")});
  const json trial = try_it(std::string(plain_profile) + std::string(login));
  EXPECT_EQ(trial["outcome"], "read");
  EXPECT_EQ(trial["pages"].size(), 1U);
  EXPECT_THAT(trial["pages"][0]["request"], HasSubstr("X-Token: [secret]"));
  EXPECT_EQ(sent_, 4) << "logins are requests, too";
}

TEST_F(TriedCarrier, ThatTakesNoSessionAtAllIsNotAskedForEver) {
  answers({http_answer(200, "<token>first-token</token>"), http_answer(401, "<answer/>"),
           http_answer(200, "<token>second-token</token>"), http_answer(401, "<answer/>")});
  const json trial = try_it(std::string(plain_profile) + std::string(login));
  EXPECT_EQ(trial["outcome"], "trouble");
  EXPECT_EQ(trial["read"]["trouble"]["kind"], "auth");
}

TEST_F(TriedCarrier, WhoseLoginFailsIsNotAskedMore) {
  answers({http_answer(401, "")});
  const json trial = try_it(std::string(plain_profile) + std::string(login));
  EXPECT_EQ(trial["outcome"], "no_login");
  EXPECT_EQ(trial["problem"], "login: HTTP 401");
  EXPECT_EQ(trial["kind"], "auth");
  EXPECT_TRUE(trial["pages"].empty());
  EXPECT_EQ(trial["login"][0]["http_status"], 401);
}

TEST_F(TriedCarrier, ShowsTheLoginWithoutWhatItGives) {
  answers({http_answer(200, "<token>first-token</token>"), page("0417")});
  const json trial = try_it(std::string(plain_profile) + std::string(login));
  ASSERT_EQ(trial["login"].size(), 1U);
  EXPECT_THAT(trial["login"][0]["request"], HasSubstr("GET https://carrier.example/login"));
  EXPECT_EQ(trial["login"][0]["body"], "<token>[secret]</token>");
  EXPECT_THAT(trial["login"][0]["tree"], HasSubstr("[secret]"));
  EXPECT_THAT(daemon::try_text(trial, false), AllOf(HasSubstr("login request\n  GET "),
                                                    HasSubstr("login answer: HTTP 200"), HasSubstr("login tree\n")));
}

TEST_F(TriedCarrier, ShowsNoTokenOfALoginThatTheProfileDoesNotRead) {
  answers({http_answer(200, "<a><refresh>eyJhbGciOiJIUzI1NiJ9.e30</refresh><why>no token today</why></a>")});
  const json trial = try_it(std::string(plain_profile) + std::string(login));
  EXPECT_EQ(trial["outcome"], "no_login");
  EXPECT_EQ(trial["kind"], "malformed");
  EXPECT_EQ(trial["login"][0]["body"], "<a><refresh>[secret]</refresh><why>no token today</why></a>");
}

TEST_F(TriedCarrier, WhoseLoginIsNotAnsweredDoesNotAnswer) {
  answers({fetch_error(FetchError::Kind::connect)});
  const json trial = try_it(std::string(plain_profile) + std::string(login));
  EXPECT_EQ(trial["outcome"], "no_answer");
  EXPECT_THAT(trial["problem"], HasSubstr("login: connect"));
  EXPECT_THAT(trial["login"][0]["problem"], HasSubstr("connect"));
  EXPECT_THAT(daemon::try_text(trial, false),
              HasSubstr("FAILED tried gives no answer that can be read: login: connect"));
}

TEST_F(TriedCarrier, ThatAnswersInLatin1IsShownAsText) {
  auto answer = http_answer(200,
                            "<answer note=\"Bre\xF1"
                            "a \x96 Lima\"/>");
  answer->content_type = "text/xml; charset=ISO-8859-1";
  answers({answer});
  EXPECT_THAT(daemon::try_text(try_it(plain_profile), false), HasSubstr("<answer note=\"Breña – Lima\"/>"));
}

TEST_F(TriedCarrier, ThatIsAskedInLatin1ShowsTheRequestAsText) {
  answers({page("0417")});
  const json trial = try_it(with(plain_profile, "&page={{page}}\"",
                                 "&page={{page}}\"\nmethod = \"POST\"\nheaders = { Content-Type = \"text/xml; "
                                 "charset=ISO-8859-1\" }\nbody_format = \"xml\"\nbody = '<guía>{{remito}}</guía>'"));
  EXPECT_EQ(trial["outcome"], "read");
  EXPECT_THAT(daemon::try_text(trial, false),
              AllOf(HasSubstr("request, its body in ISO-8859-1\n  POST https://"), HasSubstr("  <guía>0417</guía>\n")));
}

TEST_F(TriedCarrier, ThatDoesNotAnswerLeavesTheRequest) {
  answers({fetch_error(FetchError::Kind::timeout)});
  const json trial = try_it(plain_profile);
  EXPECT_EQ(trial["outcome"], "no_answer");
  EXPECT_THAT(trial["problem"], HasSubstr("timeout"));
  EXPECT_THAT(trial["pages"][0]["request"], HasSubstr("/0417?"));
}

TEST_F(TriedCarrier, IsNotAskedWhatCannotBeAsked) {
  answers({});
  const json trial = try_it(plain_profile, "04\n17");
  EXPECT_EQ(trial["outcome"], "not_asked");
  EXPECT_THAT(trial["problem"], HasSubstr("remito"));
  EXPECT_EQ(sent_, 0);
}

TEST_F(TriedCarrier, IsAskedOnceItsLimitsHaveRoom) {
  answers({page("0417")});
  room_ = 0;
  runtime_.after(5s, [this] { room_ = 1; });
  EXPECT_EQ(try_it(plain_profile)["outcome"], "read");
  EXPECT_GE(runtime_.now(), monday + 5s);
}

TEST_F(TriedCarrier, IsGivenUpWhereItsLimitsHaveNoRoomForLong) {
  answers({});
  room_ = 0;
  const json trial = try_it(plain_profile);
  EXPECT_EQ(trial["outcome"], "no_room");
  EXPECT_EQ(runtime_.now(), monday + daemon::trial_patience);
  EXPECT_TRUE(urls_.empty());
}

TEST_F(TriedCarrier, WhoseRateBringsRoomForSureIsWaitedForAsLongAsThatTakes) {
  answers({page("0417")});
  room_ = 0;
  room_is_sure_ = [](std::string_view) { return true; };
  runtime_.after(10min, [this] { room_ = 1; });
  EXPECT_EQ(try_it(plain_profile)["outcome"], "read");
  EXPECT_GE(runtime_.now(), monday + 10min);
}

TEST_F(TriedCarrier, ThatClosesMeanwhileIsGivenUp) {
  answers({});
  room_ = 0;
  room_is_sure_ = [this](std::string_view) { return runtime_.now() < monday + 5min; };
  EXPECT_EQ(try_it(plain_profile)["outcome"], "no_room");
  EXPECT_EQ(runtime_.now(), monday + 5min);
}

TEST_F(TriedCarrier, IsShownForPeople) {
  answers({page("0417")});
  const json trial = try_it(plain_profile);
  const std::string text = daemon::try_text(trial, false);
  EXPECT_THAT(text, AllOf(HasSubstr("request\n  GET https://carrier.example/0417?key=[secret]"),
                          HasSubstr("answer: HTTP 200 text/xml"), HasSubstr("tree\n  <answer more=\"no\">"),
                          HasSubstr("0417: events\n    2026-11-02T05:00:00Z  delivered  D"),
                          HasSubstr("ok     tried answers, and the answer is read\n"), Not(HasSubstr("\033"))));
  EXPECT_THAT(daemon::try_text(trial, true), HasSubstr("\033[32mdelivered\033[0m"));
}

TEST_F(TriedCarrier, ThatSpeaksOfAnotherShipmentIsNotOk) {
  answers({page("0418")});
  const json trial = try_it(plain_profile);
  EXPECT_EQ(trial["outcome"], "not_told");
  EXPECT_THAT(daemon::try_text(trial, false),
              AllOf(HasSubstr("0417: the answer does not speak of it\n"),
                    HasSubstr("FAILED tried answers, and nothing is read of 0417\n"), Not(HasSubstr("ok "))));
}

TEST_F(TriedCarrier, OfWhoseHistoryEveryLineIsLeftOutIsNotOk) {
  answers({http_answer(
      200, "<answer><shipment number=\"0417\"><event code=\"D\" day=\"2026/11/02\"/></shipment></answer>")});
  EXPECT_EQ(try_it(plain_profile)["outcome"], "not_told");
}

TEST_F(TriedCarrier, ThatKnowsTheShipmentAndHasNoHistoryYetIsRead) {
  answers({http_answer(200, "<answer><shipment number=\"0417\"/></answer>")});
  const json trial = try_it(plain_profile);
  EXPECT_EQ(trial["outcome"], "read");
  EXPECT_THAT(
      daemon::try_text(trial, false),
      HasSubstr(
          "look at track.answer.events: the answer tells of 0417, and no event is read from it, or each is ignored\n"));
}

TEST_F(TriedCarrier, WhoseCodeNoRuleKnowsSaysSo) {
  answers({page("0417")});
  EXPECT_THAT(daemon::try_text(try_it(test::with(plain_profile, "code = \"D\"", "code = \"E\"")), false),
              HasSubstr("look at track.status: no rule knows code \"D\", \"\"\n"));
}

TEST_F(TriedCarrier, ThatTellsOfTheFutureSaysSo) {
  answers({http_answer(
      200, "<answer><shipment number=\"0417\"><event code=\"D\" day=\"02/11/2126\"/></shipment></answer>")});
  EXPECT_THAT(daemon::try_text(try_it(plain_profile), false),
              HasSubstr("look at track.event.time: 1 event lies in the future and would be left out"));
  answers({page("0417")});
  EXPECT_THAT(daemon::try_text(try_it(plain_profile), false), Not(HasSubstr("future")));
}

TEST_F(TriedCarrier, ThatDoesNotKnowTheNumberYetIsRead) {
  answers({http_answer(200, "<answer><unknown/></answer>")});
  const json trial =
      try_it(test::with(std::string(plain_profile), "shipments =", "not_found = \"/answer/unknown\"\nshipments ="));
  EXPECT_EQ(trial["outcome"], "read");
  EXPECT_EQ(trial["read"]["reports"][0]["kind"], "not_found_yet");
}

TEST_F(TriedCarrier, CannotPlayWithTheTerminal) {
  answers({http_answer(503, "\033[2J\a<b>gone</b>")});
  const std::string text = daemon::try_text(try_it(plain_profile), false);
  EXPECT_THAT(text, AllOf(HasSubstr("?[2J?<b>gone</b>"), Not(HasSubstr("\033")), Not(HasSubstr("\a")),
                          HasSubstr("FAILED tried answers with trouble: http_status")));
}

}  // namespace
}  // namespace remitod::test
