// A carrier is data: no source of carriers/ names one. And the page that lists the carriers lists them as they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "tests/carriers/built_in_profiles.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

std::filesystem::path carriers_folder() {
  return test::source_dir() / "carriers";
}

/// Folder, title and the title's first word of each profile; but for those that stand for a format and no carrier.
std::set<std::string> carrier_names() {
  const std::set<std::string> formats{"CSV", "EDIFACT", "X12"};
  std::set<std::string> names;
  for (const std::string& folder : test::built_in_carriers()) {
    const std::string title = test::built_in_profile(folder)->title();
    const std::string first_word = title.substr(0, title.find(' '));
    if (!formats.contains(first_word)) names.insert({folder, title, first_word});
  }
  return names;
}

/// Of the names that stand in the text as words of their own.
std::set<std::string> names_in(const std::string& text, const std::set<std::string>& names) {
  std::set<std::string> found;
  for (const std::string& name : names)
    if (RE2::PartialMatch(text, R"((?i)(^|[^a-z0-9_]))" + RE2::QuoteMeta(name) + "($|[^a-z0-9_])")) found.insert(name);
  return found;
}

TEST(CarrierNames, StandInNoSourceOfCarriers) {
  const std::set<std::string> names = carrier_names();
  ASSERT_GT(names.size(), 60U);
  EXPECT_THAT(names_in("// as Hermes has it, in groups", names), testing::ElementsAre("Hermes", "hermes"));
  int sources = 0;
  for (const auto& entry : std::filesystem::directory_iterator(carriers_folder())) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
    ++sources;
    EXPECT_THAT(names_in(test::read_file(entry.path()), names), testing::IsEmpty()) << entry.path().filename();
  }
  EXPECT_GT(sources, 100);
}

std::string formats_of(const toml::table& profile) {
  const std::map<std::string, std::string> words{{"xml", "XML"},         {"json", "JSON"},
                                                 {"csv", "CSV"},         {"fixed_width", "fixed width"},
                                                 {"edifact", "EDIFACT"}, {"x12", "X12"}};
  for (const char* operation : {"track", "feed", "create"})
    if (const auto format = profile.at_path(std::string(operation) + ".answer.format").value<std::string>())
      return words.at(*format);
  return "?";
}

std::string login_of(const toml::table& profile) {
  const std::map<std::string, std::string> words{{"basic", "basic"},   {"header", "a key in a header"},
                                                 {"login", "login"},   {"oauth2", "oauth2"},
                                                 {"digest", "digest"}, {"aws_sigv4", "a signature"}};
  if (const auto kind = profile.at_path("auth.kind").value<std::string>()) return words.at(*kind);
  const std::string url = profile.at_path("feed.url").value_or(std::string{});
  if (url.starts_with("file:")) return "a folder of this machine";
  return url.starts_with("sftp:") ? "SFTP" : "the request itself";
}

std::string abilities_of(const toml::table& profile) {
  std::string abilities;
  for (const char* operation : {"track", "feed", "create", "find", "cancel", "quote"})
    if (profile.contains(operation)) abilities += (abilities.empty() ? "" : ", ") + std::string(operation);
  return abilities;
}

std::string row_of(const std::string& carrier) {
  const toml::table profile = toml::parse_file((carriers_folder() / "profiles" / carrier / "carrier.toml").string());
  const std::string batch = std::to_string(profile.at_path("limits.batch_max").value_or(1));
  std::string row = "| `" + carrier + "` |";
  for (const std::string& cell : {profile["title"].value_or(std::string{}), formats_of(profile), abilities_of(profile),
                                  batch, login_of(profile), profile["verified"].value_or(std::string{})})
    row += " " + cell + " |";
  return row + "\n";
}

TEST(CarriersPage, ListsEachBuiltInCarrierAsItIs) {
  std::string rows;
  for (const std::string& carrier : test::built_in_carriers()) rows += row_of(carrier);
  const std::string page = test::read_file(carriers_folder() / "profiles" / "README.md");
  const std::size_t begin = page.find("| `");
  ASSERT_NE(begin, page.npos);
  EXPECT_EQ(page.substr(begin, page.find("\n\n", begin) + 1 - begin), rows);
}

}  // namespace
}  // namespace remitod::carriers
