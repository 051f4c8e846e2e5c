// The requests of a profile without anybody to send them to: what a sample's question looks like, and a create request
// of an invented order. Private to carriers/.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "carriers/check.h"
#include "carriers/profile_lines.h"
#include "carriers/sample.h"

namespace remitod::carriers {

/// With an invented session and a {{uuid}} of zeros. The error says why there is none.
std::expected<HttpRequest, std::string> request_of(const Profile& profile, const Expectation& expectation);

/// What of the body is not as its Content-Type says, in words; empty: nothing that is known.
std::string body_problem(const HttpRequest& request);

/// What of `expected` (Expectation::request) is not sent so. `operation` as the profile's tables are called.
std::vector<Deviation> request_differences(const nlohmann::json& expected, const HttpRequest& request,
                                           const std::string& operation, const ProfileLines& lines);

/// Nothing where the profile sends no create request. `problem_of_body` is told body_problem().
std::optional<ShownRequest> invented_create(const Profile& profile, std::string& problem_of_body);

}  // namespace remitod::carriers
