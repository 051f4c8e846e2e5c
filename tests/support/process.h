// Programs as a test runs them: started with arguments, watched by pid, never left behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace remitod::test {

/// A child process with its outputs in files. Killed by the destructor, and by the kernel when the test dies.
class Process {
 public:
  struct Outputs {
    std::filesystem::path out;  ///< appended to
    std::filesystem::path err;  ///< likewise
  };
  /// command[0] is a path or is looked for in PATH. Throws std::runtime_error where it cannot be started.
  Process(const std::vector<std::string>& command, const Outputs& outputs);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// The exit code, or minus the signal that ended it; nothing: it still runs after that time.
  std::optional<int> wait(std::chrono::milliseconds at_most = std::chrono::minutes{1});
  bool running() { return !wait(std::chrono::milliseconds{0}); }

 private:
  pid_t pid_ = -1;
  int handle_ = -1;  ///< becomes readable when the process ends
  std::optional<int> ended_;
};

struct Finished {
  int exit_code = -1;  ///< or minus the signal
  std::string out;
  std::string err;
};
/// Runs a program to its end; one that does not end within a minute is killed.
Finished run_to_end(const std::vector<std::string>& command);

/// Looks every 10 ms whether it has come true; false when it has not within `at_most`.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds at_most = std::chrono::minutes{1}) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return true;
}

}  // namespace remitod::test
