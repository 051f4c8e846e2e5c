// An HTTP server that does as the test says, byte by byte, and remembers what arrived. 127.0.0.1 only, on a port of the
// kernel's choice; a thread per connection.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace remitod::test {

/// A request as it arrived.
struct ReceivedRequest {
  std::string head;                      ///< request line and headers, as sent, with the empty line
  std::string body;                      ///< by its Content-Length
  std::size_t connection = 0;            ///< 0 for the server's first
  std::size_t number_on_connection = 0;  ///< 0 for the connection's first
  std::string method() const;
  std::string target() const;
  /// The value of the first header of this name in any case; absent when there is none.
  std::optional<std::string> header(std::string_view name) const;
};

struct ScriptedAnswer {
  std::string bytes;  ///< sent as they are
  std::string again;  ///< then this, without end, until the client goes away
  /// Between any two bytes; zero: all at once.
  std::chrono::milliseconds drip{0};
  enum class Then {
    keep_open,  ///< the next request of the connection may come
    close,
    reset,  ///< RST instead of FIN
    hang,   ///< says no more, stays open
  };
  Then then = Then::keep_open;

  /// A whole answer with its Content-Length; `headers` are lines that end in CRLF.
  static ScriptedAnswer ok(std::string_view body, std::string_view headers = {});
  static ScriptedAnswer status(int code, std::string_view body, std::string_view headers = {});
};

/// Private key and certificate, PEM. Made for one test; the certificate is its own CA.
struct TlsIdentity {
  std::string key_pem;
  std::string certificate_pem;
  /// For `host` (a DNS name or an IP address), valid in [now + from, now + until).
  static TlsIdentity make(const std::string& host, std::chrono::seconds from, std::chrono::seconds until);
};

struct TlsSetting {
  TlsIdentity identity;
  std::string version_max = "1.3";          ///< "1.1", "1.2" or "1.3"
  std::string client_certificate_pem = {};  ///< a client has to show this one; empty: none is asked for
};

class ScriptedServer {
 public:
  /// Called on the connection's thread, one call at a time.
  using Script = std::function<ScriptedAnswer(const ReceivedRequest&)>;

  explicit ScriptedServer(Script script, std::optional<TlsSetting> tls = {});
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_; }
  /// "http://127.0.0.1:PORT" + path, or https.
  std::string url(std::string_view path = "/") const;
  std::vector<ReceivedRequest> requests() const;
  std::size_t connections() const;
  /// Blocks until so many requests have arrived; false after a minute.
  bool wait_for_requests(std::size_t count) const;
  bool wait_for_connections(std::size_t count) const;

 private:
  class Connection;
  void accept_all();
  void serve(Connection& connection);
  bool send_answer(Connection& connection, const ScriptedAnswer& answer);
  bool wait_until_stopped(std::chrono::milliseconds at_most);

  const Script script_;
  std::shared_ptr<void> tls_context_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_, like the rest
  std::vector<ReceivedRequest> requests_;
  std::list<Connection> connections_;
  std::mutex script_mutex_;
  std::thread acceptor_;
};

/// A TCP port of 127.0.0.1 on which connections are neither accepted nor refused: a connect waits.
class UnansweringPort {
 public:
  UnansweringPort();
  ~UnansweringPort();
  UnansweringPort(const UnansweringPort&) = delete;
  UnansweringPort& operator=(const UnansweringPort&) = delete;
  int port() const { return port_; }

 private:
  std::vector<int> sockets_;
  int port_ = 0;
};

/// A TCP port of 127.0.0.1 on which nobody listened a moment ago.
int closed_port();

}  // namespace remitod::test
