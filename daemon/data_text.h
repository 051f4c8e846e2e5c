// What the modes about the database's contents print for people.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace remitod::daemon {

std::string reread_text(const nlohmann::json& report);
std::string erased_text(const nlohmann::json& report);
std::string forgotten_text(const nlohmann::json& report);
std::string shadow_text(const nlohmann::json& report);

}  // namespace remitod::daemon
