// The daemon's JSON answers as a person reads them in a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace remitod::daemon {

std::string status_text(const nlohmann::json& report);
std::string shipments_text(const nlohmann::json& report);
std::string resync_text(const nlohmann::json& report);
std::string replay_text(const nlohmann::json& report);

}  // namespace remitod::daemon
