// Starts a program with pipes to its standard input and output. Linux only.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <string>
#include <vector>

namespace remitod::daemon {

/// A program in a process group of its own, with default signals and no descriptor of ours but its pipes. The caller
/// closes the three descriptors and reaps the process.
struct CommandProcess {
  pid_t pid = -1;
  int handle = -1;  ///< becomes readable when the process ends (pidfd)
  int input = -1;   ///< to write
  int output = -1;  ///< to read

  /// command[0] is a path or is looked for in PATH. The error says why it could not be started.
  static std::expected<CommandProcess, std::string> start(const std::vector<std::string>& command);
  /// To the whole group; before the process is reaped.
  void signal(int number) const;
  /// Whether it ends within that time; waits for it.
  bool ends_within(std::chrono::milliseconds time) const;
  /// Once `handle` is readable: how it ended, as a phrase.
  std::string reap() const;
};

}  // namespace remitod::daemon
