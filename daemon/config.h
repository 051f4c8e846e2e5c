// remitod.toml: a plain struct, checked once at start. README.md of this folder lists every key.
#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carriers/profile.h"
#include "daemon/config_limits.h"
#include "daemon/config_retention.h"
#include "daemon/listen_config.h"
#include "daemon/sink_config.h"
#include "db/executor.h"
#include "scheduler/lane.h"
#include "scheduler/schedule_config.h"

namespace remitod::daemon {

/// What is wrong, and where: file, line, key, what was expected.
using ConfigError = carriers::ProfileError;

/// [carriers.NAME]: what an installation says of a carrier. What it leaves out the profile says.
struct CarrierConfig {
  std::string name;
  std::string profile;                 ///< folder name under carriers_dirs; default: NAME
  carriers::CarrierSettings settings;  ///< without the secrets: those are read by load_carriers
  struct SecretReference {
    std::string reference;  ///< "credential:NAME" or "file:PATH", from the folder of the configuration file on
    int line = 0;
  };
  std::map<std::string, SecretReference> secrets;
  scheduler::ScheduleConfig schedule;
  LimitsConfig limits;
  /// emit = "shadow": what this carrier's tracking tells is recorded, and told to nobody.
  bool shadow = false;
  int line = 0;  ///< where the table begins, for messages
};

struct Config {
  std::filesystem::path file;
  db::DatabaseUrl database;
  std::string control_socket = "/run/remitod/control.sock";
  /// Searched in this order; a folder found first wins.
  std::vector<std::filesystem::path> carriers_dirs{"/etc/remitod/carriers.d", "/usr/share/remitod/carriers"};
  std::string log_level = "info";
  std::chrono::seconds drain{20};  ///< how long SIGTERM waits for calls under way
  /// Demos: the daemon's time runs this much faster than the wall's, counted from time_origin.
  double time_scale = 1.0;
  Instant time_origin{};
  NamedHolidays holidays;
  RetentionConfig retention;
  std::vector<CarrierConfig> carriers;
  std::vector<SinkConfig> sinks;
  ListenConfig listen;
  /// Where "database.url", "daemon.control_socket" and the clock's keys stand, for what is found wrong with them later.
  std::map<std::string, int> lines;

  ConfigError error(const std::string& key, std::string message) const;
};

/// Reads and checks the file. All errors, not only the first. Secrets are only named in it, so anybody who may read the
/// file may call this.
std::expected<Config, std::vector<ConfigError>> load_config(const std::filesystem::path& file);

/// The control socket that the file names, for whoever only speaks to the daemon: whatever else is wrong with the file
/// is no obstacle, since the daemon goes on by what it has read before.
std::expected<std::string, std::vector<ConfigError>> load_control_socket(const std::filesystem::path& file);

/// Every key that is looked for in such a file, whether it has it or not: "carriers.oca.interval". remitod.toml(5) has
/// to tell them all.
std::set<std::string> config_keys(const std::string& text);

/// A configured carrier with its profile, ready to poll.
struct ReadyCarrier {
  std::shared_ptr<const carriers::Profile> profile;
  scheduler::LaneConfig lane;
  scheduler::ScheduleConfig schedule;
  bool shadow = false;
};
enum class Secrets : std::uint8_t {
  required,
  /// Credentials that systemd passes to the service alone are taken as present: for --check-config from a shell.
  as_far_as_readable,
};
/// Loads every carrier's profile and secrets. All errors of all of them.
std::expected<std::vector<ReadyCarrier>, std::vector<ConfigError>> load_carriers(const Config& config, Secrets secrets);

/// A configured sink with the keys of its secrets.
struct ReadySink {
  SinkConfig config;
  std::vector<std::string> keys;  ///< bytes; of a webhook
};
/// Reads every sink's secrets. All errors of all of them.
std::expected<std::vector<ReadySink>, std::vector<ConfigError>> load_sinks(const Config& config, Secrets secrets);

/// Reads listen.token; empty where none is stated.
std::expected<std::string, std::vector<ConfigError>> load_listen_token(const Config& config, Secrets secrets);

}  // namespace remitod::daemon
