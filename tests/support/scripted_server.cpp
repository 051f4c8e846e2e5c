#include "tests/support/scripted_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <stdexcept>
#include <string_view>

namespace remitod::test {
namespace {

constexpr std::chrono::minutes patience{1};

int listen_on_loopback(int backlog, int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, generic, length) != 0 || listen(listener, backlog) != 0 ||
      getsockname(listener, generic, &length) != 0)
    throw std::runtime_error("cannot listen on 127.0.0.1");
  port = ntohs(address.sin_port);
  return listener;
}

int tls_version(std::string_view version) {
  if (version == "1.1") return TLS1_1_VERSION;
  return version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
}

void demand_certificate(SSL_CTX* context, const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                        BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr), X509_free);
  if (!certificate || X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1)
    throw std::runtime_error("the client's certificate cannot be used");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

std::shared_ptr<void> make_context(const TlsSetting& setting) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), tls_version(setting.version_max));
  SSL_CTX_set_cipher_list(context.get(), "DEFAULT:@SECLEVEL=0");  // or it would not speak 1.1
  const std::unique_ptr<BIO, decltype(&BIO_free)> key_bytes(
      BIO_new_mem_buf(setting.identity.key_pem.data(), static_cast<int>(setting.identity.key_pem.size())), BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> certificate_bytes(
      BIO_new_mem_buf(setting.identity.certificate_pem.data(),
                      static_cast<int>(setting.identity.certificate_pem.size())),
      BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_bytes.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(certificate_bytes.get(), nullptr, nullptr, nullptr), X509_free);
  if (!key || !certificate || SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
    throw std::runtime_error("the server's certificate cannot be used");
  if (!setting.client_certificate_pem.empty()) demand_certificate(context.get(), setting.client_certificate_pem);
  return context;
}

std::size_t content_length(const ReceivedRequest& request) {
  const std::string stated = request.header("Content-Length").value_or("0");
  std::size_t length = 0;
  std::from_chars(stated.data(), stated.data() + stated.size(), length);
  return length;
}

}  // namespace

/// One accepted socket and its thread; plain or TLS.
class ScriptedServer::Connection {
 public:
  Connection(int socket, std::size_t number, SSL_CTX* context) : number_(number), socket_(socket) {
    if (!context) return;
    tls_.reset(SSL_new(context));
    SSL_set_fd(tls_.get(), socket_);
  }
  ~Connection() {
    if (thread.joinable()) thread.join();
    tls_.reset();
    ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool handshake() { return !tls_ || SSL_accept(tls_.get()) == 1; }
  /// From any thread: whatever the connection's thread waits for ends.
  void interrupt() { shutdown(socket_, SHUT_RDWR); }
  void close() {
    if (tls_) SSL_shutdown(tls_.get());
    shutdown(socket_, SHUT_RDWR);
  }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    // The number stays ours until the destructor closes it; a socket that is replaced under it is closed now.
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, socket_);
    ::close(nothing);
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                                : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// The next request, or nothing at the end of the connection.
  std::optional<ReceivedRequest> receive() {
    ReceivedRequest request;
    std::size_t head_end = std::string::npos;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive_more()) return std::nullopt;
    }
    request.head = buffer_.substr(0, head_end + 4);
    buffer_.erase(0, head_end + 4);
    const std::size_t body_bytes = content_length(request);
    while (buffer_.size() < body_bytes) {
      if (!receive_more()) return std::nullopt;
    }
    request.body = buffer_.substr(0, body_bytes);
    buffer_.erase(0, body_bytes);
    request.connection = number_;
    request.number_on_connection = received_++;
    return request;
  }

  std::thread thread;

 private:
  struct FreeTls {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  bool receive_more() {
    char bytes[16 * 1024];
    const ssize_t count = tls_ ? SSL_read(tls_.get(), bytes, sizeof bytes) : recv(socket_, bytes, sizeof bytes, 0);
    if (count > 0) buffer_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  const std::size_t number_;
  const int socket_;
  std::unique_ptr<SSL, FreeTls> tls_;
  std::string buffer_;
  std::size_t received_ = 0;
};

ScriptedServer::ScriptedServer(Script script, std::optional<TlsSetting> tls) : script_(std::move(script)) {
  if (tls) tls_context_ = make_context(*tls);
  listener_ = listen_on_loopback(SOMAXCONN, port_);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  shutdown(listener_, SHUT_RDWR);  // ends accept()
  acceptor_.join();
  close(listener_);
  for (Connection& connection : connections_) connection.interrupt();
  connections_.clear();
}

std::string ScriptedServer::url(std::string_view path) const {
  return (tls_context_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + std::string{path};
}

std::vector<ReceivedRequest> ScriptedServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

std::size_t ScriptedServer::connections() const {
  const std::scoped_lock lock(mutex_);
  return connections_.size();
}

bool ScriptedServer::wait_for_requests(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return requests_.size() >= count; });
}

bool ScriptedServer::wait_for_connections(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return connections_.size() >= count; });
}

void ScriptedServer::accept_all() {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::scoped_lock lock(mutex_);
    Connection& connection =
        connections_.emplace_back(socket, connections_.size(), static_cast<SSL_CTX*>(tls_context_.get()));
    connection.thread = std::thread([this, &connection] { serve(connection); });
    changed_.notify_all();
  }
}

void ScriptedServer::serve(Connection& connection) {
  // OpenSSL writes without MSG_NOSIGNAL.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  if (!connection.handshake()) return connection.close();
  while (const std::optional<ReceivedRequest> request = connection.receive()) {
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(*request);
    }
    changed_.notify_all();
    const ScriptedAnswer answer = [&] {
      const std::scoped_lock lock(script_mutex_);
      return script_(*request);
    }();
    if (!send_answer(connection, answer)) break;
    if (answer.then == ScriptedAnswer::Then::reset) return connection.reset();
    if (answer.then == ScriptedAnswer::Then::close) break;
    if (answer.then == ScriptedAnswer::Then::hang) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_; });
      break;
    }
  }
  connection.close();
}

bool ScriptedServer::send_answer(Connection& connection, const ScriptedAnswer& answer) {
  const auto send = [&](std::string_view bytes) {
    if (answer.drip.count() == 0) return connection.send(bytes);
    return std::ranges::all_of(
        bytes, [&](const char& byte) { return connection.send({&byte, 1}) && !wait_until_stopped(answer.drip); });
  };
  if (!send(answer.bytes)) return false;
  while (!answer.again.empty()) {
    if (!send(answer.again)) return false;
  }
  return true;
}

bool ScriptedServer::wait_until_stopped(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, at_most, [this] { return stopping_; });
}

ScriptedAnswer ScriptedAnswer::ok(std::string_view body, std::string_view headers) {
  return status(200, body, headers);
}

ScriptedAnswer ScriptedAnswer::status(int code, std::string_view body, std::string_view headers) {
  std::string bytes = "HTTP/1.1 " + std::to_string(code) + " Scripted\r\n";
  bytes += headers;
  bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  bytes += body;
  return {.bytes = std::move(bytes), .again = {}, .drip = {}, .then = Then::keep_open};
}

std::string ReceivedRequest::method() const {
  return head.substr(0, head.find(' '));
}

std::string ReceivedRequest::target() const {
  const std::size_t start = head.find(' ') + 1;
  return head.substr(start, head.find(' ', start) - start);
}

std::optional<std::string> ReceivedRequest::header(std::string_view name) const {
  std::string_view rest{head};
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    std::string_view value = line.substr(name.size() + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return std::string{value};
  }
  return std::nullopt;
}

UnansweringPort::UnansweringPort() {
  sockets_.push_back(listen_on_loopback(0, port_));
  // The kernel completes connections for accept() up to the backlog, and from then on ignores them.
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 4; ++i) {
    sockets_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    connect(sockets_.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
}

UnansweringPort::~UnansweringPort() {
  for (const int open_socket : sockets_) close(open_socket);
}

int closed_port() {
  int port = 0;
  close(listen_on_loopback(1, port));
  return port;
}

}  // namespace remitod::test
