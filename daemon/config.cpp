#include "daemon/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <sstream>
#include <utility>

#include "carriers/file_feed.h"
#include "carriers/nearest_word.h"
#include "carriers/table_reader.h"
#include "daemon/config_schedule.h"
#include "daemon/webhook_signature.h"

namespace remitod::daemon {
namespace {

using carriers::ErrorLog;
using carriers::TableReader;
using std::chrono::seconds;
using Errors = std::vector<ConfigError>;

// In the words of the system.
std::string cannot_read(const std::filesystem::path& file, int error) {
  return "cannot read " + file.string() + ": " + std::strerror(error);
}

int line_of(const toml::node_view<const toml::node>& node) {
  return node ? static_cast<int>(node.node()->source().begin.line) : 0;
}

std::expected<std::string, std::string> read_text(const std::filesystem::path& file) {
  std::error_code unknown;
  // It can be opened, and says nothing of why it cannot be read.
  if (std::filesystem::is_directory(file, unknown)) return std::unexpected(cannot_read(file, EISDIR));
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (in && in.peek() == std::ifstream::traits_type::eof() && !in.bad()) return std::string{};
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return std::unexpected(cannot_read(file, errno == 0 ? EIO : errno));
  return text.str();
}

// Whoever may write it can have us log in as somebody else, or let themselves in.
bool anybody_may_write(const std::filesystem::path& file) {
  std::error_code unknown;
  const auto status = std::filesystem::status(file, unknown);
  return !unknown && (status.permissions() & std::filesystem::perms::others_write) != std::filesystem::perms::none;
}

// "credential:NAME" (systemd's LoadCredential=) or "file:PATH", from the folder of the configuration file on. A literal
// secret has no place in a configuration file.
std::expected<std::string, std::string> read_secret(const Config& config, const std::string& reference) {
  std::filesystem::path file;
  if (reference.starts_with("credential:")) {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (!folder)
      return std::unexpected("no credentials were passed (LoadCredential= of the unit, $CREDENTIALS_DIRECTORY)");
    file = std::filesystem::path(folder) / reference.substr(11);
  } else if (reference.starts_with("file:")) {
    file = config.file.parent_path() / reference.substr(5);
  } else {
    return std::unexpected("expected \"credential:NAME\" or \"file:PATH\", not the secret itself");
  }
  auto text = read_text(file);
  if (!text) return text;
  if (anybody_may_write(file)) return std::unexpected("anybody may write " + file.string() + ": chmod o-w");
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty()) return std::unexpected(file.string() + " is empty");
  return text;
}

void read_settings(TableReader& parent, const toml::table& table, CarrierConfig& carrier) {
  std::map<std::string, int>& lines = carrier.settings.origin.lines;
  for (const char* key : {"base_url", "settings", "secrets"})
    if (table.contains(key)) lines[key] = line_of(table[key]);
  for (auto& [key, value] : parent.text_table("settings")) {
    lines["settings." + key] = line_of(table["settings"][key]);
    carrier.settings.values.emplace(key, std::move(value));
  }
  for (auto& [key, reference] : parent.text_table("secrets")) {
    const int line = lines["secrets." + key] = line_of(table["secrets"][key]);
    carrier.secrets.emplace(key, CarrierConfig::SecretReference{std::move(reference), line});
  }
}

carriers::CarrierSettings with_secrets(const Config& config, const CarrierConfig& carrier, Secrets secrets,
                                       Errors& errors) {
  carriers::CarrierSettings settings = carrier.settings;
  const bool passed = std::getenv("CREDENTIALS_DIRECTORY") != nullptr;
  for (const auto& [key, secret] : carrier.secrets) {
    if (secrets == Secrets::as_far_as_readable && !passed && secret.reference.starts_with("credential:")) {
      settings.secrets.emplace(key, "(" + carrier.name + "'s, passed by systemd)");
      continue;
    }
    auto text = read_secret(config, secret.reference);
    if (!text)
      errors.push_back(
          {config.file.string(), secret.line, "carriers." + carrier.name + ".secrets." + key, text.error()});
    // In its place something that never leaves, or the profile would miss it as well.
    settings.secrets.emplace(key, std::move(text).value_or("(unreadable)"));
  }
  return settings;
}

CarrierConfig read_carrier(const std::filesystem::path& file, std::string_view name, const toml::table& table,
                           ErrorLog& errors) {
  TableReader reader(table, "carriers." + std::string(name), errors);
  CarrierConfig carrier;
  carrier.name = name;
  carrier.line = static_cast<int>(table.source().begin.line);
  carrier.profile = reader.text("profile").value_or(carrier.name);
  carrier.settings.name = carrier.name;
  carrier.settings.base_url = reader.text("base_url").value_or("");
  carrier.settings.origin = {.file = file.string(), .path = reader.path_of(""), .line = carrier.line};
  carrier.schedule = read_schedule(reader, table);
  carrier.limits = read_limits(reader);
  static const std::vector<std::string> emissions{"live", "shadow"};
  carrier.shadow = reader.choice("emit", emissions) == 1u;
  read_settings(reader, table, carrier);
  reader.refuse_other_keys();
  return carrier;
}

void read_daemon(TableReader reader, Config& config) {
  static const std::vector<std::string> levels{"debug", "info", "warning", "error"};
  config.control_socket = reader.text("control_socket").value_or(config.control_socket);
  if (const auto dirs = reader.texts("carriers_dirs"); !dirs.empty()) {
    config.carriers_dirs.assign(dirs.begin(), dirs.end());
    for (auto& dir : config.carriers_dirs)
      if (dir.is_relative()) dir = config.file.parent_path() / dir;
  }
  if (const auto level = reader.choice("log_level", levels)) config.log_level = levels[*level];
  config.drain = reader.seconds("drain", seconds{1}, seconds{600}).value_or(config.drain);
  config.time_scale = reader.number("time_scale", 0.0001, 100'000).value_or(1.0);
  if (const auto origin = reader.text("time_origin")) {
    const auto parsed = from_iso8601(*origin);
    if (!parsed) reader.error("time_origin", "expected a moment such as \"2026-11-23T00:00:00Z\"");
    config.time_origin = parsed.value_or(Instant{});
  } else if (config.time_scale != 1.0) {
    reader.error("time_scale", "needs time_origin, the moment from which time runs at this scale");
  }
  for (const std::string key : {"control_socket", "time_scale", "time_origin"})
    config.lines["daemon." + key] = reader.line_of(key);
  reader.refuse_other_keys();
}

void read_database(TableReader& root, Config& config) {
  constexpr std::string_view expected = "expected \"sqlite:PATH\" or \"postgresql://...\"";
  auto reader = root.table("database");
  if (!reader) {
    if (!root.has("database")) root.error("database", "is missing: [database] with url, " + std::string(expected));
    return;
  }
  config.lines["database.url"] = reader->line_of("url");
  if (const auto url = reader->text("url")) {
    auto parsed = db::DatabaseUrl::parse(*url);
    if (parsed)
      config.database = std::move(*parsed);
    else
      reader->error("url", parsed.error());
  } else if (!reader->has("url")) {
    reader->error("url", "is missing: " + std::string(expected));
  }
  reader->refuse_other_keys();
}

// What to say of a profile that is in none of the folders.
std::string missing_profile(const Config& config, const std::string& profile) {
  std::vector<std::string> present;
  std::string dirs;
  for (const auto& dir : config.carriers_dirs) {
    dirs += (dirs.empty() ? "" : ", ") + dir.string();
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(dir, ignored))
      if (entry.is_directory(ignored)) present.push_back(entry.path().filename().string());
  }
  std::ranges::sort(present);
  return "no profile \"" + profile + "\" (a folder with a carrier.toml) under " + dirs +
         carriers::did_you_mean(profile, present);
}

// The folder of the profile. One that may not be looked into might have it: the next one's is not taken instead.
std::expected<std::filesystem::path, std::string> find_profile(const Config& config, const std::string& profile) {
  for (const auto& dir : config.carriers_dirs) {
    const std::filesystem::path file = dir / profile / "carrier.toml";
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(file, error);
    if (status.type() == std::filesystem::file_type::none) return std::unexpected(cannot_read(file, error.value()));
    if (std::filesystem::exists(status)) return dir / profile;
  }
  return std::unexpected(missing_profile(config, profile));
}

Config read_config(const std::filesystem::path& file, const std::string& text, ErrorLog& errors) {
  Config config;
  config.file = file;
  try {
    const toml::table table = toml::parse(text, file.string());
    TableReader root(table, "", errors);
    read_database(root, config);
    if (auto reader = root.table("daemon")) read_daemon(std::move(*reader), config);
    config.holidays = read_holidays(root);
    config.retention = read_retention(root);
    if (root.table("carriers"))
      for (const auto& [name, node] : *table["carriers"].as_table()) {
        if (const toml::table* carrier = node.as_table())
          config.carriers.push_back(read_carrier(file, name.str(), *carrier, errors));
        else
          errors.add(static_cast<int>(node.source().begin.line), "carriers." + std::string(name.str()),
                     "expected a table [carriers.NAME]");
      }
    config.sinks = read_sinks(table, root);
    config.listen = read_listen(root);
    root.refuse_other_keys();
  } catch (const toml::parse_error& error) {
    // Also how a carrier that stands twice is refused: TOML forbids to define a table again.
    errors.add(static_cast<int>(error.source().begin.line), "", std::string(error.description()));
  }
  return config;
}

/// Of two carriers that read the same files, the one that is first would take them away from the other.
void check_files_of_their_own(const Config& config, std::span<const ReadyCarrier> carriers, Errors& errors) {
  for (const ReadyCarrier& carrier : carriers) {
    const carriers::FileFeed* const feed = carriers::file_feed(*carrier.profile);
    if (!feed || feed->after == carriers::FileFeed::After::leave || carrier.shadow) continue;
    for (const ReadyCarrier& other : carriers) {
      const bool shares = &other != &carrier && carriers::file_feed(*other.profile) &&
                          carriers::reads_same_files(*carrier.profile, *other.profile);
      if (!shares) continue;
      const std::string& name = carrier.profile->name();
      const auto stated = std::ranges::find(config.carriers, name, &CarrierConfig::name);
      errors.push_back({config.file.string(), stated->line, "carriers." + name,
                        "takes away files that carriers." + other.profile->name() + " reads, too (" + feed->files +
                            " in " + feed->site.folder + "): expected a folder, a login or names of its own"});
    }
  }
}

}  // namespace

ConfigError Config::error(const std::string& key, std::string message) const {
  const auto line = lines.find(key);
  return {file.string(), line == lines.end() ? 0 : line->second, key, std::move(message)};
}

std::expected<Config, Errors> load_config(const std::filesystem::path& file) {
  auto text = read_text(file);
  if (!text) return std::unexpected(Errors{{file.string(), 0, "", text.error()}});
  ErrorLog errors(file.string());
  Config config = read_config(file, *text, errors);
  if (!errors.empty()) return std::unexpected(errors.take());
  return config;
}

std::expected<std::string, Errors> load_control_socket(const std::filesystem::path& file) {
  auto text = read_text(file);
  if (!text) return std::unexpected(Errors{{file.string(), 0, "", text.error()}});
  ErrorLog log(file.string());
  Config config = read_config(file, *text, log);
  Errors errors = log.take();
  // One without a key: the text is no TOML, and nothing in it can be believed.
  std::erase_if(errors, [](const ConfigError& error) {
    return !error.key.empty() && error.key != "daemon" && error.key != "daemon.control_socket";
  });
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return std::move(config.control_socket);
}

std::set<std::string> config_keys(const std::string& text) {
  ErrorLog errors("remitod.toml");
  static_cast<void>(read_config("remitod.toml", text, errors));
  return errors.keys_known();
}

std::expected<std::vector<ReadyCarrier>, Errors> load_carriers(const Config& config, Secrets secrets) {
  Errors errors;
  std::vector<ReadyCarrier> ready;
  for (const CarrierConfig& carrier : config.carriers) {
    const std::string path = "carriers." + carrier.name;
    const auto dir = find_profile(config, carrier.profile);
    if (!dir) {
      errors.push_back({config.file.string(), carrier.line, path + ".profile", dir.error()});
      continue;
    }
    auto profile = carriers::load_profile(*dir, with_secrets(config, carrier, secrets, errors));
    if (!profile) {
      std::ranges::move(profile.error(), std::back_inserter(errors));
      continue;
    }
    const LimitsSource source{config.file, *dir / "carrier.toml", carrier.name, carrier.line};
    scheduler::LaneConfig lane =
        lane_config(carrier.limits, carrier.schedule, **profile, config.holidays, source, errors);
    ready.push_back({std::move(*profile), std::move(lane), carrier.schedule, carrier.shadow});
  }
  check_files_of_their_own(config, ready, errors);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return ready;
}

std::expected<std::vector<ReadySink>, Errors> load_sinks(const Config& config, Secrets secrets) {
  Errors errors;
  std::vector<ReadySink> ready;
  const bool passed = std::getenv("CREDENTIALS_DIRECTORY") != nullptr;
  for (const SinkConfig& sink : config.sinks) {
    ready.push_back({sink, {}});
    for (const std::string& reference : sink.secrets) {
      if (secrets == Secrets::as_far_as_readable && !passed && reference.starts_with("credential:")) continue;
      const auto text = read_secret(config, reference);
      auto key = text ? parse_webhook_secret(*text) : std::unexpected(text.error());
      if (key)
        ready.back().keys.push_back(std::move(*key));
      else
        errors.push_back({config.file.string(), sink.secrets_line, "sinks." + sink.name + ".secrets",
                          reference + ": " + key.error()});
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return ready;
}

std::expected<std::string, Errors> load_listen_token(const Config& config, Secrets secrets) {
  const std::string& reference = config.listen.token;
  if (reference.empty()) return "";
  const bool passed = std::getenv("CREDENTIALS_DIRECTORY") != nullptr;
  if (secrets == Secrets::as_far_as_readable && !passed && reference.starts_with("credential:")) return "";
  auto token = read_secret(config, reference);
  const std::string problem = token ? token_problem(*token) : token.error();
  if (!problem.empty())
    return std::unexpected(Errors{{config.file.string(), config.listen.token_line, "listen.token", problem}});
  return token.value();
}

}  // namespace remitod::daemon
