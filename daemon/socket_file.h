// The file of a Unix socket: whether one can be had at a path, and whose it is at the end. A lock of the database says
// nothing of that: daemons of two databases may name the same path.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace remitod::daemon {

/// What the path itself has against a socket: it is empty, or longer than the system allows. Empty: nothing.
std::string socket_path_problem(const std::string& path);

/// Who has the path already: somebody who listens there, or a file that is no socket. Empty: nobody; a socket whose
/// process is gone is nobody. Asks by a connection that says nothing; changes nothing.
std::string socket_path_taken(const std::string& path);

/// The file of a socket that was bound: taken away by whoever made it, and by nobody else.
class SocketFile {
 public:
  SocketFile() = default;
  /// Of a socket that has just been bound there.
  explicit SocketFile(std::string path);
  ~SocketFile() { remove(); }
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;

  /// Removes the file, unless another has come to stand in its place. Before the socket is closed: as long as it is
  /// open, nobody else's file can have the same number.
  void remove();

 private:
  struct Identity {
    dev_t device;
    ino_t number;
    bool operator==(const Identity&) const = default;
  };
  static std::optional<Identity> identity(const std::string& path);

  std::string path_;
  std::optional<Identity> identity_;  ///< none: there is nothing to remove
};

}  // namespace remitod::daemon
