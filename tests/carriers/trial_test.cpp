// A live answer, kept as a sample: it says what was read, holds no secret, and passes.
#include "carriers/trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "carriers/check.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::carriers {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view latin_profile = R"toml(
title = "Tried"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
secrets = ["password"]
[track]
url = "{{base_url}}/{{remito}}?key={{secrets.password}}"
[track.answer]
format = "xml"
charset = "ISO-8859-1"
shipments = "/answer/shipment"
remito = "@number"
events = "event"
[track.event]
code = "@code"
place = "@place"
time = "@day"
formats = ["%d/%m/%Y"]
[[track.status]]
code = "D"
status = "delivered"
)toml";

constexpr std::string_view answer_text =
    "<answer key=\"canary-4f1d\"><shipment number=\"04/17\"><event code=\"D\" day=\"02/11/2026\" "
    "place=\"Bre\xF1\x61\"/></shipment></answer>";

class Trial : public testing::Test {
 protected:
  Trial() {
    std::filesystem::create_directories(dir() / "samples");
    test::write_file(dir() / "carrier.toml", latin_profile);
    profile_ = load_profile(dir(), {"tried", "", {}, {{"password", "canary-4f1d"}}}).value();
  }
  nlohmann::json trial(std::string body, std::string content_type = "text/xml") const {
    return trial_of_pages({std::move(content_type)}, body);
  }
  /// An answer in as many pages as there are media types.
  nlohmann::json trial_of_pages(const std::vector<std::string>& content_types, const std::string& body) const {
    const TrackItem asked{"04/17", from_iso8601("2026-11-01").value()};
    std::vector<TrialPage> pages;
    for (const std::string& content_type : content_types) {
      TrialPage page{build_track(*profile_, std::span(&asked, 1), asked.registered_at).value(), {}};
      page.answer.status = 200;
      page.answer.content_type = content_type;
      page.answer.body = body;
      pages.push_back(std::move(page));
    }
    return describe_trial(*profile_, Redactor(*profile_), pages, asked, asked.registered_at);
  }
  std::filesystem::path dir() const { return folder_.path() / "tried"; }

  test::TemporaryFolder folder_;
  std::shared_ptr<const Profile> profile_;
};

TEST_F(Trial, IsASampleThatPasses) {
  const auto files = trial_sample(trial(std::string(answer_text)));
  ASSERT_TRUE(files) << files.error();
  EXPECT_THAT(*files, ElementsAre(Field(&StarterFile::path, "live_04_17.xml"),
                                  Field(&StarterFile::path, "live_04_17.expected.json")));
  for (const StarterFile& file : *files) {
    EXPECT_THAT(file.text, Not(HasSubstr("canary")));
    test::write_file(dir() / "samples" / file.path, file.text);
  }
  const ProfileCheck check = check_profile(dir());
  ASSERT_EQ(check.samples.size(), 1U);
  EXPECT_TRUE(check.passed()) << check.samples[0].problem;
  EXPECT_THAT((*files)[1].text, HasSubstr("Breña"));
}

TEST_F(Trial, KeepsTheBytesOfAnAnswerThatIsNoUtf8) {
  const nlohmann::json told = trial(std::string(answer_text));
  EXPECT_FALSE(told["pages"][0].contains("body"));
  const std::string kept = trial_sample(told).value().front().text;
  EXPECT_EQ(kept, test::with(answer_text, "canary-4f1d", "[secret]"));
}

TEST_F(Trial, OfAnAnswerWhoseMediaTypeIsNoTextIsASampleToo) {
  const auto files = trial_sample(trial(std::string(answer_text), "text/xml; name=\"gu\xED\x61.xml\""));
  ASSERT_TRUE(files) << files.error();
  EXPECT_THAT(files->back().text, HasSubstr("text/xml; name=\\\"gu\xEF\xBF\xBD\x61.xml"));
}

TEST_F(Trial, KeepsTheMediaTypeOfEachPageWhereTheyDiffer) {
  const std::string body(answer_text);
  EXPECT_THAT(trial_sample(trial_of_pages({"text/xml", "text/xml; charset=ISO-8859-1"}, body)).value().back().text,
              HasSubstr("\"content_type\": [\"text/xml\",\"text/xml; charset=ISO-8859-1\"],\n"));
  EXPECT_THAT(trial_sample(trial_of_pages({"text/xml", "text/xml"}, body)).value().back().text,
              HasSubstr("\"content_type\": \"text/xml\",\n"));
}

TEST_F(Trial, TellsWhyThereIsNoTree) {
  const nlohmann::json told = trial("<html><body>Service Unavailable</body></html>", "text/html");
  EXPECT_THAT(told["pages"][0]["tree_problem"], HasSubstr("HTML"));
  EXPECT_EQ(told["read"]["trouble"]["kind"], "malformed");
  EXPECT_EQ(trial_sample(told).value().front().path, "live_04_17.html");
}

TEST_F(Trial, ShowsOfALargeTreeTheBeginning) {
  std::string body = "<answer>";
  for (int i = 0; i < 60'000; ++i) body += "<shipment number=\"" + std::to_string(i) + "\"/>";
  const std::string tree = trial(body + "</answer>")["pages"][0]["tree"];
  EXPECT_LE(tree.size(), (1U << 20) + 10);
  EXPECT_TRUE(tree.ends_with("\n...\n"));
}

TEST_F(Trial, WithoutAnAnswerIsNoSample) {
  EXPECT_FALSE(trial_sample(nlohmann::json{{"remito", "1"}, {"pages", {describe_request(Redactor(), HttpRequest{})}}}));
}

}  // namespace
}  // namespace remitod::carriers
