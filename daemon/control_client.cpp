#include "daemon/control_client.h"

#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <cerrno>

namespace remitod::daemon {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

using Protocol = asio::local::stream_protocol;
using std::chrono::milliseconds;

/// The group that may open the socket, where we may see as much.
std::string group_of(const std::string& socket_path) {
  struct stat file{};
  if (::stat(socket_path.c_str(), &file) != 0) return "that may open it";
  const group* const found = ::getgrgid(file.st_gid);
  return found ? found->gr_name : std::to_string(file.st_gid);
}

/// A daemon whose queue of connections is full is waited for as well.
beast::error_code connect(Protocol::socket& socket, const std::string& path, milliseconds patience) {
  beast::error_code error;
  socket.open(Protocol{}, error);
  if (error) return error;
  const timeval limit{patience.count() / 1000, patience.count() % 1000 * 1000};
  const Protocol::endpoint there(path);
  if (::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
      ::connect(socket.native_handle(), there.data(), static_cast<socklen_t>(there.size())) != 0)
    return {errno == EAGAIN ? ETIMEDOUT : errno, boost::system::system_category()};
  socket.non_blocking(true, error);
  return error;
}

/// Repeats a step that does what can be done now, until it is done.
template <class IsDone, class Step>
beast::error_code go_through(Protocol::socket& socket, short events, milliseconds patience, IsDone is_done, Step step) {
  beast::error_code error;
  while (!is_done()) {
    step(error);
    if (error == asio::error::would_block) {
      pollfd ready{socket.native_handle(), events, 0};
      const int found = ::poll(&ready, 1, static_cast<int>(patience.count()));
      if (found == 0) return asio::error::timed_out;
      if (found < 0 && errno != EINTR) return {errno, boost::system::system_category()};
    } else if (error) {
      return error;
    }
  }
  return {};
}

NoAnswer not_connected(const std::string& path, const beast::error_code& error) {
  using Why = NoAnswer::Why;
  if (error == beast::errc::permission_denied || error == beast::errc::operation_not_permitted)
    return {"you may not open " + path + ": be root or in the group " + group_of(path), Why::not_allowed};
  const bool nobody = error == beast::errc::no_such_file_or_directory || error == beast::errc::connection_refused;
  return {"no daemon answers on " + path + ": " + error.message(), nobody ? Why::nobody : Why::cut_off};
}

/// After the connection was made.
NoAnswer broken_off(const std::string& path, const beast::error_code& error, const std::string& method,
                    milliseconds patience) {
  const bool is_silent = error == asio::error::timed_out;
  std::string message = is_silent ? "the daemon on " + path + " has said nothing for " +
                                        std::to_string(std::chrono::ceil<std::chrono::seconds>(patience).count()) + " s"
                                  : "no answer from " + path + ": " + error.message();
  if (method != "GET") message += "; whether it has done it, or is still about to, is not known";
  return {std::move(message), is_silent ? NoAnswer::Why::silent : NoAnswer::Why::cut_off};
}

}  // namespace

std::expected<ControlAnswer, NoAnswer> call_control(const std::string& socket_path, const std::string& method,
                                                    const std::string& target, const std::string& body,
                                                    milliseconds patience) {
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path))
    return std::unexpected(NoAnswer{"path too long: " + socket_path, NoAnswer::Why::nobody});
  asio::io_context context;
  Protocol::socket socket(context);
  beast::error_code error = connect(socket, socket_path, patience);
  if (error == asio::error::timed_out) return std::unexpected(broken_off(socket_path, error, "GET", patience));
  if (error) return std::unexpected(not_connected(socket_path, error));

  http::request<http::string_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, "remitod");
  request.set(http::field::content_type, "application/json");
  request.keep_alive(false);
  request.body() = body;
  request.prepare_payload();
  http::request_serializer<http::string_body> serializer(request);
  error = go_through(
      socket, POLLOUT, patience, [&] { return serializer.is_done(); },
      [&](beast::error_code& failed) { http::write_some(socket, serializer, failed); });
  if (error) return std::unexpected(broken_off(socket_path, error, method, patience));

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(256u << 20);
  error = go_through(
      socket, POLLIN, patience, [&] { return parser.is_done(); },
      [&](beast::error_code& failed) { http::read_some(socket, buffer, parser, failed); });
  if (error) return std::unexpected(broken_off(socket_path, error, method, patience));
  return ControlAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

std::string query_value(std::string_view text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

}  // namespace remitod::daemon
