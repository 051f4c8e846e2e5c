#include "daemon/command_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

extern "C" {  // which the header of glibc 2.36 leaves out
#include <sys/pidfd.h>
}

namespace remitod::daemon {
namespace {

/// Closed at the end of its scope, unless it was released.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

struct Pipe {
  Descriptor read, write;
};

std::unexpected<std::string> failure(const std::string& what, int error) {
  return std::unexpected(what + ": " + std::strerror(error));
}

std::expected<Pipe, std::string> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("no pipe", errno);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

/// What the program begins with.
class SpawnSetting {
 public:
  SpawnSetting(int input, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setsigmask(&attributes_, &none);
  }
  ~SpawnSetting() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetting(const SpawnSetting&) = delete;
  SpawnSetting& operator=(const SpawnSetting&) = delete;
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

std::expected<CommandProcess, std::string> CommandProcess::start(const std::vector<std::string>& command) {
  auto input = make_pipe(), output = make_pipe();
  if (!input) return std::unexpected(input.error());
  if (!output) return std::unexpected(output.error());
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const SpawnSetting setting(input->read.get(), output->write.get());
  CommandProcess process;
  if (const int error = ::posix_spawnp(&process.pid, arguments[0], setting.actions(), setting.attributes(),
                                       arguments.data(), environ);
      error != 0)
    return failure("cannot start " + command.at(0), error);
  process.handle = ::pidfd_open(process.pid, 0);
  if (process.handle < 0) {
    const int error = errno;
    process.signal(SIGKILL);
    ::waitpid(process.pid, nullptr, 0);
    return failure("no handle of " + command.at(0), error);
  }
  process.input = input->write.release();
  process.output = output->read.release();
  return process;
}

void CommandProcess::signal(int number) const {
  ::kill(-pid, number);
}

bool CommandProcess::ends_within(std::chrono::milliseconds time) const {
  pollfd ended{.fd = handle, .events = POLLIN, .revents = 0};
  int ends = 0;
  do ends = ::poll(&ended, 1, static_cast<int>(time.count()));
  while (ends < 0 && errno == EINTR);
  return ends > 0;
}

std::string CommandProcess::reap() const {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace remitod::daemon
