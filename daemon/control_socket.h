// Where the daemon is asked: the socket that systemd passed, or one of its own at daemon.control_socket. It lives as
// long as the process: who asks while a reload takes the configuration in waits for the answer, and nobody else can
// have the path meanwhile.
#pragma once

#include <expected>
#include <optional>

#include "daemon/config.h"
#include "daemon/socket_file.h"

namespace remitod::daemon {

class ControlSocket {
 public:
  static std::expected<ControlSocket, ConfigError> open(const Config& config);

  /// Listens; for a ControlServer.
  int descriptor() const { return passed_ ? *passed_ : own_->descriptor(); }

  /// For a reload: opens the socket that is wanted from then on, unless this one is it. Both listen until `turn`. A
  /// failure changes nothing.
  std::expected<void, ConfigError> prepare(const Config& wanted);
  /// From here on the one that was prepared is the one, if any was.
  void turn();
  /// The process ends: lets nobody in any more, and removes the files that it made.
  void close();

 private:
  ControlSocket() = default;
  static std::expected<ListeningSocket, ConfigError> open_own(const Config& config);

  std::optional<int> passed_;
  std::optional<ListeningSocket> own_, prepared_;
};

}  // namespace remitod::daemon
