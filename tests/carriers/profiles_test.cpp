// The built-in profiles over their samples: each answer gives exactly what stands in its .expected.json.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "carriers/check.h"
#include "carriers/mapping.h"
#include "carriers/operations.h"
#include "carriers/remito.h"
#include "carriers/sample.h"
#include "tests/carriers/built_in_profiles.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

std::filesystem::path folder_of(const std::string& carrier) {
  return test::source_dir() / "carriers" / "profiles" / carrier;
}

class BuiltInProfile : public testing::TestWithParam<std::string> {};

TEST_P(BuiltInProfile, ReadsFromEachOfItsSamplesWhatIsExpectedOfIt) {
  const ProfileCheck check = check_profile(folder_of(GetParam()));
  for (const ProfileError& error : check.errors) ADD_FAILURE() << error.to_string();
  for (const SampleCheck& sample : check.samples) {
    SCOPED_TRACE(sample.name);
    EXPECT_EQ(sample.problem, "");
    EXPECT_EQ(sample.proposal, "");
    for (const Deviation& deviation : sample.deviations)
      ADD_FAILURE() << deviation.what << ": expected " << deviation.expected << ", read " << deviation.read;
  }
  EXPECT_FALSE(check.samples.empty());
}

INSTANTIATE_TEST_SUITE_P(All, BuiltInProfile, testing::ValuesIn(test::built_in_carriers()),
                         [](const auto& carrier) { return carrier.param; });

/// The body of a sample of each carrier that answers with a history or a state.
std::map<std::string, std::string> answers_with_events() {
  std::map<std::string, std::string> found;
  for (const std::string& carrier : test::built_in_carriers()) {
    const std::vector<SampleFiles> samples = read_samples(folder_of(carrier)).value();
    for (const SampleFiles& sample : samples) {
      if (sample.pages.size() != 1 || !sample.expectation) continue;
      const Expectation expectation = parse_expectation(*sample.expectation).value();
      if (expectation.operation != "track" || expectation.read.is_null()) continue;
      const nlohmann::json reports = expectation.read.value("reports", nlohmann::json::array());
      const bool has_events =
          std::ranges::any_of(reports, [](const auto& report) { return !report["events"].empty(); });
      if (has_events && expectation.answer.status == 200) found.try_emplace(carrier, sample.pages.front());
    }
  }
  return found;
}

CarrierTrouble::Kind trouble_kind(const Profile& profile, int status, std::string body) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  const std::vector<TrackItem> asked{{"0417", Instant{}}};
  const auto read = map_track(profile, answer, asked);
  if (read) throw std::runtime_error("was read as an answer");
  return read.error().kind;
}

TEST(BuiltInProfiles, EachThatTracksHasASampleWithEvents) {
  const std::map<std::string, std::string> found = answers_with_events();
  for (const std::string& carrier : test::built_in_carriers()) {
    EXPECT_EQ(found.contains(carrier), test::built_in_profile(carrier)->can_track()) << carrier;
  }
}

/// What the samples of a carrier answer.
std::set<std::string> operations_shown(const std::string& carrier) {
  std::set<std::string> operations;
  const std::vector<SampleFiles> samples = read_samples(folder_of(carrier)).value();
  for (const SampleFiles& sample : samples)
    if (sample.expectation) operations.insert(parse_expectation(*sample.expectation).value().operation);
  return operations;
}

TEST(BuiltInProfiles, EachHasASampleOfWhateverItAsks) {
  for (const std::string& carrier : test::built_in_carriers()) {
    const auto profile = test::built_in_profile(carrier);
    const std::set<std::string> shown = operations_shown(carrier);
    const std::pair<const char*, bool> asked[] = {{"track", profile->can_track()},
                                                  {"create", profile->can_create()},
                                                  {"confirm", confirmation_pace(*profile).has_value()},
                                                  {"find", profile->can_find()},
                                                  {"cancel", profile->can_cancel()},
                                                  {"cancel.lookup", cancel_has_lookup(*profile)},
                                                  {"quote", profile->can_quote()}};
    for (const auto& [operation, is_asked] : asked)
      EXPECT_EQ(shown.contains(operation), is_asked) << carrier << " " << operation;
  }
}

// What every carrier does to its clients sooner or later: none of it may pass for a report.
TEST(BuiltInProfiles, EachTellsAnOutageFromAReport) {
  using enum CarrierTrouble::Kind;
  for (const auto& [carrier, body] : answers_with_events()) {
    SCOPED_TRACE(carrier);
    const auto profile = test::built_in_profile(carrier);
    EXPECT_EQ(trouble_kind(*profile, 429, body), throttled);
    EXPECT_EQ(trouble_kind(*profile, 401, body), auth);
    EXPECT_EQ(trouble_kind(*profile, 503, "<html><body>Service Unavailable</body></html>"), http_status);
    EXPECT_EQ(trouble_kind(*profile, 200, "<!DOCTYPE html><html><body>Maintenance</body></html>"), malformed);
    EXPECT_EQ(trouble_kind(*profile, 200, ""), malformed);
    const bool is_closed = body.starts_with('<') || body.starts_with('{') || body.starts_with('[');
    if (is_closed) {
      EXPECT_EQ(trouble_kind(*profile, 200, body.substr(0, body.size() * 2 / 3)), malformed);
    }
  }
}

}  // namespace
}  // namespace remitod::carriers
