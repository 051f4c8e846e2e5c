#include "daemon/control_server.h"

#include <fcntl.h>
#include <unistd.h>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>

#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "daemon/guests.h"
#include "daemon/log.h"

namespace remitod::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = asio::local::stream_protocol;
using Stream = beast::basic_stream<Protocol>;

constexpr std::size_t body_bytes_max = 512 * 1024;  // a remito request with the largest payload
constexpr std::uint32_t head_bytes_max = 16 * 1024;
// After a failure to accept (no descriptors left, mostly): the same at once would fail again.
constexpr std::chrono::seconds accept_pause{1};

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Others = std::shared_ptr<Guests<Session>>;

  Session(Protocol::socket socket, Others others, const ControlServer::Handler& handler,
          std::chrono::milliseconds patience)
      : others_(std::move(others)), stream_(std::move(socket)), handler_(handler), patience_(patience) {
    others_->came(*this);
  }
  ~Session() { others_->went(*this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace();
    parser_->body_limit(body_bytes_max);
    parser_->header_limit(head_bytes_max);
    stream_.expires_after(patience_);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](const beast::error_code& error, std::size_t) { self->answer(error); });
  }
  void hang_up() { stream_.close(); }
  /// Between two requests. Who has not asked yet has come to ask.
  bool idle() { return served_ && !parser_->got_some() && is_quiet(buffer_, stream_); }

 private:
  void answer(const beast::error_code& error) {
    served_ = false;
    if (error) return;  // gone, too slow or too large: nothing to say to them
    stream_.expires_never();
    const auto& message = parser_->get();
    const auto target = boost::urls::parse_origin_form(message.target());
    if (!target) return write(message.version(), false, {400, R"({"error":"the request target is no path"})"});
    ControlRequest request{std::string(message.method_string()), std::string(target->path()), {}, message.body()};
    for (const auto& parameter : target->params()) request.query.emplace(parameter.key, parameter.value);
    const bool keep = message.keep_alive();
    handler_(std::move(request), [self = shared_from_this(), version = message.version(), keep](ControlAnswer answer) {
      self->write(version, keep, std::move(answer));
    });
  }

  void write(unsigned version, bool wants_more, ControlAnswer answer) {
    const bool keep = wants_more && !others_->leaving();
    response_ = http::response<http::string_body>(static_cast<http::status>(answer.status), version);
    response_.set(http::field::content_type, "application/json");
    response_.body() = std::move(answer.body);
    response_.keep_alive(keep);
    response_.prepare_payload();
    stream_.expires_after(patience_);
    http::async_write(stream_, response_,
                      [self = shared_from_this(), keep](const beast::error_code& error, std::size_t) {
                        self->served_ = true;
                        const bool is_over = self->others_->leaving() && is_quiet(self->buffer_, self->stream_);
                        if (!error && keep && !is_over) self->read();
                      });
  }

  Others others_;
  Stream stream_;
  ControlServer::Handler handler_;
  std::chrono::milliseconds patience_;
  /// Bounded, since the parser counts neither the extensions of chunks nor what follows the last one.
  beast::flat_buffer buffer_{head_bytes_max + body_bytes_max};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  bool served_ = false;  ///< it has had its answer, and has not asked again
};

class Listener final : public ControlServer {
 public:
  Listener(asio::io_context& context, Handler handler, std::chrono::milliseconds patience)
      : acceptor_(context), pause_(context), leave_time_(context), handler_(std::move(handler)), patience_(patience) {}
  ~Listener() override {
    close();
    guests_->forget();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  beast::error_code adopt(int listener) {
    beast::error_code error;
    const int copy = ::fcntl(listener, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return {errno, boost::system::system_category()};
    acceptor_.assign(Protocol{}, copy, error);
    if (error)
      ::close(copy);
    else
      accept();
    return error;
  }

  void take_leave(std::function<void()> then) override {
    close();
    leave_time_.expires_after(leave_taking);
    leave_time_.async_wait([guests = guests_](const beast::error_code& cancelled) {
      if (!cancelled) guests->hurry();
    });
    guests_->take_leave(std::move(then));
  }

 private:
  void close() {
    beast::error_code ignored;
    acceptor_.close(ignored);
  }

  void accept() {
    acceptor_.async_accept([this](const beast::error_code& error, Protocol::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later(error);
      std::make_shared<Session>(std::move(socket), guests_, handler_, patience_)->read();
      if (!guests_->leaving()) accept();
    });
  }

  void accept_later(const beast::error_code& error) {
    log(Level::warning, "control_accept_failed", {{"error", error.message()}});
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](const beast::error_code& cancelled) {
      if (!cancelled && !guests_->leaving()) accept();
    });
  }

  Protocol::acceptor acceptor_;
  asio::steady_timer pause_, leave_time_;
  std::shared_ptr<Guests<Session>> guests_ = std::make_shared<Guests<Session>>();
  Handler handler_;
  std::chrono::milliseconds patience_;
};

}  // namespace

std::expected<std::unique_ptr<ControlServer>, std::string> ControlServer::adopt(asio::io_context& context, int listener,
                                                                                Handler handler,
                                                                                std::chrono::milliseconds patience) {
  auto server = std::make_unique<Listener>(context, std::move(handler), patience);
  if (const beast::error_code error = server->adopt(listener))
    return std::unexpected("cannot take connections from the control socket: " + error.message());
  return server;
}

}  // namespace remitod::daemon
