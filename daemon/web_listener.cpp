#include "daemon/web_listener.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <list>
#include <map>
#include <thread>

#include "daemon/guests.h"
#include "daemon/log.h"
#include "daemon/socket_file.h"

namespace remitod::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = asio::generic::stream_protocol;  // TCP and Unix sockets alike
using Acceptor = asio::basic_socket_acceptor<Protocol>;
using Stream = beast::basic_stream<Protocol>;

// After a failure to accept (no descriptors left, mostly): the same at once would fail again.
constexpr std::chrono::seconds accept_pause{1};
// After an answer that ends the connection, what the client was still saying is read away, or the answer would be lost.
constexpr std::chrono::seconds farewell{1};
constexpr std::size_t farewell_bytes = 256 * 1024;

class Session;

// All that the listener's thread has. A session lives as long as an operation of its socket is under way or the handler
// has its request. Destroyed in the opposite order: the sessions, then what they speak to.
struct Loop {
  Loop(WebListener::Handler wanted, const WebLimits& limited) : handler(std::move(wanted)), limits(limited) {}

  WebListener::Handler handler;
  WebLimits limits;
  std::list<Session*> waiting;  ///< for their clients; the one that waits longest is first
  Guests<Session> guests;
  std::size_t answer_bytes = 0;
  std::uint64_t requests = 0;
  asio::io_context context{1};
  std::map<std::uint64_t, std::shared_ptr<Session>> answering;  ///< the handler has their request
};

WebAnswer failure(int status, std::string_view message) {
  return {status, "application/json", R"({"error":")" + std::string(message) + "\"}", {}};
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Protocol::socket socket, const std::shared_ptr<Loop>& loop)
      : loop_(*loop),
        shared_loop_(loop),
        stream_(std::move(socket)),
        answer_timer_(loop->context),
        buffer_(loop->limits.head_bytes + loop->limits.body_bytes) {
    loop_.guests.came(*this);
  }
  ~Session() {
    stop_waiting();
    loop_.answer_bytes -= answer_bytes_;
    loop_.guests.went(*this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace();
    parser_->body_limit(loop_.limits.body_bytes);
    parser_->header_limit(static_cast<std::uint32_t>(loop_.limits.head_bytes));
    wait();
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](const beast::error_code& error, std::size_t) { self->received(error); });
  }
  /// Somebody else is to have its place, or there will be none.
  void hang_up() {
    stop_waiting();
    stream_.close();
  }
  /// Between two requests. Who has not asked yet has come to ask.
  bool idle() { return served_ && place_ && !parser_->got_some() && is_quiet(buffer_, stream_); }

 private:
  void wait() {
    stream_.expires_after(loop_.limits.patience);
    place_ = loop_.waiting.insert(loop_.waiting.end(), this);
  }
  void stop_waiting() {
    if (place_) loop_.waiting.erase(*place_);
    place_.reset();
  }

  void received(const beast::error_code& error) {
    stop_waiting();
    stream_.expires_never();
    head_only_ = parser_->is_header_done() && parser_->get().method() == http::verb::head;
    if (error) return misunderstood(error);
    const auto& message = parser_->get();
    served_ = false;
    keep_ = message.keep_alive();
    version_ = message.version();
    const auto target = boost::urls::parse_origin_form(message.target());
    if (!target) return write(failure(400, "the request target is no path"));
    WebRequest request;
    request.method = std::string(message.method_string());
    request.path = std::string(target->path());
    for (const auto& parameter : target->params()) request.query.emplace(parameter.key, parameter.value);
    request.host = std::string(message[http::field::host]);
    request.authorization = std::string(message[http::field::authorization]);
    request.body = message.body();
    ask(std::move(request));
  }

  // Gone or too slow: nothing to say to them.
  void misunderstood(const beast::error_code& error) {
    keep_ = false;
    if (error == http::error::header_limit) return write(failure(431, "the head of the request is too large"));
    if (error == http::error::body_limit || error == http::error::buffer_overflow)
      return write(failure(413, "the body of the request is too large"));
    const bool silent = error == http::error::end_of_stream || error == http::error::partial_message;
    if (!silent && error.category() == beast::error_code(http::error::bad_method).category())
      write(failure(400, "this is no HTTP request"));
  }

  // While the handler works, only the loop holds this session: a reply that comes too late finds it gone.
  void ask(WebRequest request) {
    id_ = ++loop_.requests;
    loop_.answering.emplace(id_, shared_from_this());
    answer_timer_.expires_after(loop_.limits.answer_time);
    answer_timer_.async_wait([this, id = id_, loop = &loop_](const beast::error_code& cancelled) {
      if (!cancelled && loop->answering.contains(id)) answered(id, failure(503, "no answer in time"));
    });
    loop_.handler(std::move(request), [shared = shared_loop_, id = id_](WebAnswer answer) {
      const auto loop = shared.lock();
      if (!loop) return;
      asio::post(loop->context, [raw = loop.get(), id, answer = std::move(answer)]() mutable {
        const auto found = raw->answering.find(id);
        if (found != raw->answering.end()) found->second->answered(id, std::move(answer));
      });
    });
  }

  void answered(std::uint64_t id, WebAnswer answer) {
    const auto self = shared_from_this();
    answer_timer_.cancel();
    loop_.answering.erase(id);
    write(std::move(answer));
  }

  void write(WebAnswer answer) {
    if (answer.spell) answer.body = answer.spell();
    if (loop_.answer_bytes + answer.body.size() > loop_.limits.answer_bytes)
      answer = failure(503, "too many answers wait for their readers");
    answer_bytes_ = answer.body.size();
    loop_.answer_bytes += answer_bytes_;
    response_ = http::response<http::string_body>(static_cast<http::status>(answer.status), version_);
    response_.set(http::field::content_type, answer.content_type);
    for (const auto& [name, value] : answer.headers) response_.set(name, value);
    keep_ = keep_ && !loop_.guests.leaving();
    response_.keep_alive(keep_);
    response_.body() = std::move(answer.body);
    response_.prepare_payload();
    if (head_only_) response_.body().clear();
    wait();
    http::async_write(stream_, response_, [self = shared_from_this()](const beast::error_code& error, std::size_t) {
      self->written(error);
    });
  }

  void written(const beast::error_code& error) {
    stop_waiting();
    loop_.answer_bytes -= std::exchange(answer_bytes_, 0);
    response_.body() = {};
    if (error) return;
    served_ = true;
    const bool is_over = loop_.guests.leaving() && is_quiet(buffer_, stream_);
    if (keep_ && !is_over) return read();
    beast::error_code ignored;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    if (is_over) return;
    wait();
    stream_.expires_after(farewell);
    hear_out(farewell_bytes);
  }

  void hear_out(std::size_t bytes_left) {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = shared_from_this(), bytes_left](const beast::error_code& error, std::size_t got) {
                              if (!error && got < bytes_left) self->hear_out(bytes_left - got);
                            });
  }

  Loop& loop_;
  std::weak_ptr<Loop> shared_loop_;  ///< for replies, which may come when all this is gone
  Stream stream_;
  asio::steady_timer answer_timer_;
  /// Bounded, since the parser counts neither the extensions of chunks nor what follows the last one.
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  std::optional<std::list<Session*>::iterator> place_;
  std::size_t answer_bytes_ = 0;
  std::uint64_t id_ = 0;
  unsigned version_ = 11;
  bool keep_ = false, head_only_ = false;
  bool served_ = false;  ///< it has had its answer, and has not asked again
};

class Listener final : public WebListener {
 public:
  Listener(Handler handler, const WebLimits& limits) : loop_(std::make_shared<Loop>(std::move(handler), limits)) {}
  ~Listener() override {
    loop_->context.stop();
    if (thread_.joinable()) thread_.join();
    loop_->guests.forget();
    file_.remove();
    acceptor_.reset();
    pause_.reset();
    leave_time_.reset();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  beast::error_code open(const Protocol::endpoint& endpoint, const std::string& path) {
    beast::error_code error;
    acceptor_.emplace(loop_->context);
    acceptor_->open(endpoint.protocol(), error);
    if (!error && path.empty()) acceptor_->set_option(asio::socket_base::reuse_address(true), error);
    if (!path.empty()) ::unlink(path.c_str());  // of a process that is gone, if it is there
    // A socket's file is born with the rights it keeps: nobody else's for not even a moment.
    const mode_t before = ::umask(0117);
    if (!error) acceptor_->bind(endpoint, error);
    ::umask(before);
    if (!error && !path.empty()) file_ = SocketFile(path);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (!error) begin();
    return error;
  }

  beast::error_code adopt(int listener) {
    sockaddr_storage bound{};
    socklen_t bytes = sizeof bound;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &bytes) != 0)
      return {errno, boost::system::system_category()};
    const int copy = ::fcntl(listener, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return {errno, boost::system::system_category()};
    beast::error_code error;
    acceptor_.emplace(loop_->context);
    acceptor_->assign(Protocol(bound.ss_family, 0), copy, error);
    if (error)
      ::close(copy);
    else
      begin();
    return error;
  }

  std::string address() const override { return address_; }

  void take_leave(std::function<void()> then) override {
    asio::post(loop_->context, [this, then = std::move(then)]() mutable {
      beast::error_code ignored;
      file_.remove();
      acceptor_->close(ignored);
      leave_time_->expires_after(leave_taking);
      leave_time_->async_wait([this](const beast::error_code& cancelled) {
        if (!cancelled) loop_->guests.hurry();
      });
      loop_->guests.take_leave(std::move(then));
    });
  }

 private:
  void begin() {
    address_ = socket_address(acceptor_->native_handle());
    pause_.emplace(loop_->context);
    leave_time_.emplace(loop_->context);
    accept();
    thread_ = std::thread([this] { loop_->context.run(); });
  }

  void accept() {
    acceptor_->async_accept([this](const beast::error_code& error, Protocol::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later(error);
      take_in(std::move(socket));
      if (!loop_->guests.leaving()) accept();
    });
  }

  void take_in(Protocol::socket socket) {
    const std::size_t others = loop_->waiting.size() + loop_->answering.size();
    if (others >= loop_->limits.connections) {
      if (loop_->waiting.empty()) return;  // every one of them has an answer to come, this one is hung up on
      loop_->waiting.front()->hang_up();
    }
    std::make_shared<Session>(std::move(socket), loop_)->read();
  }

  void accept_later(const beast::error_code& error) {
    log(Level::warning, "web_accept_failed", {{"error", error.message()}});
    pause_->expires_after(accept_pause);
    pause_->async_wait([this](const beast::error_code& cancelled) {
      if (!cancelled && !loop_->guests.leaving()) accept();
    });
  }

  std::shared_ptr<Loop> loop_;
  std::optional<Acceptor> acceptor_;
  std::optional<asio::steady_timer> pause_, leave_time_;
  SocketFile file_;  ///< that we made
  std::string address_;
  std::thread thread_;
};

std::optional<Protocol::endpoint> endpoint_of(const std::string& address) {
  if (address.starts_with('/')) {
    if (address.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    return Protocol::endpoint(asio::local::stream_protocol::endpoint(address));
  }
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.contains(':'))
    return std::nullopt;
  beast::error_code error;
  const auto ip = asio::ip::make_address(host, error);
  std::uint16_t port = 0;
  const char* const end = address.data() + address.size();
  const auto read = std::from_chars(address.data() + colon + 1, end, port);
  if (error || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return Protocol::endpoint(asio::ip::tcp::endpoint(ip, port));
}

}  // namespace

std::expected<std::unique_ptr<WebListener>, std::string> WebListener::listen(const std::string& address,
                                                                             Handler handler, const WebLimits& limits) {
  const auto endpoint = endpoint_of(address);
  if (!endpoint) return std::unexpected("no address to listen on: " + address);
  if (std::string taken = address.starts_with('/') ? socket_path_taken(address) : ""; !taken.empty())
    return std::unexpected(std::move(taken));
  auto listener = std::make_unique<Listener>(std::move(handler), limits);
  if (const beast::error_code error = listener->open(*endpoint, address.starts_with('/') ? address : ""))
    return std::unexpected("cannot listen on " + address + ": " + error.message());
  return listener;
}

std::expected<std::unique_ptr<WebListener>, std::string> WebListener::adopt(int listener, Handler handler,
                                                                            const WebLimits& limits) {
  auto server = std::make_unique<Listener>(std::move(handler), limits);
  if (const beast::error_code error = server->adopt(listener))
    return std::unexpected("cannot listen on the socket that was passed: " + error.message());
  return server;
}

std::string socket_address(int listener) {
  sockaddr_storage bound{};
  socklen_t bytes = sizeof bound;
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &bytes) != 0) return {};
  if (bound.ss_family == AF_UNIX) {
    asio::local::stream_protocol::endpoint local;
    local.resize(bytes);
    std::memcpy(local.data(), &bound, bytes);
    return local.path();
  }
  asio::ip::tcp::endpoint tcp;
  std::memcpy(tcp.data(), &bound, bytes);
  const std::string host = tcp.address().to_string();
  return (bound.ss_family == AF_INET6 ? "[" + host + "]" : host) + ":" + std::to_string(tcp.port());
}

std::optional<bool> is_local_address(const std::string& address) {
  const auto endpoint = endpoint_of(address);
  if (!endpoint) return std::nullopt;
  if (endpoint->protocol().family() == AF_UNIX) return true;
  asio::ip::tcp::endpoint tcp;
  std::memcpy(tcp.data(), endpoint->data(), endpoint->size());
  return tcp.address().is_loopback();
}

}  // namespace remitod::daemon
