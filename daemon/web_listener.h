// HTTP for those who look on: browsers, Prometheus, load balancers. Has a thread of its own, so that whoever talks to
// it slowly, much or wrongly costs the deciding thread nothing: connections, heads, bodies, answers and time are
// bounded. What is answered is the handler's business.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/control_server.h"

namespace remitod::daemon {

struct WebRequest : ControlRequest {
  std::string host;           ///< the header, as it was sent
  std::string authorization;  ///< likewise
};
struct WebAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< further ones
  std::function<std::string()> spell = {};                        ///< makes the body, on the listener's thread
};

struct WebLimits {
  /// With so many, each further one takes the place of that which has kept us waiting longest.
  std::size_t connections = 512;
  std::size_t head_bytes = 16 * 1024;
  std::size_t body_bytes = 64 * 1024;
  std::size_t answer_bytes = 32 * 1024 * 1024;                       ///< of all answers that wait for their readers
  std::chrono::milliseconds patience = std::chrono::seconds{10};     ///< for a whole request, and for taking an answer
  std::chrono::milliseconds answer_time = std::chrono::seconds{20};  ///< for the handler; then it is 503
};

class WebListener {
 public:
  /// From any thread, once, and also after the listener is gone.
  using Reply = std::function<void(WebAnswer)>;
  /// Called on the listener's thread.
  using Handler = std::function<void(WebRequest, Reply)>;

  /// Listens at "127.0.0.1:9470", "[::1]:9470" or the path of a socket (which the service's group may open). The error
  /// says what is wrong with the address.
  static std::expected<std::unique_ptr<WebListener>, std::string> listen(const std::string& address, Handler handler,
                                                                         const WebLimits& limits = {});
  /// Takes connections from a socket that listens already and stays its owner's: this works on a copy of the
  /// descriptor.
  static std::expected<std::unique_ptr<WebListener>, std::string> adopt(int listener, Handler handler,
                                                                        const WebLimits& limits = {});
  virtual ~WebListener() = default;  ///< hangs up on everybody

  /// Lets nobody in any more, and answers those who are in; whoever then asks is the next process's, if systemd holds
  /// the socket. `then` is called on the listener's thread once they have their answers, or after `leave_taking`
  /// (guests.h). From any thread, once.
  virtual void take_leave(std::function<void()> then) = 0;

  /// "127.0.0.1:9470" with the port that it became, or the socket's path.
  virtual std::string address() const = 0;
};

/// Of a socket that listens; empty where it is none.
std::string socket_address(int listener);
/// Whether only this machine can get there: a loopback address or a Unix socket. Nothing: it is no address at all.
std::optional<bool> is_local_address(const std::string& address);

}  // namespace remitod::daemon
