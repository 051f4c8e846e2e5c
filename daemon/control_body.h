// What the calls of the control socket are asked with: a JSON object of known keys. A key that is not known is not
// passed over: a dry_run that is spelt wrong would do what was only to be looked at.
#pragma once

#include <expected>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "carriers/tracking.h"
#include "daemon/control_server.h"

namespace remitod::daemon {

struct ControlBody {
  std::map<std::string, std::string, std::less<>> texts;  ///< the required ones; none is empty
  std::optional<Instant> since;
  bool dry_run = false;

  const std::string& text(std::string_view key) const { return texts.find(key)->second; }
};

/// `required` are texts; "since" (a moment) and "dry_run" may be in `optional`. The error says what was expected.
std::expected<ControlBody, std::string> parse_control_body(const std::string& body,
                                                           std::initializer_list<std::string_view> required,
                                                           std::initializer_list<std::string_view> optional = {});

/// {"error": message}
ControlAnswer control_failure(int status, std::string_view message);

}  // namespace remitod::daemon
