#include "daemon/command_channel.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <csignal>
#include <functional>
#include <map>
#include <utility>

#include "daemon/command_process.h"

namespace remitod::daemon {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;
using std::chrono::seconds;

constexpr seconds rest_first{1}, rest_max{60};
constexpr std::chrono::milliseconds farewell{2'000};
constexpr std::size_t answer_bytes_max = 64 * 1024;

}  // namespace

/// One life of the program. Held by its own waits on pipes and process, so it outlives the channel for as long as those
/// take to be cancelled.
class CommandChannel::Child : public std::enable_shared_from_this<Child> {
 public:
  /// Told once at its end, with whether it has answered for any line. Says for how long the sink rests.
  using Ended = std::function<seconds(bool answered)>;

  Child(AsioRuntime& runtime, CommandProcess process, std::chrono::milliseconds timeout, Ended ended)
      : runtime_(runtime),
        process_(process),
        timeout_(timeout),
        ended_(std::move(ended)),
        input_(runtime.context(), process.input),
        output_(runtime.context(), process.output),
        handle_(runtime.context(), process.handle),
        deadline_(runtime.alarm([this] { out_of_time(); })) {}

  void run() {
    read();
    handle_.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
      if (!error) self->exited();
    });
  }

  void send(SinkMessage message, Done done) {
    unwritten_ += message.body + '\n';
    const Instant until = runtime_.in(timeout_);
    waiting_.insert_or_assign(message.id, Waiting{std::move(done), until});
    if (waiting_.size() == 1) deadline_->set(until);
    write();
  }

  /// Nobody waits for it any more. At a reload nobody runs the context either, so that its end is waited for here: what
  /// stayed would run beside its successor, or be a zombie for as long as the daemon lives.
  void abandon() {
    over_ = true;
    close();
    for (const int signal : {SIGTERM, SIGKILL}) {
      if (exited_) return;
      process_.signal(signal);
      if (process_.ends_within(farewell)) exited();
    }
  }

 private:
  struct Waiting {
    Done done;
    Instant until{};
  };

  void write() {
    if (!writing_.empty() || unwritten_.empty()) return;
    writing_ = std::exchange(unwritten_, {});
    boost::asio::async_write(input_, boost::asio::buffer(writing_),
                             [self = shared_from_this()](const error_code& error, std::size_t) {
                               self->writing_.clear();
                               // A program that reads no more is heard of by its end, or by its silence.
                               if (!error) self->write();
                             });
  }

  void read() {
    boost::asio::async_read_until(output_, boost::asio::dynamic_buffer(read_, answer_bytes_max), '\n',
                                  [self = shared_from_this()](const error_code& error, std::size_t length) {
                                    if (!error) return self->answered(length);
                                    if (error == boost::asio::error::not_found)
                                      self->kill("printed a line of over 64 KiB");
                                    self->said_all_ = true;
                                    self->end_if_over();
                                  });
  }

  void answered(std::size_t length) {
    std::string line = read_.substr(0, length - 1);
    read_.erase(0, length);
    if (line.ends_with('\r')) line.pop_back();
    const auto found = waiting_.find(line);
    if (found != waiting_.end()) {
      answered_ = true;
      Done done = std::move(found->second.done);
      waiting_.erase(found);
      set_deadline();
      done({SinkOutcome::Kind::delivered});
    }
    if (!over_) read();
  }

  void set_deadline() {
    if (waiting_.empty()) return deadline_->cancel();
    deadline_->set(
        std::ranges::min_element(waiting_, {}, [](const auto& one) { return one.second.until; })->second.until);
  }

  void out_of_time() {
    if (exited_) return end();  // its output is held open by a process that left the group
    kill("did not answer for a line in time");
  }

  void kill(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    if (!exited_) process_.signal(SIGKILL);
    deadline_->set(runtime_.in(seconds{1}));
  }

  void exited() {
    if (exited_) return;       // abandon() was quicker
    process_.signal(SIGKILL);  // what it has left behind
    const std::string how = process_.reap();
    exited_ = true;
    if (why_.empty()) why_ = how;
    if (!over_) deadline_->set(runtime_.in(seconds{1}));
    end_if_over();
  }

  void end_if_over() {
    if (exited_ && said_all_) end();
  }

  void end() {
    if (std::exchange(over_, true)) return;
    close();
    const seconds rest = ended_(answered_);
    for (auto& [id, one] : std::exchange(waiting_, {}))
      one.done({SinkOutcome::Kind::failed, "the command " + why_, rest});
  }

  void close() {
    deadline_->cancel();
    for (stream_descriptor* descriptor : {&input_, &output_}) {
      error_code ignored;
      descriptor->close(ignored);
    }
  }

  AsioRuntime& runtime_;
  const CommandProcess process_;
  const std::chrono::milliseconds timeout_;
  const Ended ended_;
  stream_descriptor input_, output_, handle_;
  std::unique_ptr<Alarm> deadline_;
  std::map<std::string, Waiting> waiting_;  ///< by the event's id
  std::string unwritten_, writing_, read_;
  std::string why_;
  bool answered_ = false, said_all_ = false, exited_ = false, over_ = false;
};

CommandChannel::CommandChannel(AsioRuntime& runtime, Settings settings)
    : runtime_(runtime), settings_(std::move(settings)) {}

CommandChannel::~CommandChannel() {
  if (child_) child_->abandon();
}

void CommandChannel::send(SinkMessage message, Done done) {
  if (!child_) {
    auto process = CommandProcess::start(settings_.command);
    if (!process) {
      runtime_.post([done = std::move(done), why = process.error(), rest = ended(false)]() mutable {
        done({SinkOutcome::Kind::failed, why, rest});
      });
      return;
    }
    child_ = std::make_shared<Child>(runtime_, *process, settings_.timeout,
                                     [this](bool answered) { return ended(answered); });
    child_->run();
  }
  child_->send(std::move(message), std::move(done));
}

std::chrono::seconds CommandChannel::ended(bool answered) {
  child_.reset();
  ends_in_row_ = answered ? 0 : ends_in_row_ + 1;
  return std::min(rest_max, rest_first * (1 << std::min(std::max(ends_in_row_ - 1, 0), 6)));
}

}  // namespace remitod::daemon
