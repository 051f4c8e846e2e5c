#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace remitod::test {
namespace {

template <class Address>
int connected(int family, const Address& address) {
  const int handle = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (handle >= 0 && ::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return handle;
  const std::string reason = std::strerror(errno);
  if (handle >= 0) ::close(handle);
  throw std::runtime_error("connect: " + reason);
}

int connected(const std::string& address) {
  if (address.starts_with('/')) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    address.copy(local.sun_path, sizeof local.sun_path - 1);
    return connected(AF_UNIX, local);
  }
  const std::size_t colon = address.rfind(':');
  sockaddr_in tcp{};
  tcp.sin_family = AF_INET;
  tcp.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  if (::inet_pton(AF_INET, address.substr(0, colon).c_str(), &tcp.sin_addr) != 1)
    throw std::runtime_error("no address: " + address);
  return connected(AF_INET, tcp);
}

}  // namespace

RawClient::RawClient(const std::string& address) : socket_(connected(address)) {}

RawClient::RawClient(RawClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
RawClient& RawClient::operator=(RawClient&& other) noexcept {
  std::swap(socket_, other.socket_);
  return *this;
}

RawClient::~RawClient() {
  if (socket_ >= 0) ::close(socket_);
}

bool RawClient::say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string RawClient::hear() {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

std::string RawClient::hear_until(std::string_view end) {
  std::string text;
  for (char byte; text.find(end) == std::string::npos && ::recv(socket_, &byte, 1, 0) == 1;) text += byte;
  return text;
}

}  // namespace remitod::test
