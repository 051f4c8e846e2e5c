// Replaying the samples of a profile: what is told of one that does not give what is expected.
#include "carriers/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carriers/payload.h"
#include "carriers/starter.h"
#include "carriers/tracking.h"
#include "tests/carriers/checked_profile.h"

namespace remitod::carriers {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(CheckedProfile, OfANewCarrierPassesAndLeavesNothingToLookAt) {
  const ProfileCheck check = check_profile(dir());
  EXPECT_THAT(check.errors, IsEmpty());
  EXPECT_EQ(check.name, "starter");
  EXPECT_EQ(check.samples.size(), 2U);
  EXPECT_TRUE(check.passed());
  EXPECT_THAT(remarks(), IsEmpty());
}

TEST_F(CheckedProfile, ThatAsksForWhatNoTemplateNamesSaysSo) {
  change("carrier.toml", "secrets = [\"api_key\"]", "secrets = [\"api_key\", \"api_kay\"]");
  EXPECT_THAT(remarks(), ElementsAre(std::to_string(line_of("secrets = ")) +
                                     " secrets: no template names {{secrets.api_kay}}, and every installation has to "
                                     "state it"));
}

TEST_F(CheckedProfile, WhoseSampleAsksForMoreNumbersThanARequestHoldsFails) {
  change("samples/delivered.expected.json", "\"asked\": [", "\"asked\": [\"1\", ");
  EXPECT_THAT(check_profile(dir()).samples,
              Contains(Field(&SampleCheck::problem, "2 numbers are asked for, and limits.batch_max is 1")));
}

TEST_F(CheckedProfile, WithoutASampleOfAnOperationSaysSo) {
  write("carrier.toml", test::read_file(dir() / "carrier.toml") + R"toml(
[cancel]
url = "{{base_url}}/cancel/{{remito}}"
[cancel.answer]
format = "json"
accepted = "/json/ok"
)toml");
  EXPECT_THAT(remarks(), ElementsAre(std::to_string(line_of("[cancel]\n")) + " cancel: no sample of it"));
}

TEST_F(CheckedProfile, WhoseEventsRunBackwardsInTimeIsAskedForTheirOrder) {
  change("carrier.toml", "order = \"oldest_first\"", "order = \"newest_first\"");
  EXPECT_THAT(remarks(), Contains(AllOf(HasSubstr("track.answer.order: in sample "),
                                        HasSubstr("is the newest really the first of the list?"))));
}

TEST_F(CheckedProfile, ThatDoesNotLoadTellsItsErrorsAndReadsNoSample) {
  change("carrier.toml", "events = ", "event = ");
  const ProfileCheck check = check_profile(dir());
  EXPECT_FALSE(check.passed());
  EXPECT_THAT(check.samples, IsEmpty());
  EXPECT_THAT(check.errors, Contains(Field(&ProfileError::message, HasSubstr("did you mean 'events'"))));
}

TEST_F(CheckedProfile, NamesTheStatusRuleThatDecidedOtherwiseAndItsLine) {
  change("carrier.toml", "status = \"delivered\"", "status = \"returned\"");
  const std::vector<Deviation> found = deviations();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].what, "0041700001, event at position 2: status");
  EXPECT_EQ(found[0].expected, "\"delivered\"");
  EXPECT_EQ(found[0].read, "\"returned\"");
  ASSERT_EQ(found[0].deciders.size(), 1U);
  EXPECT_EQ(found[0].deciders[0].key, "track.status.2");
  EXPECT_EQ(found[0].deciders[0].line, line_of("code = \"50\"") - 1);
}

TEST_F(CheckedProfile, NamesTheRuleAlsoWhereTheCarrierListsTheNewestFirst) {
  change("carrier.toml", "order = \"oldest_first\"", "order = \"newest_first\"");
  change("samples/delivered.json", "02/11/2026", "01/11/2026");  // or all of it would be told as one thing
  const std::vector<Deviation> found = deviations();
  const auto status_of_oldest = Field(&Deviation::what, "0041700001, event at position 0: status");
  ASSERT_THAT(found, Contains(status_of_oldest));
  for (const Deviation& deviation : found)
    if (deviation.what == "0041700001, event at position 0: status") {
      EXPECT_EQ(deviation.deciders.at(0).key, "track.status.2");
    }
}

TEST_F(CheckedProfile, TellsTheSameEventsInTheOtherOrderAsOneThing) {
  change("carrier.toml", "order = \"oldest_first\"", "order = \"newest_first\"");
  const std::vector<Deviation> found = deviations();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].what, HasSubstr("the same events in the other order"));
  EXPECT_EQ(found[0].expected, "\"first 10 2026-11-02T13:15:00Z\"");
  EXPECT_EQ(found[0].deciders.at(0).key, "track.answer.order");
}

TEST_F(CheckedProfile, NamesTheReasonRuleThatDecided) {
  change("carrier.toml", "reason = \"recipient_absent\"", "reason = \"weather\"");
  const std::vector<Deviation> found = deviations();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].deciders.at(0).key, "track.reason.1");
  EXPECT_EQ(found[0].deciders.at(0).line, line_of("[[track.reason]]"));
}

TEST_F(CheckedProfile, NamesTheKeyOfAFieldThatReadsSomethingElse) {
  change("carrier.toml", "text = [\"detail\", \"title\"]", "text = \"title\"");
  const std::vector<Deviation> found = deviations();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].deciders.at(0).key, "track.event.text");
  EXPECT_EQ(found[0].deciders.at(0).line, line_of("text = \"title\""));
}

TEST_F(CheckedProfile, FailsWhereWhatIsSaidToBeVolatileIsRead) {
  const auto say_volatile = [this](const std::string& after) {
    change("carrier.toml", "[track.event]",
           "[[track.answer.volatile]]\nafter = '" + after + "'\nbefore = '\"'\n[track.event]");
  };
  say_volatile(R"("country": ")");
  const ProfileCheck check = check_profile(dir());
  EXPECT_FALSE(check.passed());
  EXPECT_THAT(check.samples, Contains(AllOf(Field(&SampleCheck::name, "delivered"),
                                            Field(&SampleCheck::problem, HasSubstr("[[track.answer.volatile]]")))));
  change("carrier.toml", R"("country": ")", R"("request": ")");
  change("samples/delivered.json", "\"ok\": true,", R"("ok": true, "request": "a-17",)");
  EXPECT_TRUE(check_profile(dir()).passed());
  change("samples/delivered.json", R"("request": "a-17",)", "");
  EXPECT_TRUE(check_profile(dir()).passed());
  EXPECT_THAT(remarks(), Contains(HasSubstr("track.answer.volatile.1: no sample has such a part")));
}

TEST_F(CheckedProfile, NamesTheKeysOfTheTimeWhereItMakesAnEventBeLeftOut) {
  change("samples/delivered.json", "03/11/2026", "33/11/2026");
  EXPECT_THAT(deviations(),
              Contains(AllOf(Field(&Deviation::what, "0041700001, event at position 1"),
                             Field(&Deviation::deciders, Contains(Field(&Decider::key, "track.event.time"))))));
}

TEST_F(CheckedProfile, TellsAnEventThatIsIgnoredAndOneThatCannotBeRead) {
  change("carrier.toml", "status = \"delivered\"", "ignore = true");
  change("samples/delivered.json", "03/11/2026", "33/11/2026");
  const std::vector<Deviation> found = deviations();
  EXPECT_THAT(found,
              Contains(AllOf(Field(&Deviation::what, "0041700001, event at position 1"), Field(&Deviation::read, ""))));
  EXPECT_THAT(found, Contains(AllOf(Field(&Deviation::what, "a part that was left out"),
                                    Field(&Deviation::read, HasSubstr("33/11/2026")))));
}

TEST_F(CheckedProfile, TellsTroubleWhereReportsAreExpectedAndTheOtherWayRound) {
  change("carrier.toml", "success = \"/json/ok = 'true'\"", "success = \"/json/ok = 'yes'\"");
  EXPECT_THAT(deviations(), ElementsAre(AllOf(Field(&Deviation::what, "the whole answer"),
                                              Field(&Deviation::read, HasSubstr("business")))));
  change("carrier.toml", "success = \"/json/ok = 'yes'\"", "");
  change("carrier.toml", "auth_error = ", "# ");
  const ProfileCheck check = check_profile(dir());
  ASSERT_EQ(check.samples.size(), 2U);
  EXPECT_THAT(check.samples[0].deviations, ElementsAre(AllOf(Field(&Deviation::what, "the whole answer"),
                                                             Field(&Deviation::expected, HasSubstr("auth")))));
}

TEST_F(CheckedProfile, ProposesAnExpectationWhereNothingIsExpectedYetAndPassesWithIt) {
  write("samples/delivered.expected.json", R"({"operation": "track", "asked": ["0041700001"]})");
  const ProfileCheck check = check_profile(dir());
  EXPECT_FALSE(check.passed());
  ASSERT_EQ(check.samples.size(), 2U);
  EXPECT_THAT(check.samples[1].proposal, HasSubstr("Entregado en portería"));
  EXPECT_THAT(check.samples[1].tree, HasSubstr(">Entregado en portería</"));
  write("samples/delivered.expected.json", check.samples[1].proposal);
  EXPECT_TRUE(check_profile(dir()).passed());
}

TEST_F(CheckedProfile, TellsWhatIsWrongWithTheFilesOfASample) {
  remove("samples/bad_login.json");
  change("samples/delivered.expected.json", "\"asked\"", "\"aksed\"");
  write("samples/alone.json", "{}");
  std::vector<std::string> problems;
  for (const SampleCheck& sample : check_profile(dir()).samples) problems.push_back(sample.problem);
  EXPECT_THAT(problems, ElementsAre(HasSubstr("no alone.expected.json"), HasSubstr("no answer"), HasSubstr("asked")));
}

TEST_F(CheckedProfile, WithASecondAnswerOfOneNameReadsNone) {
  write("samples/delivered.xml", "<a/>");
  EXPECT_THAT(check_profile(dir()).errors, ElementsAre(Field(&ProfileError::message, HasSubstr("second answer"))));
}

TEST_F(CheckedProfile, RemarksOnRulesThatNoSampleTouchesAndCodesThatNoRuleKnows) {
  change("carrier.toml", "code = \"50\"", "code = \"51\"");
  change("carrier.toml", "[\"ausente\", \"nadie\"]", "[\"nadie\"]");
  EXPECT_THAT(remarks(), Contains(HasSubstr("track.status: no sample touches these rules: 2 (line ")));
  EXPECT_THAT(remarks(), Contains(HasSubstr("track.reason: no sample touches these rules: 1 (line ")));
  EXPECT_THAT(remarks(), Contains(HasSubstr(" track.status: no rule knows code \"50\", \"Entregado en portería\"")));
}

TEST_F(CheckedProfile, RemarksOnAFieldThatFindsNothingInAnySample) {
  change("carrier.toml", "join = [\"city\", \"country\"]", "join = [\"ciudad\", \"pais\"]");
  EXPECT_THAT(remarks(),
              Contains(std::to_string(line_of("place = ")) + " track.event.place: finds nothing in any sample"));
}

TEST_F(CheckedProfile, RemarksOnACodeForWhichTheTextHasToStandIn) {
  change("carrier.toml", "code = \"code\"", "code = \"codigo\"");
  EXPECT_THAT(remarks(), Contains(std::to_string(line_of("code = \"codigo\"")) +
                                  " track.event.code: finds nothing in any sample"));
}

TEST_F(CheckedProfile, RemarksOnEventsThatStandElsewhereInEverySample) {
  change("carrier.toml", "events = \"/json/history\"", "events = \"/json/historia\"");
  EXPECT_THAT(remarks(),
              Contains(std::to_string(line_of("events = ")) +
                       " track.answer.events: no event is read from any sample, or each is ignored or left out"));
}

TEST_F(CheckedProfile, RemarksOnAnXPathThatLooksThroughTheAnswerForEachEvent) {
  change("carrier.toml", "code = \"code\"", "code = [\"code\", \"//history/code\"]");
  const std::string line = std::to_string(line_of("code = [\"code\""));
  EXPECT_THAT(remarks(), ElementsAre(AllOf(HasSubstr(line + " track.event.code"), HasSubstr("//history/code"))));
}

TEST_F(CheckedProfile, ReplaysAFeedWithWhateverShipmentsItNames) {
  write("carrier.toml", R"toml(
title = "Feed"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
[feed]
url = "{{base_url}}/changes"
[feed.answer]
format = "csv"
shipments = "//row"
remito = "number"
events = "."
[feed.event]
code = "code"
time = "day"
formats = ["%d/%m/%Y"]
[[feed.status]]
code = "E"
status = "delivered"
)toml");
  for (const char* name : {"delivered.json", "delivered.expected.json", "bad_login.json", "bad_login.expected.json"})
    remove(std::string("samples/") + name);
  write("samples/day.csv", "number,code,day\n0041,E,02/11/2026\n0042,E,03/11/2026\n");
  write("samples/day.expected.json", R"json({"operation": "feed", "reports": [
    {"remito": "0042", "kind": "events", "events": [{"code": "E", "text": "", "status": "delivered",
     "occurred_at": "2026-11-03T05:00:00Z", "zone": "profile", "date_only": true, "position": 0}]},
    {"remito": "0041", "kind": "events", "events": [{"code": "E", "text": "", "status": "returned",
     "occurred_at": "2026-11-02T05:00:00Z", "zone": "profile", "date_only": true, "position": 0}]}]})json");
  const ProfileCheck check = check_profile(dir());
  for (const ProfileError& error : check.errors) ADD_FAILURE() << error.to_string();
  ASSERT_EQ(check.samples.size(), 1U);
  ASSERT_EQ(check.samples[0].deviations.size(), 1U) << check.samples[0].problem;
  EXPECT_EQ(check.samples[0].deviations[0].what, "0041, event at position 0: status");
  EXPECT_EQ(check.samples[0].deviations[0].deciders.at(0).key, "feed.status.1");
}

TEST_F(CheckedProfile, MayLeaveItsCertificateAndItsProxyToTheInstallation) {
  change("carrier.toml", "settings = [\"account\"]",
         "settings = [\"account\", \"certificate_file\", \"key_file\", \"proxy\"]");
  change("carrier.toml", "[auth]",
         "[transport]\nclient_certificate = \"{{settings.certificate_file}}\"\n"
         "client_key = \"{{settings.key_file}}\"\nproxy = \"{{settings.proxy}}\"\n[auth]");
  EXPECT_THAT(check_profile(dir()).errors, IsEmpty());
  change("carrier.toml", "{{settings.key_file}}", "key.pem");
  change("carrier.toml", ", \"key_file\"", "");
  ASSERT_THAT(check_profile(dir()).errors, SizeIs(1)) << "what the profile brings itself has to be there";
  EXPECT_EQ(check_profile(dir()).errors[0].key, "transport.client_key");
}

TEST_F(CheckedProfile, WithoutSamplesIsToldToProveNothing) {
  std::filesystem::remove_all(dir() / "samples");
  EXPECT_THAT(remarks(), ElementsAre(HasSubstr("there are no samples")));
}

/// Writes every block of a page that stands under a line such as `rapidos/carrier.toml`, and returns how many there
/// were.
int write_blocks(std::string_view page, const std::filesystem::path& dir) {
  constexpr std::string_view named = "\n`rapidos/", opened = "`\n\n```", closed = "```\n";
  int count = 0;
  for (std::size_t at; (at = page.find(named)) != page.npos; ++count) {
    page.remove_prefix(at + 2);
    const std::string_view path = page.substr(0, page.find('`'));
    EXPECT_EQ(page.find(opened), path.size()) << path;
    page.remove_prefix(page.find('\n', path.size() + opened.size()) + 1);
    std::filesystem::create_directories((dir / path).parent_path());
    test::write_file(dir / path, page.substr(0, page.find(closed)));
  }
  return count;
}

TEST(WorkedExample, OfThePageThatTeachesProfilesPasses) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(write_blocks(test::read_file(test::source_dir() / "carriers" / "README.md"), folder.path()), 3);
  const ProfileCheck check = check_profile(folder.path() / "rapidos");
  for (const ProfileError& error : check.errors) ADD_FAILURE() << error.to_string();
  ASSERT_EQ(check.samples.size(), 1U);
  EXPECT_EQ(check.samples[0].problem, "");
  for (const Deviation& deviation : check.samples[0].deviations)
    ADD_FAILURE() << deviation.what << ": expected " << deviation.expected << ", read " << deviation.read;
  EXPECT_TRUE(check.passed());
}

TEST(ProfilePage, SaysWhatEveryFieldOfAPayloadAndEveryWordIsCalled) {
  const std::string page = test::read_file(test::source_dir() / "carriers" / "profile.md");
  for (const std::string& path : payload_paths())
    EXPECT_THAT(page, HasSubstr("`" + path.substr(path.rfind('.') + 1) + "`")) << path;
  const auto row = [](std::string_view word, std::string_view label) {
    return "\n| `" + std::string(word) + "` | " + std::string(label) + " | ";
  };
  for (std::size_t i = 0; i < static_cast<std::size_t>(Status::unmapped); ++i) {
    const auto status = static_cast<Status>(i);
    EXPECT_THAT(page, HasSubstr(row(name(status), label(status))));
  }
  for (std::size_t i = 1; i < reason_count; ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_THAT(page, HasSubstr(row(name(reason), label(reason))));
  }
}

TEST(CarrierName, IsOneThatAFolderAndATableCanHave) {
  EXPECT_TRUE(is_carrier_name("dhl_2"));
  for (const char* name : {"", "2dhl", "Oca", "a/b", "..", "a b", "ñandu"}) EXPECT_FALSE(is_carrier_name(name)) << name;
}

}  // namespace
}  // namespace remitod::carriers
