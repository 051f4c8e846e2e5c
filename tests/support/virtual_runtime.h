// The deciding thread on a virtual clock: days pass in milliseconds, and the same test takes the same turns every time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "daemon/runtime.h"

namespace remitod::test {

/// Time stands still while anything is queued, and then jumps to the next deadline. Deadlines of one moment ring in the
/// order in which they were set. Single-threaded: `post` is for the thread that runs it. Outlives its alarms.
class VirtualRuntime final : public daemon::Runtime {
 public:
  explicit VirtualRuntime(Instant start) : now_(start) {}

  Instant now() const override { return now_; }
  Instant in(std::chrono::microseconds wall_time) const override { return now_ + wall_time; }
  std::unique_ptr<daemon::Alarm> alarm(Task ring) override;
  void post(Task task) override { queue_.push_back(std::move(task)); }

  /// Runs the task at that moment, or now if it has passed.
  void at(Instant moment, Task task);
  void after(std::chrono::microseconds pause, Task task) { at(now_ + pause, std::move(task)); }

  /// All that is queued and all that falls due up to `end`; then it is `end`. Throws if a moment never comes to its
  /// end.
  void run_until(Instant end);
  void run_for(std::chrono::microseconds time) { run_until(now_ + time); }
  /// What is queued, and what is due at this very moment.
  void run_queued() { run_until(now_); }
  /// Until `done()`, but not past `latest`; whether it came true.
  template <class Condition>
  bool run_until_true(Condition&& done, Instant latest) {
    while (!done())
      if (!turn(latest)) return false;
    return true;
  }

 private:
  class VirtualAlarm;
  using Key = std::pair<Instant, std::uint64_t>;
  Key schedule(Instant moment, Task ring);
  /// One task; false when there is none up to `end`.
  bool turn(Instant end);

  Instant now_;
  std::deque<Task> queue_;
  std::map<Key, Task> deadlines_;
  std::uint64_t scheduled_ = 0;
  std::size_t turns_of_this_moment_ = 0;
};

/// Work off the deciding thread, without a thread: done at once, its result queued.
class VirtualOffload final : public daemon::Offload {
 public:
  explicit VirtualOffload(daemon::Runtime& runtime) : runtime_(runtime) {}
  void run(Work work) override {
    ++works_;
    runtime_.post(work());
  }
  std::size_t works() const { return works_; }

 private:
  daemon::Runtime& runtime_;
  std::size_t works_ = 0;
};

}  // namespace remitod::test
