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

constexpr mode_t rights = 0660;

/// Of a path that is short enough (socket_path_problem).
sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

/// The error of a connection there; 0: somebody listens. Not a blocking one: a daemon that hangs listens too, with a
/// queue that is full (EAGAIN).
int error_of_connecting(const std::string& path) {
  const sockaddr_un address = address_of(path);
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
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return "a socket's path of " + std::to_string(path.size()) + " bytes is longer than the system allows (" +
           std::to_string(sizeof(sockaddr_un::sun_path) - 1) + "): " + path;
  struct stat file{};
  const bool is_other = ::lstat(path.c_str(), &file) == 0 && !S_ISSOCK(file.st_mode);
  return is_other ? path + " is there already, and is no socket" : "";
}

std::string socket_path_taken(const std::string& path) {
  if (std::string problem = socket_path_problem(path); !problem.empty()) return problem;
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return {};
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

bool SocketFile::is_at(const std::string& path) const {
  struct stat file{};
  return identity_ && ::stat(path.c_str(), &file) == 0 && Identity{file.st_dev, file.st_ino} == *identity_;
}

std::optional<SocketFile::Identity> SocketFile::identity(const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return std::nullopt;
  return Identity{file.st_dev, file.st_ino};
}

std::expected<ListeningSocket, std::string> ListeningSocket::open(const std::string& path) {
  if (std::string taken = socket_path_taken(path); !taken.empty()) return std::unexpected(std::move(taken));
  const auto failed = [&path](int error) {
    return std::unexpected("cannot listen on " + path + ": " + std::generic_category().message(error));
  };
  ListeningSocket opened(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int listener = opened.descriptor_;
  if (listener < 0) return failed(errno);
  ::unlink(path.c_str());  // of a process that is gone, if it is there
  const sockaddr_un address = address_of(path);
  // The file is born with the rights of the socket, less those that the umask takes: the group may get its own back.
  if (::fchmod(listener, rights) != 0 ||
      ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failed(errno);
  opened.file_ = SocketFile(path);
  if (::chmod(path.c_str(), rights) != 0 || ::listen(listener, SOMAXCONN) != 0) return failed(errno);
  return opened;
}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  if (this == &other) return *this;
  close();
  descriptor_ = std::exchange(other.descriptor_, -1);
  file_ = std::move(other.file_);
  return *this;
}

void ListeningSocket::close() {
  file_.remove();
  if (const int open = std::exchange(descriptor_, -1); open >= 0) ::close(open);
}

}  // namespace remitod::daemon
