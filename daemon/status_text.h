// The daemon's JSON answers as a person reads them in a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace remitod::daemon {

/// Under the row of a carrier that fails, rests or is held by its limits: why, and until when.
std::string status_text(const nlohmann::json& report);
/// The report without the rows of other carriers. What it says of the daemon as a whole stays: whether it is "ok", what
/// is "degraded", its sinks. Nothing where no such carrier is configured.
std::optional<nlohmann::json> status_of_carrier(nlohmann::json report, std::string_view carrier);
std::string shipments_text(const nlohmann::json& report);
std::string resync_text(const nlohmann::json& report);
std::string replay_text(const nlohmann::json& report);

}  // namespace remitod::daemon
