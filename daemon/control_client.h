// The other end of the control socket, for the CLI. Blocking.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

#include "daemon/control_server.h"

namespace remitod::daemon {

/// Why no daemon answers.
struct NoAnswer {
  enum class Why : std::uint8_t {
    nobody,       ///< there is no socket, or one that an earlier process left behind
    not_allowed,  ///< whether one runs cannot be told: we may not open its socket
    silent,       ///< somebody listens, and says nothing
    cut_off       ///< it hung up before all was said
  };
  std::string message;
  Why why = Why::cut_off;
};

/// Longer than anything takes that is not asked of a carrier.
inline constexpr std::chrono::seconds control_patience{60};

/// Gives up on a daemon that says nothing for so long.
std::expected<ControlAnswer, NoAnswer> call_control(const std::string& socket_path, const std::string& method,
                                                    const std::string& target, const std::string& body = {},
                                                    std::chrono::milliseconds patience = control_patience);
/// Percent-encodes a query value.
std::string query_value(std::string_view text);

}  // namespace remitod::daemon
