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
  /// Takes connections from a Unix socket that listens already and stays its owner's: the server works on a copy of
  /// the descriptor and leaves the socket's file alone. A client that takes longer than `patience` to ask, or to take
  /// its answer, is hung up on.
  static std::expected<std::unique_ptr<ControlServer>, std::string> adopt(
      boost::asio::io_context& context, int listener, Handler handler,
      std::chrono::milliseconds patience = std::chrono::seconds{10});
  virtual ~ControlServer() = default;  ///< lets nobody in any more

  /// Lets nobody in any more, and answers those who are in; whoever then asks is the next server's of the socket, if
  /// that stays open. `then` is called once they have their answers, or after `leave_taking` (guests.h). Once.
  virtual void take_leave(std::function<void()> then) = 0;
};

}  // namespace remitod::daemon
