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
///
/// now() is the true time as long as nobody sets the daemon's clock wrong; what a test asks for (at, after, run_*) is
/// always true time.
class VirtualRuntime final : public daemon::Runtime {
 public:
  /// `time_scale` as in the configuration: what the daemon does by the wall's clock takes so much longer in its time.
  explicit VirtualRuntime(Instant start, double time_scale = 1) : true_now_(start), time_scale_(time_scale) {}

  Instant now() const override { return true_now_ + clock_error_; }
  std::chrono::microseconds steady() const override { return true_now_.time_since_epoch(); }
  Instant in(std::chrono::microseconds wall_time) const override {
    return now() +
           std::chrono::microseconds{static_cast<std::int64_t>(static_cast<double>(wall_time.count()) * time_scale_)};
  }
  std::unique_ptr<daemon::Alarm> alarm(Task ring) override;
  void post(Task task) override { queue_.push_back(std::move(task)); }

  Instant true_now() const { return true_now_; }
  /// Somebody sets the daemon's clock: it is wrong by so much from now on. Alarms ring by the clock that was set, but
  /// that is noticed within a minute only, as by daemon/asio_runtime: what is due by it at once rings then, and all
  /// that a clock which was set back would have put off.
  void set_clock_error(std::chrono::microseconds error);
  std::chrono::microseconds clock_error() const { return clock_error_; }

  /// Runs the task at that moment, or now if it has passed.
  void at(Instant moment, Task task);
  void after(std::chrono::microseconds pause, Task task) { at(true_now_ + pause, std::move(task)); }

  /// All that is queued and all that falls due up to `end`; then it is `end`. Throws if a moment never comes to its
  /// end.
  void run_until(Instant end);
  void run_for(std::chrono::microseconds time) { run_until(true_now_ + time); }
  /// What is queued, and what is due at this very moment.
  void run_queued() { run_until(true_now_); }
  /// One task; false when there is none up to `end`.
  bool turn(Instant end);
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
  struct Deadline {
    Task ring;
    VirtualAlarm* alarm = nullptr;  ///< null: not the daemon's
  };
  Key schedule(Instant moment, Deadline deadline);

  Instant true_now_;
  double time_scale_;
  std::chrono::microseconds clock_error_{0};
  std::deque<Task> queue_;
  std::map<Key, Deadline> deadlines_;
  std::uint64_t scheduled_ = 0;
  std::size_t turns_of_this_moment_ = 0;
};

/// Work off the deciding thread, without a thread: done at once, its result queued.
class VirtualOffload final : public daemon::Offload {
 public:
  explicit VirtualOffload(daemon::Runtime& runtime) : runtime_(runtime) {}
  void run(std::string_view, Work work) override {
    ++works_;
    runtime_.post(work());
  }
  std::size_t works() const { return works_; }

 private:
  daemon::Runtime& runtime_;
  std::size_t works_ = 0;
};

}  // namespace remitod::test
