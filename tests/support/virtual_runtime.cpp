#include "tests/support/virtual_runtime.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

namespace remitod::test {
namespace {
// So many tasks without time moving on are a loop that feeds itself.
constexpr std::size_t turns_per_moment_max = 10'000'000;
constexpr std::chrono::minutes longest_sleep{1};
}  // namespace

class VirtualRuntime::VirtualAlarm final : public daemon::Alarm {
 public:
  VirtualAlarm(VirtualRuntime& runtime, Task ring)
      : runtime_(runtime), ring_(std::make_shared<Task>(std::move(ring))) {}
  ~VirtualAlarm() override { cancel(); }
  VirtualAlarm(const VirtualAlarm&) = delete;
  VirtualAlarm& operator=(const VirtualAlarm&) = delete;

  void set(Instant at) override {
    at_ = at;
    ring_at(at - runtime_.clock_error_);
  }
  void cancel() override {
    if (key_) runtime_.deadlines_.erase(*key_);
    key_.reset();
  }
  void clock_was_set() {
    const Instant moment = at_ - runtime_.clock_error_, noticed = runtime_.true_now_ + longest_sleep;
    const bool set_back = moment > key_->first;
    ring_at(set_back ? std::min(key_->first, noticed) : std::max(moment, std::min(key_->first, noticed)));
  }

 private:
  void ring_at(Instant moment) {
    cancel();
    // The task holds what it runs, for an alarm may be destroyed by its own ring.
    key_ = runtime_.schedule(moment, {[this, ring = ring_] {
                                        key_.reset();
                                        (*ring)();
                                      },
                                      this});
  }

  VirtualRuntime& runtime_;
  std::shared_ptr<Task> ring_;
  Instant at_{};  ///< by the daemon's clock
  std::optional<Key> key_;
};

std::unique_ptr<daemon::Alarm> VirtualRuntime::alarm(Task ring) {
  return std::make_unique<VirtualAlarm>(*this, std::move(ring));
}

VirtualRuntime::Key VirtualRuntime::schedule(Instant moment, Deadline deadline) {
  const Key key{moment, ++scheduled_};
  deadlines_.emplace(key, std::move(deadline));
  return key;
}

void VirtualRuntime::at(Instant moment, Task task) {
  schedule(moment, {std::move(task)});
}

void VirtualRuntime::set_clock_error(std::chrono::microseconds error) {
  clock_error_ = error;
  std::vector<VirtualAlarm*> alarms;
  for (const auto& [key, deadline] : deadlines_)
    if (deadline.alarm) alarms.push_back(deadline.alarm);
  for (VirtualAlarm* const alarm : alarms) alarm->clock_was_set();
}

bool VirtualRuntime::turn(Instant end) {
  Task task;
  if (!queue_.empty()) {
    task = std::move(queue_.front());
    queue_.pop_front();
  } else if (!deadlines_.empty() && deadlines_.begin()->first.first <= end) {
    auto next = deadlines_.extract(deadlines_.begin());
    task = std::move(next.mapped().ring);
    if (next.key().first > true_now_) {
      true_now_ = next.key().first;
      turns_of_this_moment_ = 0;
    }
  } else {
    return false;
  }
  if (++turns_of_this_moment_ > turns_per_moment_max)
    throw std::runtime_error("the clock stands still at " + to_iso8601(true_now_));
  task();
  return true;
}

void VirtualRuntime::run_until(Instant end) {
  while (turn(end)) {
  }
  true_now_ = std::max(true_now_, end);
}

}  // namespace remitod::test
