#include "daemon/control_client.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

namespace remitod::daemon {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

std::expected<ControlAnswer, std::string> call_control(const std::string& socket_path, const std::string& method,
                                                       const std::string& target, const std::string& body) {
  beast::error_code error;
  const auto failed = [&](std::string_view what) {
    return std::unexpected(std::string(what) + " " + socket_path + ": " + error.message());
  };
  asio::io_context context;
  asio::local::stream_protocol::socket socket(context);
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path)) return std::unexpected("path too long: " + socket_path);
  if (socket.connect({socket_path}, error); error) return failed("no daemon answers on");

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
