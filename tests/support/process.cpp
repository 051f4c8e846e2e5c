#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>

#include "tests/support/paths.h"

extern "C" {  // which the header of glibc 2.36 leaves out
#include <sys/pidfd.h>
}

namespace remitod::test {

Process::Process(const std::vector<std::string>& command, const Outputs& outputs) {
  // setpriv becomes the program itself: same pid.
  std::vector<std::string> whole{"setpriv", "--pdeathsig=KILL"};
  whole.insert(whole.end(), command.begin(), command.end());
  std::vector<char*> arguments;
  for (std::string& argument : whole) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int append = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputs.out.c_str(), append, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, outputs.err.c_str(), append, 0600);
  const int error = ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + command.at(0));
  handle_ = ::pidfd_open(pid_, 0);
  if (handle_ < 0) throw std::runtime_error("no handle of process " + std::to_string(pid_));
}

Process::~Process() {
  if (running()) {
    signal(SIGKILL);
    wait();
  }
  ::close(handle_);
}

void Process::signal(int number) const {
  // By handle: a pid may long be another process's.
  ::pidfd_send_signal(handle_, number, nullptr, 0);
}

std::optional<int> Process::wait(std::chrono::milliseconds at_most) {
  if (ended_) return ended_;
  pollfd polled{handle_, POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&polled, 1, static_cast<int>(at_most.count()))) < 0 && errno == EINTR) {
  }
  if (ready <= 0) return std::nullopt;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return ended_;
}

Finished run_to_end(const std::vector<std::string>& command) {
  const TemporaryFolder folder;
  const Process::Outputs outputs{folder.path() / "out", folder.path() / "err"};
  Finished finished;
  {
    Process process(command, outputs);
    if (!process.wait()) process.signal(SIGKILL);
    finished.exit_code = process.wait().value_or(-1);
  }
  finished.out = read_file(outputs.out);
  finished.err = read_file(outputs.err);
  return finished;
}

}  // namespace remitod::test
