// Remito requests as text: JSON objects with the columns of the table (`remitod --request-remito`). Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "db/platform_requests.h"

namespace remitod::daemon {

/// The keys are those columns that a platform writes; `payload` is an object, `requested_at` RFC 3339 or microseconds.
/// The error names the key.
std::expected<db::PlatformRequest, std::string> read_request_row(const nlohmann::json& row);

/// One object, a list of them, or one on each line. Every error is told, with the line that it is about.
std::expected<std::vector<nlohmann::json>, std::vector<std::string>> read_request_file(std::string_view text);

}  // namespace remitod::daemon
