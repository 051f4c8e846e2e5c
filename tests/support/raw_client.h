// A client that says exactly what the test wants, over a Unix socket or over TCP.
#pragma once

#include <string>
#include <string_view>

namespace remitod::test {

class RawClient {
 public:
  /// The path of a socket, or "127.0.0.1:PORT". Throws where nobody listens.
  explicit RawClient(const std::string& address);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&& other) noexcept;

  /// False when the server has hung up.
  bool say(std::string_view text);
  /// All until the server hangs up.
  std::string hear();
  /// Until the text has come.
  std::string hear_until(std::string_view end);

 private:
  int socket_;
};

}  // namespace remitod::test
