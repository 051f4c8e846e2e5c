// What a reload begins with: the configuration and the profiles, read anew and found right while the old ones still
// work.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "daemon/config.h"

namespace remitod::daemon {

struct Loaded {
  Config config;
  std::vector<ReadyCarrier> carriers;
  std::vector<ReadySink> sinks;
  std::string listen_token = {};
};

/// Reads `running.file` again. Refused are also changes that want a restart: of the database, which this process has
/// locked, and of the clock. Secrets that systemd passes are those of the last start.
std::expected<Loaded, std::vector<ConfigError>> load_again(const Config& running);

}  // namespace remitod::daemon
