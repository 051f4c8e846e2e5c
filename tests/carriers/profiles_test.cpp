// The built-in profiles over their samples: each answer gives exactly what stands in its .expected.json.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

#include "carriers/mapping.h"
#include "tests/carriers/built_in_profiles.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;

constexpr std::string_view expected_suffix = ".expected.json";

struct Sample {
  std::string carrier;
  std::string name;
  std::filesystem::path answer;    ///< empty: there is none
  std::filesystem::path expected;  ///< likewise
};

void PrintTo(const Sample& sample, std::ostream* out) {
  *out << sample.carrier << "/" << sample.name;
}

std::vector<Sample> samples() {
  std::map<std::pair<std::string, std::string>, Sample> found;
  for (const std::string& carrier : test::built_in_carriers()) {
    const std::filesystem::path folder = test::source_dir() / "carriers" / "profiles" / carrier / "samples";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string file = entry.path().filename();
      const std::string name = file.substr(0, file.find('.'));
      Sample& sample = found[{carrier, name}];
      sample.carrier = carrier;
      sample.name = name;
      (file.ends_with(expected_suffix) ? sample.expected : sample.answer) = entry.path();
    }
  }
  std::vector<Sample> all;
  for (auto& [key, sample] : found) all.push_back(std::move(sample));
  return all;
}

json to_json(const TrackingEvent& event) {
  json object{{"code", event.code}, {"text", event.text}, {"status", name(event.status)}, {"position", event.position}};
  if (event.reason != Reason::none) object["reason"] = name(event.reason);
  if (!event.place.empty()) object["place"] = event.place;
  if (event.occurred_at) {
    object["occurred_at"] = to_iso8601(event.occurred_at->at);
    object["zone"] = name(event.occurred_at->zone);
    if (event.occurred_at->date_only) object["date_only"] = true;
  }
  return object;
}

json to_json(const Report& report) {
  constexpr std::string_view kinds[]{"events", "snapshot", "not_found_yet"};
  json events = json::array();
  for (const TrackingEvent& event : report.events) events.push_back(to_json(event));
  return {{"remito", report.remito}, {"kind", kinds[static_cast<std::size_t>(report.kind)]}, {"events", events}};
}

json sorted(json array) {
  std::sort(array.begin(), array.end(), [](const json& a, const json& b) { return a.dump() < b.dump(); });
  return array;
}

class ProfileSample : public testing::TestWithParam<Sample> {
 protected:
  void SetUp() override {
    ASSERT_FALSE(GetParam().answer.empty()) << "an expectation without an answer";
    ASSERT_FALSE(GetParam().expected.empty()) << "an answer without an expectation";
    expected_ = json::parse(test::read_file(GetParam().expected));
    profile_ = test::built_in_profile(GetParam().carrier);
    answer_.status = expected_.at("http_status");
    answer_.content_type = expected_.at("content_type");
    answer_.body = test::read_file(GetParam().answer);
  }

  void expect_track() const {
    const std::vector<std::string> asked = expected_.at("asked");
    const std::optional<Instant> registered_at = from_iso8601(expected_.at("registered_at").get<std::string>());
    ASSERT_TRUE(registered_at);
    std::vector<TrackItem> items;
    for (const std::string& remito : asked) items.push_back({remito, *registered_at});
    const std::expected<TrackAnswer, CarrierTrouble> answer = map_track(*profile_, answer_, items);
    if (expected_.contains("trouble")) {
      ASSERT_FALSE(answer) << "expected trouble";
      EXPECT_EQ(name(answer.error().kind), expected_["trouble"]["kind"]);
      EXPECT_THAT(answer.error().message,
                  testing::HasSubstr(expected_["trouble"]["message_contains"].get<std::string>()));
      return;
    }
    ASSERT_TRUE(answer) << name(answer.error().kind) << ": " << answer.error().message;
    expect_answer(*answer);
  }

  void expect_answer(const TrackAnswer& answer) const {
    json reports = json::array();
    for (const Report& report : answer.reports) reports.push_back(to_json(report));
    EXPECT_EQ(sorted(reports).dump(1), sorted(expected_.at("reports")).dump(1));
    EXPECT_EQ(sorted(answer.missing), sorted(expected_.at("missing")));
    EXPECT_EQ(answer.extra, expected_.at("extra"));
    const json& errors = expected_.at("errors");
    ASSERT_EQ(answer.errors.size(), errors.size());
    for (std::size_t i = 0; i < errors.size(); ++i) {
      EXPECT_EQ(answer.errors[i].remito, errors[i]["remito"]);
      EXPECT_THAT(answer.errors[i].message, testing::HasSubstr(errors[i]["message_contains"].get<std::string>()));
    }
  }

  void expect_create() const {
    constexpr std::string_view kinds[]{"granted", "refused", "unknown"};
    const std::string order_number = expected_.at("order_number");
    const CreateAnswer answer = map_create(*profile_, answer_, CreateOrder{order_number, 1, "", "r-417-1", "{}"});
    const json& created = expected_.at("created");
    EXPECT_EQ(kinds[static_cast<std::size_t>(answer.kind)], created.at("kind"));
    EXPECT_EQ(answer.remito, created.at("remito"));
    EXPECT_EQ(answer.refusal_code, created.at("refusal_code"));
    EXPECT_THAT(answer.refusal_text, testing::StartsWith(created.at("refusal_text").get<std::string>()));
    EXPECT_EQ(answer.refusal_text.empty(), created.at("refusal_text").get<std::string>().empty());
  }

  json expected_;
  HttpAnswer answer_;
  std::shared_ptr<const Profile> profile_;
};

TEST_P(ProfileSample, GivesWhatIsExpectedOfIt) {
  const std::string operation = expected_.at("operation");
  if (operation == "track") return expect_track();
  ASSERT_EQ(operation, "create");
  expect_create();
}

INSTANTIATE_TEST_SUITE_P(BuiltIn, ProfileSample, testing::ValuesIn(samples()),
                         [](const auto& sample) { return sample.param.carrier + "_" + sample.param.name; });

// What every carrier does to its clients sooner or later; a profile that was never tried on it is not finished.
TEST(BuiltInProfiles, EachHasTheSamplesThatEveryCarrierSendsOneDay) {
  std::map<std::string, std::set<std::string>> names;
  for (const Sample& sample : samples()) names[sample.carrier].insert(sample.name);
  ASSERT_FALSE(names.empty());
  for (const auto& [carrier, of_carrier] : names) {
    for (const char* name : {"not_found", "throttled", "truncated", "wrong_encoding", "html_page", "impossible_date"}) {
      EXPECT_TRUE(of_carrier.contains(name)) << carrier << " lacks " << name;
    }
  }
}

}  // namespace
}  // namespace remitod::carriers
