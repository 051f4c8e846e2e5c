#include "daemon/config.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "carriers/nearest_word.h"
#include "daemon/toml_reader.h"

namespace remitod::daemon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Errors = std::vector<ConfigError>;

std::expected<std::string, std::string> read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return std::unexpected("cannot read " + file.string());
  return text.str();
}

// "credential:NAME" (systemd's LoadCredential=) or "file:PATH". A literal secret has no place in a configuration file.
std::expected<std::string, std::string> read_secret(const std::string& reference) {
  std::filesystem::path file;
  if (reference.starts_with("credential:")) {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (!folder)
      return std::unexpected("no credentials were passed (LoadCredential= of the unit, $CREDENTIALS_DIRECTORY)");
    file = std::filesystem::path(folder) / reference.substr(11);
  } else if (reference.starts_with("file:")) {
    file = reference.substr(5);
  } else {
    return std::unexpected("expected \"credential:NAME\" or \"file:PATH\", not the secret itself");
  }
  auto text = read_text(file);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty()) return std::unexpected(file.string() + " is empty");
  return text;
}

void read_settings(TomlReader& parent, const std::string& file, CarrierConfig& carrier, Errors& errors) {
  if (const toml::table* table = parent.table("settings")) {
    TomlReader reader(*table, file, "carriers." + carrier.name + ".settings", errors);
    for (const auto& [key, node] : *table)
      if (auto value = reader.text(key.str())) carrier.settings.values.emplace(key.str(), std::move(*value));
  }
  if (const toml::table* table = parent.table("secrets")) {
    TomlReader reader(*table, file, "carriers." + carrier.name + ".secrets", errors);
    for (const auto& [key, node] : *table)
      if (auto reference = reader.text(key.str()))
        carrier.secrets.emplace(key.str(), CarrierConfig::SecretReference{std::move(*reference),
                                                                          static_cast<int>(node.source().begin.line)});
  }
}

carriers::CarrierSettings with_secrets(const Config& config, const CarrierConfig& carrier, Secrets secrets,
                                       Errors& errors) {
  carriers::CarrierSettings settings = carrier.settings;
  const bool passed = std::getenv("CREDENTIALS_DIRECTORY") != nullptr;
  for (const auto& [key, secret] : carrier.secrets) {
    if (secrets == Secrets::as_far_as_readable && !passed && secret.reference.starts_with("credential:")) {
      settings.secrets.emplace(key, "(passed by systemd)");
      continue;
    }
    auto text = read_secret(secret.reference);
    if (!text)
      errors.push_back(
          {config.file.string(), secret.line, "carriers." + carrier.name + ".secrets." + key, text.error()});
    // In its place something that never leaves, or the profile would miss it as well.
    settings.secrets.emplace(key, std::move(text).value_or("(unreadable)"));
  }
  return settings;
}

CarrierConfig read_carrier(std::string_view name, const toml::table& table, const std::string& file, Errors& errors) {
  const std::string path = "carriers." + std::string(name);
  TomlReader reader(table, file, path, errors);
  CarrierConfig carrier;
  carrier.name = name;
  carrier.line = reader.line();
  carrier.profile = reader.text("profile").value_or(carrier.name);
  carrier.settings.name = carrier.name;
  carrier.settings.base_url = reader.text("base_url").value_or("");
  carrier.interval = reader.duration("interval", seconds{60}, hours{24});
  if (const auto mode = reader.text("mode"); mode && *mode != "hourly") reader.error("mode", "expected \"hourly\"");
  carrier.requests_per_second = reader.number("requests_per_second", 0, 10'000);
  carrier.concurrency = reader.whole("concurrency", 1, 1024);
  carrier.batch_max = reader.whole("batch_max", 1, 1000);
  read_settings(reader, file, carrier, errors);
  reader.refuse_others();
  return carrier;
}

void read_daemon(const toml::table& table, const std::string& file, Config& config, Errors& errors) {
  TomlReader reader(table, file, "daemon", errors);
  config.control_socket = reader.text("control_socket").value_or(config.control_socket);
  if (const auto dirs = reader.texts("carriers_dirs"); !dirs.empty()) {
    config.carriers_dirs.assign(dirs.begin(), dirs.end());
    for (auto& dir : config.carriers_dirs)
      if (dir.is_relative()) dir = config.file.parent_path() / dir;
  }
  if (const auto level = reader.text("log_level")) {
    static const std::set<std::string> levels{"debug", "info", "warning", "error"};
    if (!levels.contains(*level)) reader.error("log_level", "expected debug, info, warning or error");
    config.log_level = *level;
  }
  config.drain = reader.duration("drain", seconds{0}, seconds{600}).value_or(config.drain);
  config.time_scale = reader.number("time_scale", 0, 100'000).value_or(1.0);
  if (const auto origin = reader.text("time_origin")) {
    const auto parsed = from_iso8601(*origin);
    if (!parsed) reader.error("time_origin", "expected a moment such as \"2026-11-23T00:00:00Z\"");
    config.time_origin = parsed.value_or(Instant{});
  } else if (config.time_scale != 1.0) {
    reader.error("time_scale", "needs time_origin, the moment from which time runs at this scale");
  }
  reader.refuse_others();
}

void read_database(TomlReader& root, const std::string& file, Config& config, Errors& errors) {
  const toml::table* table = root.table("database");
  if (!table) return root.error("database", "missing: [database] with url = \"sqlite:PATH\" or \"postgresql://...\"");
  TomlReader reader(*table, file, "database", errors);
  if (const auto url = reader.text("url")) {
    auto parsed = db::DatabaseUrl::parse(*url);
    if (parsed)
      config.database = std::move(*parsed);
    else
      reader.error("url", parsed.error());
  } else {
    reader.error("url", "missing: \"sqlite:PATH\" or \"postgresql://...\"");
  }
  reader.refuse_others();
}

std::optional<std::filesystem::path> find_profile(const Config& config, const std::string& profile) {
  for (const auto& dir : config.carriers_dirs)
    if (std::filesystem::exists(dir / profile / "carrier.toml")) return dir / profile;
  return std::nullopt;
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

}  // namespace

std::expected<Config, Errors> load_config(const std::filesystem::path& file) {
  Errors errors;
  auto text = read_text(file);
  if (!text) return std::unexpected(Errors{{file.string(), 0, "", text.error()}});
  Config config;
  config.file = file;
  try {
    const toml::table root = toml::parse(*text, file.string());
    TomlReader reader(root, file.string(), "", errors);
    read_database(reader, file.string(), config, errors);
    if (const toml::table* table = reader.table("daemon")) read_daemon(*table, file.string(), config, errors);
    if (const toml::table* carriers = reader.table("carriers"))
      for (const auto& [name, node] : *carriers) {
        if (const toml::table* table = node.as_table())
          config.carriers.push_back(read_carrier(name.str(), *table, file.string(), errors));
        else
          errors.push_back({file.string(), static_cast<int>(node.source().begin.line),
                            "carriers." + std::string(name.str()), "expected a table [carriers.NAME]"});
      }
    reader.refuse_others();
  } catch (const toml::parse_error& error) {
    // Also how a carrier that stands twice is refused: TOML forbids to define a table again.
    return std::unexpected(
        Errors{{file.string(), static_cast<int>(error.source().begin.line), "", std::string(error.description())}});
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return config;
}

std::expected<std::vector<ReadyCarrier>, Errors> load_carriers(const Config& config, Secrets secrets) {
  Errors errors;
  std::vector<ReadyCarrier> ready;
  for (const CarrierConfig& carrier : config.carriers) {
    const std::string path = "carriers." + carrier.name;
    const auto dir = find_profile(config, carrier.profile);
    if (!dir) {
      errors.push_back(
          {config.file.string(), carrier.line, path + ".profile", missing_profile(config, carrier.profile)});
      continue;
    }
    auto profile = carriers::load_profile(*dir, with_secrets(config, carrier, secrets, errors));
    if (!profile) {
      std::ranges::move(profile.error(), std::back_inserter(errors));
      continue;
    }
    const carriers::ProfileLimits& limits = (*profile)->limits();
    if (carrier.batch_max && *carrier.batch_max > limits.batch_max)
      errors.push_back({config.file.string(), carrier.line, path + ".batch_max",
                        "expected at most " + std::to_string(limits.batch_max) + ", the profile's"});
    const long connections = (*profile)->transport_options()->connections_per_host_max;
    if (carrier.concurrency.value_or(limits.concurrency) > connections)
      errors.push_back(
          {config.file.string(), carrier.line, path + ".concurrency",
           "expected at most " + std::to_string(connections) + ", the profile's transport.connections_per_host_max"});
    scheduler::LaneConfig lane;
    lane.carrier = carrier.name;
    lane.interval = carrier.interval.value_or(lane.interval);
    lane.requests_per_second = carrier.requests_per_second.value_or(limits.requests_per_second);
    lane.concurrency = carrier.concurrency.value_or(limits.concurrency);
    lane.batch_max = carrier.batch_max.value_or(limits.batch_max);
    ready.push_back({std::move(*profile), std::move(lane)});
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return ready;
}

}  // namespace remitod::daemon
