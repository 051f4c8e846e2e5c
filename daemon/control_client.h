// The other end of the control socket, for the CLI. Blocking.
#pragma once

#include <expected>
#include <string>

#include "daemon/control_server.h"

namespace remitod::daemon {

/// The error says why no daemon answers.
std::expected<ControlAnswer, std::string> call_control(const std::string& socket_path, const std::string& method,
                                                       const std::string& target, const std::string& body = {});
/// Percent-encodes a query value.
std::string query_value(std::string_view text);

}  // namespace remitod::daemon
