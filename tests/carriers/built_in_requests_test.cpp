// The track requests of the built-in profiles: each asks for the numbers it is given, over TLS unless its profile says
// otherwise, with nothing left to be filled in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include <algorithm>

#include "carriers/request.h"
#include "tests/carriers/built_in_profiles.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

using testing::HasSubstr;
using testing::Not;

/// As many values as any login gives.
const std::vector<std::string>& session_values() {
  static const std::vector<std::string> values(8, "token-417");
  return values;
}

HttpRequest track_request(const Profile& profile, const std::vector<std::string>& remitos) {
  std::vector<TrackItem> items;
  for (const std::string& remito : remitos) items.push_back({remito, *from_iso8601("2026-11-02T15:00:00Z")});
  Call call{*from_iso8601("2026-11-03T15:04:05Z")};
  if (profile.has_session()) call.session = session_values();
  const auto request = build_track(profile, items, call);
  if (!request) throw std::runtime_error(request.error().field + ": " + request.error().message);
  return *request;
}

std::string everything_in(const HttpRequest& request) {
  std::string text = request.url + "\n" + request.body;
  for (const std::string& header : request.headers) text += "\n" + header;
  return text;
}

class BuiltInTracking : public testing::TestWithParam<std::string> {
 protected:
  const std::shared_ptr<const Profile> profile_ = test::built_in_profile(GetParam());
};

TEST_P(BuiltInTracking, AsksForEachNumber) {
  std::vector<std::string> remitos;
  for (int i = 0; i < std::min(profile_->limits().batch_max, 3); ++i)
    remitos.push_back("417000000" + std::to_string(i));
  const std::string text = everything_in(track_request(*profile_, remitos));
  for (const std::string& remito : remitos) EXPECT_THAT(text, HasSubstr(remito));
}

TEST_P(BuiltInTracking, LeavesNothingToBeFilledIn) {
  const HttpRequest request = track_request(*profile_, {"4170000000"});
  EXPECT_THAT(everything_in(request), Not(HasSubstr("{{")));
  EXPECT_EQ(request.url.starts_with("https://") || profile_->transport_options()->http_allowed, true) << request.url;
  EXPECT_THAT(request.url, Not(testing::ContainsRegex("[ \"<>]")));
}

TEST_P(BuiltInTracking, SendsADocumentThatCanBeRead) {
  const HttpRequest request = track_request(*profile_, {"417<&\">0"});
  if (request.body.starts_with('<')) {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(request.body.c_str())) << request.body;
  } else if (request.body.starts_with('{') || request.body.starts_with('[')) {
    EXPECT_TRUE(nlohmann::json::accept(request.body)) << request.body;
  }
}

/// By the words of the profiles: loading them is for the tests, which can say what is wrong.
std::vector<std::string> carriers_that_track() {
  std::vector<std::string> carriers = test::built_in_carriers();
  std::erase_if(carriers, [](const std::string& carrier) {
    const auto file = test::source_dir() / "carriers" / "profiles" / carrier / "carrier.toml";
    return !test::read_file(file).contains("\n[track]\n");
  });
  return carriers;
}

INSTANTIATE_TEST_SUITE_P(All, BuiltInTracking, testing::ValuesIn(carriers_that_track()),
                         [](const auto& carrier) { return carrier.param; });

}  // namespace
}  // namespace remitod::carriers
