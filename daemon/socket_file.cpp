#include "daemon/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace remitod::daemon {
namespace {

/// The error of a connection there; 0: somebody listens. Not a blocking one: a daemon that hangs listens too, with a
/// queue that is full (EAGAIN).
int error_of_connecting(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int asking = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (asking < 0) return errno;
  const int result = ::connect(asking, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = result == 0 ? 0 : errno;
  ::close(asking);
  return error;
}

}  // namespace

std::string socket_path_problem(const std::string& path) {
  if (path.empty()) return "the path of a socket must not be empty";
  if (path.size() < sizeof(sockaddr_un::sun_path)) return {};
  return "a socket's path of " + std::to_string(path.size()) + " bytes is longer than the system allows (" +
         std::to_string(sizeof(sockaddr_un::sun_path) - 1) + "): " + path;
}

std::string socket_path_taken(const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return {};
  if (!S_ISSOCK(file.st_mode)) return path + " is there already, and is no socket";
  switch (const int error = error_of_connecting(path)) {
    case ECONNREFUSED:
    case ENOENT:
      return {};
    case 0:
    case EAGAIN:
      return "another daemon listens on " + path + ": each wants a path of its own";
    default:
      return "cannot tell whether another daemon listens on " + path + " (" + std::generic_category().message(error) +
             "); if none does, remove it";
  }
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)), identity_(identity(path_)) {}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::move(other.path_)), identity_(std::exchange(other.identity_, {})) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  path_ = std::move(other.path_);
  identity_ = std::exchange(other.identity_, {});
  return *this;
}

void SocketFile::remove() {
  const std::optional<Identity> ours = std::exchange(identity_, {});
  if (ours && identity(path_) == ours) ::unlink(path_.c_str());
}

std::optional<SocketFile::Identity> SocketFile::identity(const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return std::nullopt;
  return Identity{file.st_dev, file.st_ino};
}

}  // namespace remitod::daemon
