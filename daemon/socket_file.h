// The file of a Unix socket: whether one can be had at a path, who listens there, and whose it is at the end. A lock of
// the database says nothing of that: daemons of two databases may name the same path.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <utility>

namespace remitod::daemon {

/// Why no socket of anybody's can be at the path: it is empty, longer than the system allows, or a file that is none.
/// Empty: nothing is wrong with it.
std::string socket_path_problem(const std::string& path);

/// The same, or who has the path already: somebody who listens there. Empty: nobody; a socket whose process is gone is
/// nobody. Asks by a connection that says nothing; changes nothing.
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
  /// Whether the path leads to it, however that is spelled. Not where it was taken away.
  bool is_at(const std::string& path) const;

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

/// A socket that listens at a path. Whoever takes connections from it works on a copy of the descriptor and may end
/// before it: who comes meanwhile waits, and nobody else can have the path.
class ListeningSocket {
 public:
  /// Replaces a file that an earlier process left behind; refuses where somebody listens. The service's user and group
  /// may open it, nobody else for not even a moment. The error says what is wrong with the path.
  static std::expected<ListeningSocket, std::string> open(const std::string& path);
  ~ListeningSocket() { close(); }
  ListeningSocket(ListeningSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), file_(std::move(other.file_)) {}
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;

  int descriptor() const { return descriptor_; }
  bool is_at(const std::string& path) const { return file_.is_at(path); }

 private:
  explicit ListeningSocket(int descriptor) : descriptor_(descriptor) {}
  void close();

  int descriptor_;  ///< none: -1
  SocketFile file_;
};

}  // namespace remitod::daemon
