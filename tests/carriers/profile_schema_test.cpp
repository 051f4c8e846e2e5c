// The schema that editors complete profiles from knows every key that the loader looks for, and no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "carriers/invented_account.h"
#include "carriers/profile_parts.h"
#include "tests/carriers/built_in_profiles.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;

/// Profiles that make the loader look for what no built-in one has.
constexpr const char* rare_profiles[]{
    R"toml(
[auth]
kind = "oauth2"
grant = "password"
[transport]
client_certificate = "x"
[feed]
url = "x"
[feed.paging]
kind = "page"
[feed.answer]
format = "csv"
csv = {}
[feed.event]
[[feed.status]]
[[feed.reason]]
[create]
url = "x"
remito_is = "range"
[create.range]
url = "x"
check_digit = {}
answer = {}
[create.answer]
format = "edifact"
edifact = {}
[confirm]
answer = {}
[find]
answer = {}
[cancel]
answer = {}
[quote]
answer = {}
)toml",
    R"toml(
[auth]
kind = "login"
[auth.login.answer]
session = { token = { header = "x" } }
[track]
[track.paging]
kind = "link"
[track.answer]
format = "fixed_width"
[track.answer.fixed_width]
columns = [{}]
records = [{ columns = [{}] }]
[track.event]
code = { value = "x" }
)toml",
    "auth = { kind = \"basic\" }",
    "auth = { kind = \"aws_sigv4\" }",
    "auth = { kind = \"bearer\" }",
    "track = { answer = { format = \"x12\", x12 = {} } }"};

std::set<std::string> keys_of(const std::filesystem::path& dir) {
  ErrorLog log("carrier.toml");
  static_cast<void>(load_profile(dir, invented_account(dir), log));
  return log.keys_known();
}

/// A profile whose answer to one operation is written in this format.
std::string profile_of_format(const std::string& operation, const std::string& format) {
  const std::string options = format == "xml" || format == "json" ? "" : "[" + operation + ".answer." + format + "]\n";
  return "[" + operation + "]\nurl = \"x\"\n[" + operation + ".answer]\nformat = \"" + format + "\"\n" + options;
}

std::set<std::string> keys_of_text(std::string_view text) {
  const test::TemporaryFolder folder;
  test::write_file(folder.path() / "carrier.toml", text);
  return keys_of(folder.path());
}

std::set<std::string> keys_of_loader() {
  std::set<std::string> keys;
  for (const char* operation : {"track", "feed", "create", "confirm", "find", "cancel", "quote"})
    for (const char* format : {"csv", "fixed_width", "edifact", "x12"})
      keys.merge(keys_of_text(profile_of_format(operation, format)));
  for (const std::string& carrier : test::built_in_carriers())
    keys.merge(keys_of(test::source_dir() / "carriers" / "profiles" / carrier));
  for (const char* format : {"csv", "fixed_width", "edifact", "x12"}) {
    const std::string range = "remito_is = \"range\"\n" + profile_of_format("create.range", format);
    keys.merge(keys_of_text("[create]\nurl = \"x\"\n" + range));
    keys.merge(keys_of_text("[auth]\nkind = \"login\"\n" + profile_of_format("auth.login", format)));
  }
  for (const char* text : rare_profiles) keys.merge(keys_of_text(text));
  return keys;
}

bool is_number(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Follows a path ("track.status.0.code") through a schema, in any of the ways that it allows.
class SchemaPaths {
 public:
  explicit SchemaPaths(json schema) : schema_(std::move(schema)) {}

  bool has(const std::string& path) const { return has(schema_, path); }

 private:
  bool has(const json& at, const std::string& path) const {
    if (path.empty()) return true;
    if (at.contains("$ref")) return has(schema_.at(json::json_pointer(at["$ref"].get<std::string>().substr(1))), path);
    for (const char* ways : {"allOf", "anyOf"})
      if (at.contains(ways) && std::ranges::any_of(at[ways], [&](const json& way) { return has(way, path); }))
        return true;
    const std::size_t dot = path.find('.');
    const std::string key = path.substr(0, dot);
    const std::string rest = dot == path.npos ? "" : path.substr(dot + 1);
    if (at.contains("items") && is_number(key)) return has(at["items"], rest);
    if (at.contains("properties") && at["properties"].contains(key)) return has(at["properties"][key], rest);
    return at.contains("additionalProperties") && at["additionalProperties"].is_object() &&
           has(at["additionalProperties"], rest);
  }

  json schema_;
};

/// The tables of a schema, each with all places at which it may stand. Tables of the same keys are one: whoever reads
/// a field does it everywhere alike, and no profile has each field written in each way.
class SchemaTables {
 public:
  explicit SchemaTables(json schema) : schema_(std::move(schema)) { note(schema_, "", 0); }

  struct Table {
    std::set<std::string> keys;
    std::set<std::string> places;  ///< "track.event.code"; of every list the first element, of free names "*"
  };
  const std::map<std::string, Table>& tables() const { return tables_; }

 private:
  void note(const json& at, const std::string& place, int depth) {
    if (depth > 8) return;  // a field may consist of fields
    if (at.contains("$ref"))
      return note(schema_.at(json::json_pointer(at["$ref"].get<std::string>().substr(1))), place, depth);
    for (const char* ways : {"allOf", "anyOf", "oneOf"})
      if (at.contains(ways))
        for (const json& way : at[ways]) note(way, place, depth);
    if (at.contains("items")) note(at["items"], place + ".0", depth + 1);
    const json free_names = at.value("additionalProperties", json(false));
    if (free_names.is_object()) note(free_names, place + ".*", depth + 1);
    if (!at.contains("properties")) return;
    Table& table = tables_[at["properties"].dump()];
    table.places.insert(place);
    for (const auto& [key, value] : at["properties"].items()) {
      table.keys.insert(key);
      note(value, place.empty() ? key : place + "." + key, depth + 1);
    }
  }

  json schema_;
  std::map<std::string, Table> tables_;
};

json schema() {
  return json::parse(test::read_file(test::source_dir() / "carriers" / "profile.schema.json"));
}

/// With "0" for every place in a list.
std::vector<std::string> segments_of(const std::string& path) {
  std::vector<std::string> segments;
  std::istringstream in(path);
  for (std::string segment; std::getline(in, segment, '.');) segments.push_back(is_number(segment) ? "0" : segment);
  return segments;
}

bool is_at(const std::vector<std::string>& key, const std::vector<std::string>& place) {
  return std::ranges::equal(
      key, place, [](const auto& of_key, const auto& of_place) { return of_place == "*" || of_key == of_place; });
}

TEST(ProfileSchema, KnowsEveryKeyThatTheLoaderLooksFor) {
  const SchemaPaths paths(schema());
  const std::set<std::string> keys = keys_of_loader();
  ASSERT_GT(keys.size(), 300U);
  for (const std::string& key : keys) EXPECT_TRUE(paths.has(key)) << key;
  EXPECT_FALSE(paths.has("track.answer.event"));
}

TEST(ProfileSchema, KnowsNoKeyThatTheLoaderDoesNotLookFor) {
  std::map<std::string, std::vector<std::vector<std::string>>> looked_for;  // by the last segment
  for (const std::string& key : keys_of_loader()) {
    std::vector<std::string> segments = segments_of(key);
    std::string last = segments.back();
    looked_for[std::move(last)].push_back(std::move(segments));
  }
  const SchemaTables schema_tables(schema());
  ASSERT_GT(schema_tables.tables().size(), 20U);
  for (const auto& [text, table] : schema_tables.tables()) {
    for (const std::string& key : table.keys) {
      const bool is_looked_for = std::ranges::any_of(table.places, [&](const std::string& place) {
        std::vector<std::string> path = segments_of(place);
        path.push_back(key);
        return std::ranges::any_of(looked_for[key], [&](const auto& known) { return is_at(known, path); });
      });
      EXPECT_TRUE(is_looked_for) << *table.places.begin() << " " << key;
    }
  }
}

}  // namespace
}  // namespace remitod::carriers
