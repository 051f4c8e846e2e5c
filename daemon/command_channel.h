// Transitions to a program: one line of JSON each on its standard input, and it says on its standard output which it
// has taken, by a line with the event's id. A line that was merely written may still be lost with the program, so only
// that counts. Whatever else it prints is passed over; its standard error is ours.
//
// The program runs as long as the daemon does. When it ends, or does not answer for a line within the time limit (and
// is killed), all lines that it has not answered for have failed, and the sink rests before it is started again: 1 s,
// and twice as long after each further time without an answer, up to a minute.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "daemon/asio_runtime.h"
#include "daemon/sink_channel.h"

namespace remitod::daemon {

class CommandChannel final : public SinkChannel {
 public:
  struct Settings {
    std::vector<std::string> command;  ///< the program, found in PATH or by its path, and its arguments; no shell
    std::chrono::milliseconds timeout{30'000};  ///< for one line
  };
  /// The process that owns this ignores SIGPIPE.
  CommandChannel(AsioRuntime& runtime, Settings settings);
  /// Closes the program's input and sends it SIGTERM, with all that it started; after two seconds SIGKILL. Waits for
  /// its end.
  ~CommandChannel() override;
  void send(SinkMessage message, Done done) override;

 private:
  class Child;
  /// For how long to leave it alone.
  std::chrono::seconds ended(bool answered);

  AsioRuntime& runtime_;
  const Settings settings_;
  std::shared_ptr<Child> child_;  ///< none until the first line, and after the last one's end
  int ends_in_row_ = 0;           ///< without an answer in between
};

}  // namespace remitod::daemon
