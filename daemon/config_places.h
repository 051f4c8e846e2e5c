// The places outside of itself that the configuration names: whether they are there. Looks, and makes nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/config.h"

namespace remitod::daemon {

inline constexpr const char* control_socket_key = "daemon.control_socket";

/// That the folder of a file is not there; empty: it is, or whoever looks may not know.
std::string missing_folder(const std::filesystem::path& file);

/// For --check-config: the places of the control socket and of an SQLite database at which a start would fail. The
/// folders that systemd makes for the service at each start may be missing before it, for whoever is not the service.
std::vector<ConfigError> place_errors(const Config& config);

}  // namespace remitod::daemon
