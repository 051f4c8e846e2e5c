// The other end of the control socket, for the CLI. Blocking.
#pragma once

#include <expected>
#include <string>

#include "daemon/control_server.h"

namespace remitod::daemon {

/// Why no daemon answers.
struct NoAnswer {
  std::string message;
  bool not_allowed = false;  ///< whether one runs cannot be told: we may not open its socket
};

std::expected<ControlAnswer, NoAnswer> call_control(const std::string& socket_path, const std::string& method,
                                                    const std::string& target, const std::string& body = {});
/// Is somebody there to be asked, even if not by us (permissions), or not now? False: there is no socket, or one that
/// an earlier process left behind.
bool daemon_listens(const std::string& socket_path);
/// Percent-encodes a query value.
std::string query_value(std::string_view text);

}  // namespace remitod::daemon
