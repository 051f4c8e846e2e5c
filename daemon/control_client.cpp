#include "daemon/control_client.h"

#include <grp.h>
#include <sys/stat.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

namespace remitod::daemon {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

/// The group that may open the socket, where we may see as much.
std::string group_of(const std::string& socket_path) {
  struct stat file{};
  if (::stat(socket_path.c_str(), &file) != 0) return "that may open it";
  const group* const found = ::getgrgid(file.st_gid);
  return found ? found->gr_name : std::to_string(file.st_gid);
}

NoAnswer not_allowed(const std::string& socket_path) {
  return {"you may not open " + socket_path + ": be root or in the group " + group_of(socket_path), true};
}

}  // namespace

std::expected<ControlAnswer, NoAnswer> call_control(const std::string& socket_path, const std::string& method,
                                                    const std::string& target, const std::string& body) {
  beast::error_code error;
  const auto failed = [&](std::string_view what) {
    return std::unexpected(NoAnswer{std::string(what) + " " + socket_path + ": " + error.message()});
  };
  asio::io_context context;
  asio::local::stream_protocol::socket socket(context);
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path))
    return std::unexpected(NoAnswer{"path too long: " + socket_path});
  socket.connect({socket_path}, error);
  if (error == beast::errc::permission_denied || error == beast::errc::operation_not_permitted)
    return std::unexpected(not_allowed(socket_path));
  if (error) return failed("no daemon answers on");

  http::request<http::string_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, "remitod");
  request.set(http::field::content_type, "application/json");
  request.keep_alive(false);
  request.body() = body;
  request.prepare_payload();
  if (http::write(socket, request, error); error) return failed("cannot ask");

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(256u << 20);
  if (http::read(socket, buffer, parser, error); error) return failed("no answer from");
  return ControlAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

bool daemon_listens(const std::string& socket_path) {
  beast::error_code error;
  asio::io_context context;
  asio::local::stream_protocol::socket socket(context);
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path)) return false;
  socket.connect({socket_path}, error);
  return error != beast::errc::no_such_file_or_directory && error != beast::errc::connection_refused;
}

std::string query_value(std::string_view text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

}  // namespace remitod::daemon
