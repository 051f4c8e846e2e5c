// Samples of questions other than about a shipment's history, of requests, of logins and of pages.
#include "tests/carriers/checked_profile.h"

namespace remitod::carriers {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

TEST_F(CheckedAnswers, OfAConfirmationGiveTheNumberThatCameWithTheAcceptance) {
  const std::string expected =
      R"({"operation": "confirm", "order_number": "1001", "remito": "0417",
          "confirmed": {"kind": "granted", "remito": "0417"}})";
  EXPECT_TRUE(sample_of(R"({"state": "ready"})", expected).passed());
  EXPECT_EQ(told(sample_of(R"({"state": "no", "why": "no such street"})", expected)),
            "kind: \"granted\" / \"refused\" confirm.answer.granted confirm.answer.refused\n"
            "remito: \"0417\" / \"\"\n"
            "refusal_text: \"\" / \"no such street\" confirm.answer.refusal_text\n");
}

TEST_F(CheckedAnswers, OfASearchAreFoundOrNot) {
  const std::string expected = R"({"operation": "find", "found": {"kind": "found", "remito": "0417"}})";
  EXPECT_TRUE(sample_of(R"({"number": "0417"})", expected).passed());
  EXPECT_EQ(told(sample_of(R"({"number": "0418"})", expected)), "remito: \"0417\" / \"0418\" find.answer.remito\n");
  EXPECT_THAT(told(sample_of(R"({"none": true})", expected)),
              HasSubstr("kind: \"found\" / \"not_found\" find.answer.found find.answer.not_found"));
}

TEST_F(CheckedAnswers, OfASearchAreHeldAgainstOurReferenceAsTheDaemonHoldsThem) {
  change("carrier.toml", "found = \"/json/number\"\nnot_found = \"/json/none\"\nremito = \"/json/number\"",
         "found = \"/json/item\"\nshipments = \"/json/item\"\nremito = \"number\"\nreference = \"ref\"");
  const std::string expected =
      R"({"operation": "find", "client_ref": "R2", "found": {"kind": "found", "remito": "0418"}})";
  EXPECT_EQ(
      told(sample_of(R"({"item": [{"number": "0417", "ref": "R1"}, {"number": "0418", "ref": "R2"}]})", expected)), "");
  EXPECT_THAT(told(sample_of(R"({"item": [{"number": "0418", "reference": "R2"}]})", expected)),
              HasSubstr("kind: \"found\" / \"unclear\""))
      << "their key is another one: no request would be found";
}

TEST_F(CheckedAnswers, OfACancellationTellHowARefusalBegins) {
  const std::string expected =
      R"({"operation": "cancel", "cancelled": {"kind": "refused", "refusal_text": "too late"}})";
  EXPECT_TRUE(sample_of(R"({"why": "too late: it left at 14:02"})", expected).passed());
  EXPECT_THAT(told(sample_of(R"({"done": true})", expected)),
              HasSubstr("kind: \"refused\" / \"accepted\" cancel.answer.accepted cancel.answer.refused"));
}

TEST_F(CheckedAnswers, OfAQuoteGivePriceCurrencyAndDays) {
  const std::string expected =
      R"({"operation": "quote", "quoted": {"kind": "quoted", "price": "25.90", "currency": "PEN", "days": 3}})";
  EXPECT_TRUE(sample_of(R"({"price": "25,90", "days": 3})", expected).passed());
  EXPECT_EQ(told(sample_of(R"({"price": 25.9, "days": 4})", expected)),
            "price: \"25.90\" / \"25.9\" quote.answer.price\ndays: 3 / 4 quote.answer.days\n");
}

TEST_F(CheckedAnswers, AreProposedWhereNothingIsExpectedYet) {
  for (const char* operation : {"create", "confirm", "find", "cancel", "quote"}) {
    const std::string asked = R"({"operation": ")" + std::string(operation) + R"("})";
    const SampleCheck check = sample_of(R"({"number": "0417", "state": "ready", "done": true, "price": "7"})", asked);
    ASSERT_NE(check.proposal, "") << operation;
    write("samples/one.expected.json", check.proposal);
    EXPECT_TRUE(only_sample().passed()) << operation;
  }
}

TEST_F(CheckedAnswers, LookAtFieldsThatNoPayloadHas) {
  change("carrier.toml", "[create]\nmethod = \"POST\"\nurl = \"{{base_url}}/create\"\nrequired = []",
         "[create]\nmethod = \"POST\"\nurl = \"{{base_url}}/create\"\n"
         "required = [\"recipient_ubigeo\", \"recipient.name\"]\noptional = [\"zzz_bogus\"]");
  write("samples/one.json", R"({"price": "7"})");
  write("samples/one.expected.json", R"({"operation": "quote"})");
  EXPECT_THAT(remarks(), IsSupersetOf({HasSubstr(": 'recipient_ubigeo' is no field of a payload (did you mean "
                                                 "'recipient.address.ubigeo'?)"),
                                       HasSubstr("'zzz_bogus' is no field of a payload: unless the platform")}));
}

class CheckedOrder : public CheckedAnswers {
 protected:
  CheckedOrder() {
    change("carrier.toml", "url = \"{{base_url}}/create\"\nrequired = []",
           "url = \"{{base_url}}/create?ref={{client_ref}}\"\nheaders = { X-Day = \"{{#now}}%d/%m/%Y{{/now}}\" }\n"
           "required = [\"recipient.name\"]\noptional = [\"parcels.0.weight_kg\", \"notes\"]\nbody_format = \"xml\"\n"
           "body = '''<order>\n<to>{{recipient.name}}</to>{{#parcels}}<kg>{{weight_kg}}</kg>{{/parcels}}\n</order>'''");
  }
  static constexpr std::string_view asked = R"({"operation": "create", "client_ref": "R1", "order_number": "1001",
      "payload": {"recipient": {"name": "Ana & Co"}, "parcels": [{"weight_kg": 1.50}]}, "created": {"kind": "granted", "remito": "7"}})";
};

TEST_F(CheckedOrder, ShowsTheRequestThatIsMadeOfItAndKeepsIt) {
  const SampleCheck check = sample_of(R"({"number": "7"})", asked);
  EXPECT_FALSE(check.passed());
  EXPECT_THAT(check.proposal,
              AllOf(HasSubstr("\"url\": \"https://carrier.example/create?ref=R1\""), HasSubstr("\"X-Day: 02/11/2026\""),
                    HasSubstr("\"<to>Ana &amp; Co</to><kg>1.50</kg>\",\n")));
  write("samples/one.expected.json", check.proposal);
  EXPECT_EQ(told(only_sample()), "");
  EXPECT_TRUE(only_sample().passed());
  EXPECT_THAT(check_profile(dir()).requests, IsEmpty()) << "a sample shows it";
  change("carrier.toml", "<to>", "<for>");
  EXPECT_THAT(told(only_sample()), AllOf(HasSubstr("request: body: "), HasSubstr(" create.body\n")));
}

TEST_F(CheckedOrder, ThatLacksWhatTheCarrierRequiresIsAProblem) {
  EXPECT_EQ(told(sample_of(R"({"number": "7"})", test::with(std::string(asked), "Ana & Co", ""))),
            "the request: recipient.name is missing or empty; Asking requires it");
}

TEST_F(CheckedOrder, WithoutANumberIsMadeWithAnInventedOne) {
  change("carrier.toml", "?ref={{client_ref}}", "?ref={{client_ref}}&no={{order_number}}");
  const SampleCheck check =
      sample_of(R"({"number": "7"})", test::with(std::string(asked), ", \"order_number\": \"1001\"", ""));
  EXPECT_EQ(told(check), "");
  EXPECT_THAT(check.proposal, HasSubstr("/create?ref=R1&no=MP-0417\""));
}

TEST_F(CheckedAnswers, OfASearchNeedNoOrderNumberToSayTheirRequest) {
  EXPECT_EQ(told(sample_of(R"({"number": "7"})", R"({"operation": "find", "client_ref": "R1",
      "request": {"method": "GET", "url": "https://carrier.example/find/R1"},
      "found": {"kind": "found", "remito": "7"}})")),
            "");
}

TEST_F(CheckedAnswers, ShowTheRequestWhereverItIsAskedForAndKeepItOnce) {
  const std::string found = R"("found": {"kind": "found", "remito": "7"})";
  for (const std::string& members :
       {R"("client_ref": "R1", )" + found + R"(, "request": { } )", R"("request": {}, "client_ref": "R1", )" + found,
        R"("client_ref": "R\"request\":{}", "request" : {},)" + found}) {
    const SampleCheck check = sample_of(R"({"number": "7"})", R"({"operation": "find", )" + members + "}");
    EXPECT_THAT(check.proposal, HasSubstr("\"method\": \"GET\"")) << members;
    write("samples/one.expected.json", check.proposal);
    EXPECT_EQ(told(only_sample()), "") << check.proposal;
    EXPECT_EQ(only_sample().proposal, "") << "it says all now";
    EXPECT_THAT(check.proposal, HasSubstr(R"("remito": "7")"));
  }
}

TEST_F(CheckedOrder, WithAFieldThatIsMisspeltIsAProblem) {
  EXPECT_EQ(told(sample_of(R"({"number": "7"})", test::with(std::string(asked), "\"parcels\"", "\"parsels\""))),
            "'parsels' is no field of a payload (did you mean 'parcels'?)");
  EXPECT_EQ(told(sample_of(R"({"number": "7"})", test::with(std::string(asked), "weight_kg", "wieght_kg"))),
            "'parcels.0.wieght_kg' is no field of a payload (did you mean 'weight_kg'?)");
}

TEST_F(CheckedOrder, IsInventedWhereNoSampleHasOne) {
  static_cast<void>(sample_of(R"({"price": "7"})", R"({"operation": "quote"})"));
  const ProfileCheck check = check_profile(dir());
  ASSERT_EQ(check.requests.size(), 1U);
  EXPECT_EQ(check.requests[0].problem, "");
  EXPECT_THAT(check.requests[0].text, AllOf(HasSubstr("POST https://carrier.example/create?ref=R7-MP-0417\n"),
                                            HasSubstr("<to>Ana Prueba Quispe</to><kg>1.50</kg>")));
}

TEST_F(CheckedOrder, WhoseBodyIsNotWhatItSaysToBeIsToBeLookedAt) {
  const auto body_of = [&](std::string_view type, std::string_view body) {
    write("carrier.toml",
          test::with(asking_profile, "/create\"\nrequired = []",
                     "/create\"\nheaders = { Content-Type = \"" + std::string(type) + "\" }\nrequired = []\n" +
                         "optional = [\"recipient.name\"]\nbody_format = \"json\"\nbody = '''" + std::string(body) +
                         "'''"));
    static_cast<void>(sample_of(R"({"price": "7"})", R"({"operation": "quote"})"));
    return remarks();
  };
  EXPECT_THAT(body_of("application/json", R"({"to" "{{recipient.name}}"})"),
              Contains(HasSubstr(" create.body: the body is no JSON: near '... \"Ana Prueba")));
  EXPECT_THAT(body_of("application/json", R"({"to": "{{recipient.name}}", "kg": 1e999})"),
              Contains(HasSubstr("create.body: the body is no JSON: ")));
  for (const char* type : {"text/xml", "application/vnd.carrier-v5+XML"})
    EXPECT_THAT(body_of(type, "<to>{{recipient.name}}</two>"), Contains(HasSubstr("the body is no XML: ")));
  EXPECT_THAT(body_of("text/plain", R"(<?xml version="1.0" encoding="ISO-8859-1"?><to>{{recipient.name}}</to>)"),
              Contains(HasSubstr("the body leaves in UTF-8, and its declaration says ISO-8859-1")));
  for (const char* type : {"application/json; charset=utf-8", "application/json; charset=UTF8", "application/json",
                           "application/json; charset=ISO-8859-1"})
    EXPECT_THAT(body_of(type, R"({"to": "{{recipient.name}}"})"), Not(Contains(HasSubstr("create.body"))));
  body_of("application/json", R"({"to" "{{recipient.name}}"})");
  remove("samples/one.json");
  remove("samples/one.expected.json");
  EXPECT_THAT(remarks(),
              AllOf(Contains(HasSubstr("the body is no JSON")), Contains(HasSubstr("there are no samples"))));
}

TEST_F(CheckedOrder, ThatLeavesInLatin1IsShownAndHeldAsText) {
  change("carrier.toml", "X-Day =", "Content-Type = \"text/xml; charset=ISO-8859-1\", X-Day =");
  const std::string order = test::with(asked, "Ana & Co", "Ana Muñoz Žižka");
  const SampleCheck check = sample_of(R"({"number": "7"})", order);
  EXPECT_THAT(check.proposal, HasSubstr("\"<to>Ana Muñoz &#381;i&#382;ka</to><kg>1.50</kg>\",\n"));
  write("samples/one.expected.json", check.proposal);
  EXPECT_EQ(told(only_sample()), "");
  change("samples/one.expected.json", "Ana Muñoz &#381;", "Ana Núñez ");
  EXPECT_THAT(told(only_sample()),
              AllOf(HasSubstr("<to>Ana Núñez i"), HasSubstr(" / [\"<order>\",\"<to>Ana Muñoz &#381;"),
                    HasSubstr(" create.body\n")));
  remove("samples/one.json");
  remove("samples/one.expected.json");
  const ProfileCheck without = check_profile(dir());
  ASSERT_EQ(without.requests.size(), 1U);
  EXPECT_EQ(without.requests[0].body_charset, "ISO-8859-1");
}

TEST_F(CheckedOrder, InUtf8ForACarrierThatAnswersInLatin1IsToBeLookedAt) {
  const auto remarks_with = [&](std::string_view answers, std::string_view header) {
    const std::string profile = test::read_file(dir() / "carrier.toml");
    change("carrier.toml", "accepted = \"/json/taken\"", "accepted = \"/json/taken\"\n" + std::string(answers));
    change("carrier.toml", "X-Day =", std::string(header) + "X-Day =");
    static_cast<void>(sample_of(R"({"price": "7"})", R"({"operation": "quote"})"));
    const std::vector<std::string> found = remarks();
    write("carrier.toml", profile);
    return found;
  };
  const auto asks = Contains(HasSubstr(" create.body: answers come in ISO-8859-1, and this body leaves in UTF-8"));
  constexpr std::string_view latin = "charset = \"ISO-8859-1\"";
  EXPECT_THAT(remarks_with(latin, ""), asks);
  EXPECT_THAT(remarks_with(latin, "Content-Type = \"text/xml\", "), asks);
  EXPECT_THAT(remarks_with(latin, "Content-Type = \"text/xml; charset=utf-8\", "), Not(asks));
  EXPECT_THAT(remarks_with(latin, "Content-Type = \"text/xml; charset=ISO-8859-1\", "), Not(asks));
  EXPECT_THAT(remarks_with("charset = \"UTF-8\"", ""), Not(Contains(HasSubstr("answers come in"))));
  EXPECT_THAT(remarks_with("", ""), Not(Contains(HasSubstr("answers come in"))));
}

TEST_F(CheckedAnswers, ThatNeverGrantProveNothingOfAGrant) {
  static_cast<void>(sample_of(R"({"nothing": 1})", R"({"operation": "create", "order_number": "1001",
      "created": {"kind": "unknown"}})"));
  EXPECT_THAT(remarks(), Contains(HasSubstr(" create: no sample shows an order that is granted")));
  static_cast<void>(sample_of(R"({"number": "7"})", R"({"operation": "create", "order_number": "1001",
      "created": {"kind": "granted", "remito": "7"}})"));
  EXPECT_THAT(remarks(), Not(Contains(HasSubstr("no sample shows"))));
}

/// Logs in with two steps, of which the second tells in headers.
constexpr std::string_view login_profile = R"toml(
title = "Login"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
secrets = ["password"]
[auth]
kind = "login"
[[auth.login]]
method = "POST"
url = "{{base_url}}/login"
body_format = "url"
body = "key={{secrets.password}}"
[auth.login.answer]
format = "json"
success = "/json/ok = 'true'"
error = "/json/why"
lifetime = "/json/seconds"
[auth.login.answer.session]
ticket = "/json/ticket"
[[auth.login]]
url = "{{base_url}}/open?ticket={{session.ticket}}"
[auth.login.answer]
[auth.login.answer.session]
token = { header = "X-Auth-Token" }
[track]
url = "{{base_url}}/{{remito}}?t={{session.token}}"
[track.answer]
format = "json"
events = "/json/e"
[track.event]
code = "c"
time = "t"
formats = ["iso"]
)toml";

class CheckedLogin : public CheckedAnswers {
 protected:
  CheckedLogin() { write("carrier.toml", login_profile); }
};

TEST_F(CheckedLogin, GivesASession) {
  const std::string expected = R"({"operation": "login", "at": "2026-11-01T12:00:00Z",
      "session": {"ticket": "T1"}, "ends_at": "2026-11-01T12:10:00Z",
      "request": {"method": "POST", "body": "key=password-417"}})";
  EXPECT_EQ(told(sample_of(R"({"ok": true, "ticket": "T1", "seconds": 600})", expected)), "");
  EXPECT_EQ(told(sample_of(R"({"ok": true, "ticket": "T2", "seconds": 60})", expected)),
            "session: ticket: \"T1\" / \"T2\" auth.login.1.answer.session.ticket\n"
            "ends_at: \"2026-11-01T12:10:00Z\" / \"2026-11-01T12:01:00Z\" auth.login.1.answer.lifetime\n");
}

TEST_F(CheckedLogin, WhoseSessionNoRequestNamesSaysSo) {
  change("carrier.toml", "?t={{session.token}}", "");
  EXPECT_THAT(remarks(), Contains(HasSubstr("auth.login.2.answer.session.token: no template names {{session.token}}")));
  change("carrier.toml", "?ticket={{session.ticket}}", "");
  EXPECT_THAT(remarks(), Contains(HasSubstr("{{session.ticket}}")));
}

TEST_F(CheckedLogin, ThatIsRefusedIsTrouble) {
  const std::string expected =
      R"({"operation": "login", "trouble": {"kind": "auth", "message_contains": "wrong key"}})";
  EXPECT_EQ(told(sample_of(R"({"ok": false, "why": "wrong key"})", expected)), "");
  EXPECT_THAT(remarks(), Contains(HasSubstr(" auth.login: no sample shows a login that succeeds")));
  EXPECT_THAT(told(sample_of(R"({"ok": true, "ticket": "T1"})", expected)), HasSubstr("the whole answer: "));
}

TEST_F(CheckedLogin, HasStepsThatMayTellInHeaders) {
  const SampleCheck check =
      sample_of("", R"({"operation": "login", "step": 2, "headers": {"x-auth-token": "417", "Server": "x"}})");
  EXPECT_THAT(check.proposal, HasSubstr(R"("session": {"token":"417"})"));
  write("samples/one.expected.json", check.proposal);
  EXPECT_EQ(told(only_sample()), "");
  EXPECT_EQ(told(sample_of("", R"({"operation": "login", "step": 3})")),
            "the profile has no login, or none with such a step");
}

TEST_F(CheckedAnswers, ToWhatTheProfileDoesNotAskAreAProblem) {
  EXPECT_EQ(told(sample_of("{}", R"({"operation": "track", "asked": ["1"], "reports": []})")),
            "the profile has no [track]");
}

class CheckedPages : public CheckedAnswers {
 protected:
  void page(int number, std::string_view remito, bool more) {
    write("samples/day." + std::to_string(number) + ".json", R"({"item": [{"number": ")" + std::string(remito) +
                                                                 R"(", "code": "E", "day": "02/11/2026"}], "more": )" +
                                                                 (more ? "true}" : "false}"));
  }
  void expect(std::string_view operation = "feed") {
    write("samples/day.expected.json", R"({"operation": ")" + std::string(operation) + R"("})");
  }
};

TEST_F(CheckedPages, AreReadAsOneAnswer) {
  page(1, "0041", true);
  page(2, "0042", false);
  expect();
  const SampleCheck check = only_sample();
  EXPECT_THAT(check.proposal, AllOf(HasSubstr("0041"), HasSubstr("0042")));
  EXPECT_EQ(told(check), "");
}

TEST_F(CheckedPages, MayEachHaveAMediaTypeOfItsOwn) {
  page(1, "Ñ41", true);
  page(2,
       "\xD1"
       "42",
       false);
  const auto with_types = [&](const std::string& types) {
    write("samples/day.expected.json", R"({"operation": "feed", "content_type": )" + types + "}");
    return only_sample();
  };
  const SampleCheck check = with_types(R"(["application/json", "application/json; charset=ISO-8859-1"])");
  EXPECT_EQ(told(check), "");
  EXPECT_THAT(check.proposal, AllOf(HasSubstr("Ñ41"), HasSubstr("Ñ42")));
  EXPECT_EQ(told(with_types(R"(["application/json"])")),
            "day.expected.json: content_type lists 1, and the answer has 2 page(s)");
  EXPECT_EQ(told(with_types("7")), "day.expected.json: content_type is wrong: expected a text");
}

TEST_F(CheckedPages, AreTheOnesThatWouldBeAskedFor) {
  page(1, "0041", false);
  page(2, "0042", false);
  expect();
  EXPECT_EQ(told(only_sample()), "page 1: what comes after it: \"page 2\" / \"nothing\" feed.paging.more\n");
  page(1, "0041", true);
  page(2, "0042", true);
  EXPECT_EQ(told(only_sample()),
            "page 3 is asked for, but day.3.json is missing: \"nothing\" / \"page 3\" feed.paging.more\n");
}

TEST_F(CheckedPages, ThatCallThemselvesTheFirstAreFollowedByTheSecond) {
  page(1, "0041", true);
  expect();
  EXPECT_EQ(told(only_sample()),
            "page 2 is asked for, but day.2.json is missing: \"nothing\" / \"page 2\" feed.paging.more\n");
  std::filesystem::rename(dir() / "samples" / "day.1.json", dir() / "samples" / "day.json");
  EXPECT_EQ(told(only_sample()), "") << "a sample may be about its first page alone";
}

TEST_F(CheckedPages, WithOneLeftOutAreNotRead) {
  page(1, "0041", true);
  page(3, "0042", false);
  expect();
  EXPECT_THAT(check_profile(dir()).errors,
              ElementsAre(Field(&ProfileError::message, HasSubstr("day has a page 3, and no page 2"))));
}

TEST_F(CheckedPages, NeedAnOperationThatHasPages) {
  page(1, "0041", true);
  page(2, "0042", false);
  expect("find");
  EXPECT_EQ(told(only_sample()), "there are several pages, and the profile has no [find.paging]");
}

}  // namespace
}  // namespace remitod::carriers
