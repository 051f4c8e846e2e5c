#include "carriers/profile.h"

#include <gmock/gmock.h>

#include "carriers/compiled.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

using carriers::CompiledProfile;
using carriers::ProfileError;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

auto error_at(int line, const std::string& key, const std::string& message) {
  return AllOf(Field("line", &ProfileError::line, line), Field("key", &ProfileError::key, key),
               Field("message", &ProfileError::message, HasSubstr(message)));
}

TEST_F(ProfileTest, EverythingStatedIsRead) {
  const auto profile = loaded(good_profile);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->name(), "carrier");
  EXPECT_EQ(profile->title(), "Carrier");
  EXPECT_EQ(profile->zone(), "America/Lima");
  EXPECT_EQ(profile->verified(), carriers::Verified::recorded_answers);
  EXPECT_EQ(profile->registration_grace(), 36h);
  EXPECT_EQ(profile->give_up_after(), 720h);
  EXPECT_EQ(profile->tail(), 120h);
  EXPECT_EQ(profile->limits().requests_per_second, 7.5);
  EXPECT_EQ(profile->limits().concurrency, 3);
  EXPECT_EQ(profile->limits().batch_max, 1);
  EXPECT_TRUE(profile->can_create());
  EXPECT_TRUE(profile->can_track());

  const auto transport = profile->transport_options();
  EXPECT_EQ(transport->connect_timeout, 1500ms);
  EXPECT_EQ(transport->total_timeout, 45s);
  EXPECT_EQ(transport->body_bytes_max, 1'000'000u);
  EXPECT_EQ(transport->low_speed_time, 120s);
  EXPECT_EQ(transport->tls_min, "1.3");
  EXPECT_EQ(transport->basic_user, "77&1");
  EXPECT_EQ(transport->basic_password, "hush-hush");
  EXPECT_FALSE(transport->http_allowed);

  const CompiledProfile& compiled = profile->compiled();
  const carriers::ReportRules& track = compiled.track->reports;
  EXPECT_EQ(track.answer.decode.format, carriers::Format::xml);
  EXPECT_EQ(track.answer.decode.charset, "ISO-8859-1");
  EXPECT_THAT(track.answer.success_statuses, ElementsAre(200, 404));
  EXPECT_EQ(track.events->key, "track.answer.events");
  EXPECT_TRUE(track.newest_first);
  EXPECT_TRUE(track.times.has_value());
  ASSERT_THAT(track.status_rules, SizeIs(2));
  EXPECT_THAT(track.status_rules[0].matcher.codes, ElementsAre("1", "2", "3"));
  EXPECT_EQ(track.status_rules[0].status, Status::in_transit);
  EXPECT_EQ(track.status_rules[0].reason, Reason::none);
  EXPECT_THAT(track.status_rules[1].matcher.prefixes, ElementsAre("visita fallida"))
      << "folded, as what it is compared with";
  EXPECT_TRUE(RE2::PartialMatch("Cliente AUSENTE", *track.status_rules[1].matcher.pattern));
  EXPECT_TRUE(track.status_rules[1].matcher.when.has_value());
  EXPECT_EQ(track.status_rules[1].reason, Reason::recipient_absent);
  ASSERT_THAT(track.reason_rules, SizeIs(1));
  EXPECT_THAT(track.reason_rules[0].matcher.texts, ElementsAre("direccion errada"));
  EXPECT_EQ(track.reason_rules[0].reason, Reason::address_not_found);
  EXPECT_EQ(compiled.create->answer.decode.format, carriers::Format::json);
  EXPECT_FALSE(compiled.create->remito_is_order_number);
}

TEST_F(ProfileTest, WhatIsNotStatedHasItsDefault) {
  settings_.values.clear();
  settings_.secrets.clear();
  const auto profile = loaded(R"toml(title = "Small"
zone = "America/Lima"
base_url = "https://small.example/"
[track]
url = "{{base_url}}/{{remito}}"
[track.answer]
format = "json"
snapshot = true
[track.event]
code = "//state"
)toml");
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->verified(), carriers::Verified::documentation);
  EXPECT_EQ(profile->registration_grace(), 48h);
  EXPECT_EQ(profile->give_up_after(), 1440h);
  EXPECT_EQ(profile->tail(), 72h);
  EXPECT_EQ(profile->limits().requests_per_second, 2);
  EXPECT_EQ(profile->transport_options()->total_timeout, 60s);
  EXPECT_FALSE(profile->can_create());
  EXPECT_THAT(profile->compiled().track->reports.answer.success_statuses, IsEmpty());
}

TEST_F(ProfileTest, MissingFileIsAnErrorThatNamesIt) {
  const auto profile = carriers::load_profile(folder_.path() / "nowhere", settings_);
  ASSERT_FALSE(profile);
  ASSERT_THAT(profile.error(), SizeIs(1));
  EXPECT_THAT(profile.error()[0].to_string(), AllOf(HasSubstr("nowhere/carrier.toml: "), HasSubstr("No such file")));
}

TEST_F(ProfileTest, TomlThatCannotBeParsedIsAnErrorWithItsLine) {
  const auto found = errors(with(good_profile, "[limits]", "[limits"));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].line, line_of(good_profile, "[limits]"));
}

TEST_F(ProfileTest, EveryErrorIsToldInTheOrderOfTheFile) {
  std::string toml = with(good_profile, "America/Lima", "America/Lma");
  toml = with(toml, "concurrency = 3", "concurency = 3");
  toml = with(toml, "events = \"event\"", "events = \"event[\"");
  toml = with(toml, "status = \"attempt_failed\"", "status = \"attempt_fail\"");
  const auto found = errors(toml);
  EXPECT_THAT(
      found,
      ElementsAre(error_at(line_of(toml, "zone ="), "zone", "IANA time zone"),
                  error_at(line_of(toml, "concurency"), "limits.concurency", "did you mean 'concurrency'?"),
                  error_at(line_of(toml, "events ="), "track.answer.events", "character"),
                  error_at(line_of(toml, "attempt_fail"), "track.status.2.status", "did you mean 'attempt_failed'?")));
  EXPECT_EQ(found[0].to_string(), (folder_.path() / "carrier.toml").string() + ":" +
                                      std::to_string(line_of(toml, "zone =")) + ": zone: " + found[0].message);
}

struct Spoiled {
  std::string name, what, instead, key, message;
};
void PrintTo(const Spoiled& spoiled, std::ostream* out) {
  *out << spoiled.name;
}

class SpoiledProfile : public ProfileTest, public testing::WithParamInterface<Spoiled> {};

TEST_P(SpoiledProfile, IsRefusedWithLineKeyAndWhatWasExpected) {
  const Spoiled& spoiled = GetParam();
  const std::string toml = with(good_profile, spoiled.what, spoiled.instead);
  const auto found = errors(toml);
  EXPECT_THAT(found, Contains(AllOf(Field("key", &ProfileError::key, spoiled.key),
                                    Field("message", &ProfileError::message, HasSubstr(spoiled.message)),
                                    Field("line", &ProfileError::line, testing::Gt(0)))));
  EXPECT_THAT(found, SizeIs(1)) << "one cause, one error";
}

INSTANTIATE_TEST_SUITE_P(
    Everything, SpoiledProfile,
    testing::Values(
        Spoiled{"UnknownTopKey", "tail =", "tale =", "tale", "did you mean 'tail'?"},
        Spoiled{"WrongType", "requests_per_second = 7.5", "requests_per_second = \"7.5\"", "limits.requests_per_second",
                "expected a number, not a text"},
        Spoiled{"OutOfRange", "concurrency = 3", "concurrency = 0", "limits.concurrency", "from 1 to 1000"},
        Spoiled{"NotANumber", "requests_per_second = 7.5", "requests_per_second = nan", "limits.requests_per_second",
                "from 0.001"},
        Spoiled{"NoDuration", "\"45 s\"", "\"45\"", "transport.total_timeout", "\"30 s\""},
        Spoiled{"ZeroDuration", "\"45 s\"", "\"0 s\"", "transport.total_timeout", "more than zero"},
        Spoiled{"EndlessDuration", "\"30 d\"", "\"9999999999999 d\"", "give_up_after", "ten years"},
        Spoiled{"BrokenHours", "\"36 h\"", "\"90 min\"", "registration_grace", "whole hours"},
        Spoiled{"UnknownTls", "\"1.3\"", "\"1.4\"", "transport.tls_min", "expected one of"},
        Spoiled{"CaFileThatCannotBeLookedFor", "tls_min", "ca_file = \"" + std::string(300, 'a') + "\"\ntls_min",
                "transport.ca_file", "cannot look for "},
        Spoiled{"MissingCaFile", "tls_min", "ca_file = \"none.pem\"\ntls_min", "transport.ca_file", "no such file"},
        Spoiled{"NoTitle", "title = \"Carrier\"", "", "title", "is missing"},
        Spoiled{"EmptyTitle", "title = \"Carrier\"", "title = \" \"", "title", "is empty"},
        Spoiled{"UnknownVerified", "recorded answers", "recorded answer", "verified",
                "did you mean 'recorded answers'"},
        Spoiled{"UnknownAuth", "kind = \"basic\"\nuser = \"{{settings.account}}\"\npassword = \"{{secrets.password}}\"",
                "kind = \"basics\"", "auth.kind", "did you mean 'basic'?"},
        Spoiled{"UnknownSetting", "user = \"{{settings.account}}\"", "user = \"{{settings.acount}}\"", "auth.user",
                "did you mean 'settings.account'?"},
        Spoiled{"PlainHttp", "https://carrier", "http://carrier", "base_url", "transport.http_allowed"},
        Spoiled{"NoScheme", "https://carrier", "carrier", "base_url", "https://"},
        Spoiled{"CredentialsInUrl", "https://carrier", "https://me:you@carrier", "base_url", "[auth]"},
        Spoiled{"PlainHttpInOperation", "\"{{base_url}}/track\"", "\"http://other.example/\"", "track.url",
                "transport.http_allowed"},
        Spoiled{"HostFromAVariable", "\"{{base_url}}/track\"", "\"https://{{remito}}.example/\"", "track.url",
                "must not depend on a variable"},
        Spoiled{"BlankInUrl", "/track\"", "/track me\"", "track.url", "percent-encoded"},
        Spoiled{"PipeInUrl", "/track\"", "/track?s=a|b\"", "track.url",
                "'|' has to be percent-encoded in a URL, as %7C"},
        Spoiled{"FragmentInUrl", "/track\"", "/track#top\"", "track.url", "as %23"},
        Spoiled{"BracketsInUrl", "/track\"", "/track?n[]=1\"", "track.url", "as %5B"},
        Spoiled{"PercentSignInUrl", "/track\"", "/track?s=%zz\"", "track.url", "as %25"},
        Spoiled{"PipeInBaseUrl", "https://carrier.example", "https://carrier.example/a|b", "base_url", "as %7C"},
        Spoiled{"UnknownMethod", "[track]\nmethod = \"POST\"", "[track]\nmethod = \"PST\"", "track.method",
                "did you mean 'POST'?"},
        Spoiled{"GetWithBody", "[track]\nmethod = \"POST\"", "[track]\nmethod = \"GET\"", "track.body", "GET"},
        Spoiled{"BodyWithoutFormat", "body_format = \"xml\"\n", "", "track.body", "body_format"},
        Spoiled{"HeaderName", "\"X-Year\"", "\"X Year\"", "track.headers.X Year", "name of a header"},
        Spoiled{"HeaderWithLineBreak", "\"text/xml\"", "\"text/xml\\r\\nX: 1\"", "track.headers.Content-Type",
                "no line break"},
        Spoiled{"UnknownVariable", "<number>{{remito}}", "<number>{{remitto}}", "track.body", "did you mean 'remito'?"},
        Spoiled{"TripleMustache", "<number>{{remito}}", "<number>{{{remito}}}", "track.body", "always escaped"},
        Spoiled{"UnescapedMustache", "<number>{{remito}}", "<number>{{&remito}}", "track.body", "always escaped"},
        Spoiled{"Partial", "<number>{{remito}}", "<number>{{> remito}}", "track.body", "partials"},
        Spoiled{"Delimiters", "<number>{{remito}}", "<number>{{=<% %>=}}", "track.body", "delimiters"},
        Spoiled{"OpenTag", "<number>{{remito}}", "<number>{{remito", "track.body", "without '}}'"},
        Spoiled{"OpenSection", "<number>{{remito}}", "<number>{{#items}}", "track.body", "{{/items}} is missing"},
        Spoiled{"StrayClose", "<number>{{remito}}", "<number>{{/items}}", "track.body", "closes nothing"},
        Spoiled{"SectionAsVariable", "<number>{{remito}}", "<number>{{items}}", "track.body", "is a section"},
        Spoiled{"CommaOutside", "<number>{{remito}}", "<number>{{#comma}},{{/comma}}", "track.body",
                "not a variable here"},
        Spoiled{"InvertedLambda", "<number>{{remito}}", "<number>{{^items}}{{/items}}", "track.body", "inverted"},
        Spoiled{"ItemsInItems", "<number>{{remito}}", "{{#items}}1{{#items}}2{{/items}}{{/items}}", "track.body",
                "inside another"},
        Spoiled{"NoAnswerFormat", "format = \"xml\"\ncharset", "charset", "track.answer.format", "is missing"},
        Spoiled{"UnknownCharset", "ISO-8859-1", "ISO-8859-99", "track.answer.charset", "iconv"},
        Spoiled{"CharsetWithOrders", "ISO-8859-1", "ISO-8859-1//IGNORE", "track.answer.charset", "iconv"},
        Spoiled{"StatusOutOfRange", "[200, 404]", "[200, 4040]", "track.answer.success_statuses", "item 2"},
        Spoiled{"EventsThatAreNoNodes", "events = \"event\"", "events = \"string(event)\"", "track.answer.events",
                "nodes"},
        Spoiled{"NoRemito", "remito = \"number\"\n", "", "track.answer.remito", "matched to shipments by number"},
        Spoiled{"NoEvents", "events = \"event\"\n", "", "track.answer.events", "is missing"},
        Spoiled{"SnapshotWithEvents", "order = \"newest_first\"", "snapshot = true", "track.answer.events", "snapshot"},
        Spoiled{"NoTime", "time = \"time\"\nformats = [\"%d/%m/%Y %H:%M\"]", "", "track.event.time", "is missing"},
        Spoiled{"NoFormats", "formats = [\"%d/%m/%Y %H:%M\"]", "", "track.event.time", "go together"},
        Spoiled{"NoCode", "code = \"@code\"\ntext = \"text\"", "", "track.event", "a code or a text"},
        Spoiled{"RuleForEverything", "codes = [\"1\", \"2\"]\ncode = \"3\"", "", "track.status.1", "what it matches"},
        Spoiled{"RuleOfNothing", "codes = [\"1\", \"2\"]\ncode = \"3\"", "codes = []", "track.status.1.codes",
                "is empty"},
        Spoiled{"UnknownRuleKey", "code = \"3\"", "kode = \"3\"", "track.status.1.kode", "did you mean 'code'?"},
        Spoiled{"UnmappedAsStatus", "\"in_transit\"", "\"unmapped\"", "track.status.1.status", "expected one of"},
        Spoiled{"UnknownReason", "reason = \"recipient_absent\"", "reason = \"recipient_apsent\"",
                "track.status.2.reason", "did you mean 'recipient_absent'?"},
        Spoiled{"BadPattern", "(?i)ausente", "(ausente", "track.status.2.pattern", "missing )"},
        Spoiled{"BadCondition", "@final = 'no'", "@final = 'no", "track.status.2.when", "XPath"},
        Spoiled{"VariableInNodes", "events = \"event\"", "events = \"event[day < '{{now}}']\"", "track.answer.events",
                "'{{...}}' is for requests: an XPath is not a template"},
        Spoiled{"VariableInAField", "code = \"@code\"", "code = [\"@code\", \"x[. = '{{remito}}']\"]",
                "track.event.code", "an XPath is not a template"},
        Spoiled{"VariableInACondition", "@final = 'no'", "@final = '{{remito}}'", "track.status.2.when",
                "an XPath is not a template"},
        Spoiled{"VariableInWhatIsEmbedded", "charset = \"ISO-8859-1\"", "embedded = [\"//a[. = '{{remito}}']\"]",
                "track.answer.embedded", "an XPath is not a template"},
        Spoiled{"UndeclaredField", "\"name\":\"{{recipient.name}}\"", "\"name\":\"{{recipient.phone}}\"", "create.body",
                "list it under `required` or `optional`"},
        Spoiled{"UnlistedGroup", "\"name\":\"{{recipient.name}}\"", "\"name\":\"{{sender.name}}\"", "create.body",
                "{{sender.name}} is a field of the payload"},
        Spoiled{"MisspeltUnlistedField", "\"name\":\"{{recipient.name}}\"", "\"name\":\"{{recipient.emial}}\"",
                "create.body", "did you mean 'recipient.email'?"},
        Spoiled{"UnknownField", "\"recipient.name\",", "\"recipient.name\", \"recipient.adress.floor\",",
                "create.required", "did you mean 'address'?"},
        Spoiled{"NearlyKnownField", "\"notes\",", "\"notes\", \"recipent.name\",", "create.optional",
                "did you mean 'recipient'?"},
        Spoiled{"ReservedField", "\"notes\",", "\"notes\", \"secrets.x\",", "create.optional", "cannot be a field"},
        Spoiled{"NoGranted", "granted = \"//remito != ''\"\n", "", "create.answer.granted", "is missing"},
        Spoiled{"TwoRemitos", "remito = \"//remito\"", "remito = \"//remito\"\nremito_is = \"order_number\"",
                "create.answer.remito", "either"},
        Spoiled{"TriesAgainAfterASuccess", "granted = \"//remito != ''\"\n",
                "granted = \"//remito != ''\"\nsuccess_statuses = [200, 503]\ntry_again_statuses = [429, 503]\n",
                "create.answer.try_again_statuses", "503 is one of success_statuses"},
        Spoiled{"NoRemitoOfCreate", "remito = \"//remito\"\n", "", "create.answer.remito", "either"}),
    [](const auto& instance) { return instance.param.name; });

TEST_F(ProfileTest, ErrorInATemplateIsToldAtItsOwnLine) {
  const std::string toml = with(good_profile, "<number>{{remito}}", "<number>{{remitto}}");
  EXPECT_THAT(errors(toml), ElementsAre(error_at(line_of(toml, "remitto"), "track.body", "{{remitto}}")));
}

TEST_F(ProfileTest, VariableOfAShipmentOutsideTheItemsOfABatchIsRefusedEverywhere) {
  const std::string toml = with(good_profile, "concurrency = 3", "batch_max = 5");
  EXPECT_THAT(errors(toml), ElementsAre(error_at(line_of(toml, "headers ="), "track.headers.X-Year",
                                                 "{{registered_yy}} is not a variable here (did you mean "
                                                 "{{#items}}{{registered_yy}}{{/items}}?)"),
                                        error_at(line_of(toml, "<number>"), "track.body",
                                                 "did you mean {{#items}}{{remito}}{{/items}}?")));
}

TEST_F(ProfileTest, BatchHasToNameItsItems) {
  std::string toml = with(good_profile, "concurrency = 3", "batch_max = 5");
  toml = with(toml, ", \"X-Year\" = \"{{registered_yy}}\"", "");
  toml = with(toml, "<number>{{remito}}", "<number>");
  EXPECT_THAT(errors(toml), ElementsAre(error_at(line_of(toml, "</ask>") - 2, "track.body", "{{#items}}")));
  for (const char* signature :
       {"{{first_remito}}", "{{#items}}{{first_remito}}{{/items}}", "{{#items}}{{#md5}}{{remito}}{{/md5}}{{/items}}",
        "{{#items}}{{#comma}}{{remito}}{{/comma}}{{/items}}", "{{#md5}}{{#items}}{{remito}}{{/items}}{{/md5}}"}) {
    const std::string unnamed = with(toml, "<number>", std::string("<number>") + signature);
    EXPECT_THAT(errors(unnamed), ElementsAre(error_at(line_of(unnamed, "</ask>") - 2, "track.body", "{{#items}}")))
        << "does not ask for the shipments";
  }
}

TEST_F(ProfileTest, WhatIsProposedForAVariableIsNeverWhatWasWritten) {
  const auto said_of = [this](const std::string& name) {
    const auto found = errors(with(good_profile, "<number>{{remito}}", "<number>" + name));
    return found.size() == 1 ? found.front().message : "not one error but " + std::to_string(found.size());
  };
  EXPECT_EQ(said_of("{{items.remito}}"),
            "{{items.remito}} is not a variable here (did you mean {{#items}}{{remito}}{{/items}}?)");
  EXPECT_EQ(said_of("{{#hmac_sha256.key}}x{{/hmac_sha256.key}}"),
            "{{#hmac_sha256.key}} is not a variable here (did you mean "
            "{{#hmac_sha256}}{{#key}}...{{/key}}text{{/hmac_sha256}}?)");
}

TEST_F(ProfileTest, AKeyThatIsLikeNoOtherIsToldWhichThereAre) {
  const auto said_of = [this](std::string_view place, const std::string& key) {
    const auto found = errors(with(good_profile, place, key + " = 1\n" + std::string(place)));
    return found.size() == 1 ? found.front().message : "not one error but " + std::to_string(found.size());
  };
  EXPECT_EQ(said_of("concurrency = 3", "zzzzzzzzzzzz"),
            "is not a key here (there are: batch_max, blackouts, concurrency, holidays, requests_per_day, "
            "requests_per_hour, requests_per_minute, requests_per_second, windows)");
  EXPECT_THAT(said_of("title =", "zzzzzzzzzzzz"), AllOf(HasSubstr("(there are: auth, "), HasSubstr(", ...)")));
}

TEST_F(ProfileTest, XPathErrorTellsPugixmlsWordsAndThePlace) {
  const std::string toml = with(good_profile, "error = \"//fault\"", "error = \"//fault[\"");
  const auto found = errors(toml);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].message, HasSubstr(" at character 9"));
}

TEST_F(ProfileTest, ProfileThatCanDoNothingIsRefused) {
  settings_ = {.name = "carrier", .base_url = "", .values = {}, .secrets = {}};
  EXPECT_THAT(errors("title = \"Idle\"\nzone = \"UTC\"\nbase_url = \"https://idle.example\"\n"),
              ElementsAre(Field(&ProfileError::message, HasSubstr("[track], [create] or [feed]"))));
}

TEST_F(ProfileTest, WhatTheInstallationDoesNotStateIsNamed) {
  settings_.values.clear();
  settings_.secrets["password"] = " ";
  const auto found = errors(good_profile);
  EXPECT_THAT(found, ElementsAre(error_at(line_of(good_profile, "settings ="), "settings", "settings.account"),
                                 error_at(line_of(good_profile, "secrets ="), "secrets", "secrets.password")));
}

TEST_F(ProfileTest, WhatTheInstallationMisspellsIsNamedWithTheNearestKey) {
  settings_.values["acount"] = "1";
  EXPECT_THAT(errors(good_profile),
              ElementsAre(error_at(line_of(good_profile, "settings ="), "settings", "did you mean 'account'?")));
}

TEST_F(ProfileTest, NoErrorEverShowsASecretOrASetting) {
  settings_.secrets = {{"password", "hush\nhush"}, {"pasword", "hush-too"}};
  settings_.values["account"] = "person\x01";
  for (const ProfileError& error : errors(good_profile))
    EXPECT_THAT(error.to_string(), AllOf(Not(HasSubstr("hush")), Not(HasSubstr("person"))));
  EXPECT_THAT(errors(good_profile), SizeIs(3)) << "line break in a header, unknown secret, control character";
}

TEST_F(ProfileTest, PlainHttpIsTakenWhereTheProfileAllowsIt) {
  std::string toml = with(good_profile, "https://carrier", "http://carrier");
  toml = with(toml, "tls_min = \"1.3\"", "http_allowed = true");
  const auto profile = loaded(toml);
  ASSERT_TRUE(profile);
  EXPECT_TRUE(profile->transport_options()->http_allowed);
}

TEST_F(ProfileTest, InstallationsBaseUrlIsHeldToTheSameRules) {
  settings_.base_url = "http://carrier.example:8080";
  EXPECT_THAT(errors(good_profile),
              Contains(AllOf(Field(&ProfileError::key, "base_url"),
                             Field(&ProfileError::message, HasSubstr("the installation's: http://")))));
}

TEST_F(ProfileTest, WhatTheInstallationStatesWronglyIsToldInItsFileWhereThatIsKnown) {
  settings_.values.clear();
  settings_.base_url = "http://carrier.example:8080";
  settings_.origin = {
      .file = "remitod.toml", .path = "carriers.centro", .line = 3, .lines = {{"base_url", 4}, {"settings", 7}}};
  const auto told = [](int line, const std::string& key) {
    return AllOf(Field(&ProfileError::file, "remitod.toml"), Field(&ProfileError::line, line),
                 Field(&ProfileError::key, key));
  };
  EXPECT_THAT(errors(good_profile),
              ElementsAre(told(4, "carriers.centro.base_url"), told(7, "carriers.centro.settings.account")));
}

TEST_F(ProfileTest, PlainHttpToThisVeryMachineIsAlwaysTaken) {
  for (const char* url : {"http://127.0.0.1:8080", "http://localhost/carrier", "http://[::1]:99"}) {
    settings_.base_url = url;
    const auto profile = loaded(good_profile);
    ASSERT_TRUE(profile) << url;
    EXPECT_TRUE(profile->transport_options()->http_allowed) << url;
  }
  settings_.base_url = "http://127.0.0.1.example/";
  EXPECT_THAT(errors(good_profile), Contains(Field(&ProfileError::key, "base_url")));
}

TEST_F(ProfileTest, RevisionCoversTheFileAndTheSettingsButNoSecret) {
  const auto revision = [&] { return loaded(good_profile)->revision(); };
  const std::uint64_t first = revision();
  EXPECT_EQ(revision(), first);
  settings_.secrets["password"] = "another";
  EXPECT_EQ(revision(), first);
  settings_.values["account"] = "another";
  EXPECT_NE(revision(), first);
  settings_.values["account"] = "77&1";
  settings_.base_url = "https://test.carrier.example";
  EXPECT_NE(revision(), first);
  settings_.base_url.clear();
  EXPECT_NE(loaded(std::string(good_profile) + "# a note\n")->revision(), first);
}

}  // namespace
}  // namespace remitod::test
