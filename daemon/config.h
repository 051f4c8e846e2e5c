// remitod.toml: a plain struct, checked once at start. README.md of this folder lists every key.
#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "carriers/profile.h"
#include "db/executor.h"
#include "scheduler/lane.h"

namespace remitod::daemon {

/// What is wrong, and where: file, line, key, what was expected.
using ConfigError = carriers::ProfileError;

/// [carriers.NAME]: what an installation says of a carrier. What it leaves out the profile says.
struct CarrierConfig {
  std::string name;
  std::string profile;                 ///< folder name under carriers_dirs; default: NAME
  carriers::CarrierSettings settings;  ///< without the secrets: those are read by load_carriers
  struct SecretReference {
    std::string reference;  ///< "credential:NAME" or "file:PATH"
    int line = 0;
  };
  std::map<std::string, SecretReference> secrets;
  std::optional<std::chrono::seconds> interval;  ///< [60 s, 24 h]; default 1 h
  std::optional<double> requests_per_second;     ///< (0, 10000]
  std::optional<int> concurrency;                ///< [1, 1024]
  std::optional<int> batch_max;                  ///< [1, 1000], not above the profile's
  int line = 0;                                  ///< where the table begins, for messages
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
  std::vector<CarrierConfig> carriers;
};

/// Reads and checks the file. All errors, not only the first. Secrets are only named in it, so anybody who may read the
/// file may call this.
std::expected<Config, std::vector<ConfigError>> load_config(const std::filesystem::path& file);

/// A configured carrier with its profile, ready to poll.
struct ReadyCarrier {
  std::shared_ptr<const carriers::Profile> profile;
  scheduler::LaneConfig lane;
};
enum class Secrets : std::uint8_t {
  required,
  /// Credentials that systemd passes to the service alone are taken as present: for --check-config from a shell.
  as_far_as_readable,
};
/// Loads every carrier's profile and secrets. All errors of all of them.
std::expected<std::vector<ReadyCarrier>, std::vector<ConfigError>> load_carriers(const Config& config, Secrets secrets);

}  // namespace remitod::daemon
