// What --explain says, as a person reads it in a terminal of 80 columns.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace remitod::daemon {

std::string explain_carrier_text(const nlohmann::json& report);
std::string explain_shipments_text(const nlohmann::json& report);

}  // namespace remitod::daemon
