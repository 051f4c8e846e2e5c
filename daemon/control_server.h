// Control of a running daemon: HTTP over a Unix socket that only the service's user and group may open. Runs on the
// deciding thread; every request has size and time limits.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace remitod::daemon {

struct ControlRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> query;
  std::string body;
};
struct ControlAnswer {
  int status = 200;
  std::string body;  ///< JSON
};

class ControlServer {
 public:
  using Reply = std::function<void(ControlAnswer)>;
  /// Called on the deciding thread; must call `reply` once, at once or later.
  using Handler = std::function<void(ControlRequest, Reply)>;
  /// Replaces a socket file that an earlier process left behind; refuses where somebody listens. A client that takes
  /// longer than `patience` to ask, or to take its answer, is hung up on. The error says what is wrong with the path.
  static std::expected<std::unique_ptr<ControlServer>, std::string> listen(
      boost::asio::io_context& context, const std::string& socket_path, Handler handler,
      std::chrono::milliseconds patience = std::chrono::seconds{10});
  /// Takes connections from a Unix socket that listens already and stays its owner's: the server works on a copy of
  /// the descriptor and leaves the socket's file alone.
  static std::expected<std::unique_ptr<ControlServer>, std::string> adopt(
      boost::asio::io_context& context, int listener, Handler handler,
      std::chrono::milliseconds patience = std::chrono::seconds{10});
  virtual ~ControlServer() = default;  ///< stops listening, and removes the socket file if it is still its own

  /// Lets nobody in any more, and answers those who are in; whoever then asks is the next process's, if systemd holds
  /// the socket. `then` is called once they have their answers, or after `leave_taking` (guests.h). Once.
  virtual void take_leave(std::function<void()> then) = 0;
};

}  // namespace remitod::daemon
