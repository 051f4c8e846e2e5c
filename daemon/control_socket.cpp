#include "daemon/control_socket.h"

#include <string>
#include <utility>

#include "daemon/config_places.h"
#include "daemon/service_notify.h"

namespace remitod::daemon {

std::expected<ControlSocket, ConfigError> ControlSocket::open(const Config& config) {
  ControlSocket socket;
  socket.passed_ = passed_listener("control");
  if (socket.passed_) return socket;
  auto own = open_own(config);
  if (!own) return std::unexpected(std::move(own.error()));
  socket.own_ = std::move(*own);
  return socket;
}

std::expected<void, ConfigError> ControlSocket::prepare(const Config& wanted) {
  if (passed_) return {};
  if (own_->is_at(wanted.control_socket)) {
    prepared_.reset();  // of a reload before this one
    return {};
  }
  if (prepared_ && prepared_->is_at(wanted.control_socket)) return {};
  auto opened = open_own(wanted);
  if (!opened) return std::unexpected(std::move(opened.error()));
  prepared_ = std::move(*opened);
  return {};
}

void ControlSocket::turn() {
  if (prepared_) own_ = std::exchange(prepared_, std::nullopt);
}

void ControlSocket::close() {
  prepared_.reset();
  own_.reset();
}

std::expected<ListeningSocket, ConfigError> ControlSocket::open_own(const Config& config) {
  const auto failed = [&config](std::string problem) {
    return std::unexpected(config.error(control_socket_key, std::move(problem)));
  };
  if (std::string missing = missing_folder(config.control_socket); !missing.empty()) return failed(std::move(missing));
  auto opened = ListeningSocket::open(config.control_socket);
  if (!opened) return failed(std::move(opened.error()));
  return std::move(*opened);
}

}  // namespace remitod::daemon
