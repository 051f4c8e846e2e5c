// Who may ask what of the listener: which calls there are, what they may be called by, and which of them want the
// token. Decides from the head of a request alone, on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/web_listener.h"

namespace remitod::daemon {

class WebGate {
 public:
  struct Settings {
    std::string token{};  ///< empty: what wants it is refused
    /// Other machines get here: then everything but the health of the daemon wants the token.
    bool reached_by_others = false;
    /// Browsers get here, and a page of somebody else could have its own name lead to this address; so a request has to
    /// name us by an address, as localhost, or by one of `names`. Not at a Unix socket: whoever may open that is asked
    /// nothing.
    bool checks_host = true;
    std::vector<std::string> names = {};
  };
  explicit WebGate(Settings settings);

  /// Nothing: the call may be made. Otherwise what to answer.
  std::optional<WebAnswer> refuse(const WebRequest& request) const;

 private:
  bool knows_host(std::string_view host) const;
  bool is_token(std::string_view authorization) const;

  Settings settings_;
  std::string token_digest_;
};

/// {"error": message}, as every refusal has it.
WebAnswer web_failure(int status, std::string_view message);

}  // namespace remitod::daemon
