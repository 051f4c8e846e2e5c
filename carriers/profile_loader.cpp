// carrier.toml -> Profile: the file, its top level, [limits], and what an installation has to state.
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "carriers/compiled.h"
#include "carriers/nearest_word.h"
#include "carriers/profile.h"
#include "carriers/profile_parts.h"

namespace remitod::carriers {
namespace {

using Values = std::map<std::string, std::string>;

class Loader {
 public:
  Loader(const std::filesystem::path& dir, const CarrierSettings& settings, ErrorLog& errors)
      : dir_(dir), settings_(settings), errors_(errors) {}

  std::shared_ptr<const CompiledProfile> run(const toml::table& file, std::string_view bytes) {
    TableReader root(file, "", errors_);
    auto profile = std::make_shared<CompiledProfile>();
    read_top(root, *profile);
    read_limits(root, profile->limits);
    const auto transport = std::make_shared<TransportOptions>();
    // Unless the profile says otherwise, connections never hold up what its concurrency lets go.
    transport->connections_per_host_max =
        std::max<long>(transport->connections_per_host_max, profile->limits.concurrency);
    LoadContext context;
    context.zone = is_zone(profile->zone) ? profile->zone : "UTC";  // the wrong zone has been reported: once is enough
    context.batch_max = profile->limits.batch_max;
    context.constants = JsonValue::of_object();
    read_stated(root, "settings", settings_.values, context.constants);
    read_stated(root, "secrets", settings_.secrets, context.constants);
    load_transport(root, context, dir_, *transport);
    context.http_allowed = transport->http_allowed;
    read_base_url(root, context);
    transport->http_allowed = context.http_allowed;
    load_auth(root, context, *profile, *transport);
    load_operations(root, context, *profile, *transport);
    profile->transport = transport;
    root.refuse_other_keys();
    profile->revision = revision(bytes, context.base_url);
    return profile;
  }

 private:
  void read_top(TableReader& root, CompiledProfile& profile) {
    static const std::vector<std::string> verified{"documentation", "recorded answers",
                                                   "live"};  // as Verified has them
    profile.title = root.required_text("title").value_or("");
    if (const auto choice = root.choice("verified", verified)) profile.verified = static_cast<Verified>(*choice);
    if (const auto zone = root.required_text("zone")) {
      profile.zone = *zone;
      if (!is_zone(*zone)) root.error("zone", "is not an IANA time zone such as \"America/Lima\"");
    }
    profile.publishes = {root.text_or_texts("publishes"), root.line_of("publishes")};
    if (const auto hours = root.hours("registration_grace")) profile.registration_grace = *hours;
    if (const auto hours = root.hours("give_up_after")) profile.give_up_after = *hours;
    if (const auto hours = root.hours("tail")) profile.tail = *hours;
  }

  void read_limits(TableReader& root, ProfileLimits& limits) {
    auto table = root.table("limits");
    if (!table) return;
    if (const auto rate = table->number("requests_per_second", 0.001, 10'000)) limits.requests_per_second = *rate;
    limits.requests_per_minute = quota(*table, "requests_per_minute");
    limits.requests_per_hour = quota(*table, "requests_per_hour");
    limits.requests_per_day = quota(*table, "requests_per_day");
    if (const auto count = table->integer("concurrency", 1, 1000)) limits.concurrency = static_cast<int>(*count);
    if (const auto count = table->integer("batch_max", 1, 10'000)) limits.batch_max = static_cast<int>(*count);
    limits.windows = {table->texts("windows"), table->line_of("windows")};
    limits.blackouts = {table->texts("blackouts"), table->line_of("blackouts")};
    limits.holidays = {table->texts("holidays"), table->line_of("holidays")};
    table->refuse_other_keys();
  }

  static std::optional<int> quota(TableReader& limits, std::string_view key) {
    const auto requests = limits.integer(key, 1, 100'000'000);
    return requests ? std::optional(static_cast<int>(*requests)) : std::nullopt;
  }

  /// `settings` or `secrets`: what the profile asks for and what the installation states have to be the same.
  void read_stated(TableReader& root, const std::string& group, const Values& stated, JsonValue& constants) {
    JsonValue& values = constants.members.emplace(group, JsonValue::of_object()).first->second;
    const std::vector<std::string> asked = root.texts(group);
    for (const std::string& key : asked) {
      const auto found = stated.find(key);
      std::string value;
      if (key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != key.npos)
        root.error(group, "'" + key + "': expected a name of lower case letters, digits and '_'");
      else if (found == stated.end() || is_blank(found->second))
        refuse(root, group, group + "." + key,
               {.here = "the installation has to state " + group + "." + key + " for " + settings_.name,
                .there = (found == stated.end() ? "is missing: " : "is blank: ") + profile_file() + " asks for it"});
      else if (has_forbidden_control(found->second))
        refuse(root, group, group + "." + key,
               {.here = "the installation's " + group + "." + key + " holds a control character",
                .there = "holds a control character"});
      else
        value = found->second;
      values.members.emplace(key, JsonValue::of_text(std::move(value)));
    }
    for (const auto& [key, value] : stated)
      if (!values.find(key))
        refuse(root, group, group + "." + key,
               {.here = "the installation states " + group + "." + key + ", which this profile does not ask for" +
                        did_you_mean(key, asked),
                .there = profile_file() + " does not ask for it" + did_you_mean(key, asked)});
  }

  /// What is wrong, in the words for a message of the profile and for one of the installation's own file.
  struct Complaint {
    std::string here, there;
  };
  /// Of `stated`, which is the installation's: told where it stands, or where its table or its carrier begins. Where
  /// nobody says where that is, at the profile's `key`.
  void refuse(TableReader& root, std::string_view key, const std::string& stated, const Complaint& complaint) {
    const CarrierSettings::Origin& origin = settings_.origin;
    if (origin.file.empty()) return root.error(key, complaint.here);
    int line = origin.line;
    for (const std::string& place : {std::string(key), stated})
      if (const auto found = origin.lines.find(place); found != origin.lines.end()) line = found->second;
    errors_.add({origin.file, line, origin.path + "." + stated, complaint.there});
  }

  std::string profile_file() const { return (dir_ / "carrier.toml").string(); }

  /// Line breaks are left: a key in PEM form has them. Where they do harm (URL, header) rendering refuses them.
  static bool has_forbidden_control(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return c != '\t' && c != '\n' && c != '\r' && has_control_characters({&c, 1}); });
  }

  void read_base_url(TableReader& root, LoadContext& context) {
    const std::string own = root.text("base_url").value_or("");
    std::string url = settings_.base_url.empty() ? own : settings_.base_url;
    if (url.empty() && root.has("feed") && !root.has("track") && !root.has("create")) return;  // of files, perhaps
    while (url.ends_with('/')) url.pop_back();
    context.http_allowed = context.http_allowed || is_loopback(url);
    std::string problem = url_problem(url, context.http_allowed);
    if (problem.empty() && (has_control_characters(url) || url.find_first_of(" ?#{}") != url.npos))
      problem = "holds a character that does not belong there: blank, '?', '#', '{' or '}'";
    if (problem.empty()) problem = unencoded_problem(url);
    context.base_url = url;
    if (problem.empty()) return;
    if (settings_.base_url.empty())
      root.error("base_url", problem);
    else
      refuse(root, "base_url", "base_url", {.here = "the installation's: " + problem, .there = problem});
    context.base_url = "https://invalid";  // or every URL would be reported too
  }

  // Secrets stay out: they do not change what an answer means, and a hash of one is shown and logged.
  std::uint64_t revision(std::string_view bytes, const std::string& base_url) const {
    std::string covered(bytes);
    covered += '\0' + base_url;
    for (const auto& [key, value] : settings_.values) covered += '\0' + key + '\0' + value;
    return fingerprint(covered);
  }

  const std::filesystem::path& dir_;
  const CarrierSettings& settings_;
  ErrorLog& errors_;
};

}  // namespace

std::expected<std::shared_ptr<const Profile>, std::vector<ProfileError>> load_profile(const std::filesystem::path& dir,
                                                                                      const CarrierSettings& settings) {
  ErrorLog errors((dir / "carrier.toml").string());
  return load_profile(dir, settings, errors);
}

std::expected<std::shared_ptr<const Profile>, std::vector<ProfileError>> load_profile(const std::filesystem::path& dir,
                                                                                      const CarrierSettings& settings,
                                                                                      ErrorLog& errors) {
  const std::string file = (dir / "carrier.toml").string();
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  if (in) bytes << in.rdbuf();
  if (!in || in.bad()) {
    errors.add(0, "", "cannot be read: " + std::string(std::strerror(errno)));
    return std::unexpected(errors.take());
  }

  toml::table table;
  try {
    table = toml::parse(bytes.view(), file);
  } catch (const toml::parse_error& error) {
    errors.add(static_cast<int>(error.source().begin.line), "", std::string(error.description()));
    return std::unexpected(errors.take());
  }
  auto compiled = Loader(dir, settings, errors).run(table, bytes.view());
  if (!errors.empty()) return std::unexpected(errors.take());
  return std::make_shared<const Profile>(std::move(compiled), settings.name);
}

}  // namespace remitod::carriers
