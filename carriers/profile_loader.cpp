// carrier.toml -> Profile: the file, its top level, [limits], [transport], [auth], and what an installation has to
// state.
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
    read_transport(root, *transport);
    LoadContext context;
    context.zone = is_zone(profile->zone) ? profile->zone : "UTC";  // the wrong zone has been reported: once is enough
    context.http_allowed = transport->http_allowed;
    context.batch_max = profile->limits.batch_max;
    context.constants = JsonValue::of_object();
    read_stated(root, "settings", settings_.values, context.constants);
    read_stated(root, "secrets", settings_.secrets, context.constants);
    read_base_url(root, context);
    transport->http_allowed = context.http_allowed;
    read_auth(root, context, *transport);
    profile->transport = transport;
    read_operations(root, context, *profile);
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
    if (const auto hours = root.hours("registration_grace")) profile.registration_grace = *hours;
    if (const auto hours = root.hours("give_up_after")) profile.give_up_after = *hours;
    if (const auto hours = root.hours("tail")) profile.tail = *hours;
  }

  void read_limits(TableReader& root, ProfileLimits& limits) {
    auto table = root.table("limits");
    if (!table) return;
    if (const auto rate = table->number("requests_per_second", 0.001, 10'000)) limits.requests_per_second = *rate;
    if (const auto count = table->integer("concurrency", 1, 1000)) limits.concurrency = static_cast<int>(*count);
    if (const auto count = table->integer("batch_max", 1, 10'000)) limits.batch_max = static_cast<int>(*count);
    table->refuse_other_keys();
  }

  void read_transport(TableReader& root, TransportOptions& options) {
    static const std::vector<std::string> tls_versions{"1.0", "1.1", "1.2", "1.3"};
    auto table = root.table("transport");
    if (!table) return;
    if (const auto allowed = table->boolean("http_allowed")) options.http_allowed = *allowed;
    if (const auto timeout = table->duration("connect_timeout")) options.connect_timeout = *timeout;
    if (const auto timeout = table->duration("total_timeout")) options.total_timeout = *timeout;
    if (const auto bytes = table->integer("body_bytes_max", 1, 1 << 30))
      options.body_bytes_max = static_cast<std::uint64_t>(*bytes);
    if (const auto bytes = table->integer("low_speed_bytes", 1, 1 << 30)) options.low_speed_bytes = *bytes;
    if (const auto time = table->seconds("low_speed_time")) options.low_speed_time = *time;
    if (const auto count = table->integer("connections_per_host_max", 1, 1000))
      options.connections_per_host_max = *count;
    if (const auto version = table->choice("tls_min", tls_versions)) options.tls_min = tls_versions[*version];
    if (const auto file = table->text("ca_file"); file && !file->empty()) {
      options.ca_file = (dir_ / *file).string();
      if (!std::filesystem::is_regular_file(options.ca_file)) table->error("ca_file", "no such file");
    }
    table->refuse_other_keys();
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
        root.error(group, "the installation has to state " + group + "." + key + " for " + settings_.name);
      else if (has_forbidden_control(found->second))
        root.error(group, "the installation's " + group + "." + key + " holds a control character");
      else
        value = found->second;
      values.members.emplace(key, JsonValue::of_text(std::move(value)));
    }
    for (const auto& [key, value] : stated)
      if (!values.find(key))
        root.error(group, "the installation states " + group + "." + key + ", which this profile does not ask for" +
                              did_you_mean(key, asked));
  }

  /// Line breaks are left: a key in PEM form has them. Where they do harm (URL, header) rendering refuses them.
  static bool has_forbidden_control(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return c != '\t' && c != '\n' && c != '\r' && has_control_characters({&c, 1}); });
  }

  void read_base_url(TableReader& root, LoadContext& context) {
    const std::string own = root.text("base_url").value_or("");
    std::string url = settings_.base_url.empty() ? own : settings_.base_url;
    while (url.ends_with('/')) url.pop_back();
    context.http_allowed = context.http_allowed || is_loopback(url);
    std::string problem = url_problem(url, context.http_allowed);
    if (problem.empty() && (has_control_characters(url) || url.find_first_of(" ?#{}") != url.npos))
      problem = "holds a character that does not belong there: blank, '?', '#', '{' or '}'";
    context.base_url = url;
    if (problem.empty()) return;
    root.error("base_url", (settings_.base_url.empty() ? "" : "the installation's: ") + problem);
    context.base_url = "https://invalid";  // or every URL would be reported too
  }

  void read_auth(TableReader& root, LoadContext& context, TransportOptions& options) {
    static const std::vector<std::string> kinds{"none", "basic", "header"};
    auto auth = root.table("auth");
    if (!auth) return;
    const std::size_t kind = auth->choice("kind", kinds).value_or(0);
    if (kind == 1) {
      options.basic_user = credential(*auth, "user", auth->required_text("user").value_or(""), context);
      options.basic_password = credential(*auth, "password", auth->required_text("password").value_or(""), context);
      if (options.basic_user.contains(':')) auth->error("user", "the user of basic authentication holds no ':'");
    } else if (kind == 2) {
      if (!auth->has("headers")) auth->error("headers", "is missing: expected { \"name\" = \"value\" }");
      for (const auto& [name, value] : auth->text_table("headers")) {
        TableReader headers = *auth->table("headers");
        if (!is_header_name(name)) headers.error(name, "is not a name of a header");
        context.auth_headers.push_back(name + ": " + credential(headers, name, value, context));
      }
    }
    auth->refuse_other_keys();
  }

  static std::string credential(TableReader& reader, std::string_view key, const std::string& text,
                                const LoadContext& context) {
    if (!check_text(reader, key, text, constant_names(context.constants))) return {};
    const auto rendered = render(text, context.constants, {Part::header, Escape::none, context.base_url});
    if (!rendered) reader.error(key, rendered.error().name + " " + rendered.error().message);
    return rendered.value_or("");
  }

  void read_operations(TableReader& root, const LoadContext& context, CompiledProfile& profile) {
    if (auto table = root.table("track")) {
      profile.track.emplace();
      profile.track->request = load_track_request(*table, context);
      load_track_answer(*table, *profile.track, context);
      table->refuse_other_keys();
    }
    if (auto table = root.table("create")) {
      profile.create.emplace();
      profile.create->request = load_create_request(*table, profile.create->required, context);
      load_create_answer(*table, *profile.create);
      table->refuse_other_keys();
    }
    if (!root.has("track") && !root.has("create"))
      root.error("", "a profile has [track] or [create]: this one can do nothing");
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
  const std::string file = (dir / "carrier.toml").string();
  ErrorLog errors(file);
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
