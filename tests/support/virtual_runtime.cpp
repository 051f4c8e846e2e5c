#include "tests/support/virtual_runtime.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace remitod::test {
namespace {
// So many tasks without time moving on are a loop that feeds itself.
constexpr std::size_t turns_per_moment_max = 10'000'000;
}  // namespace

class VirtualRuntime::VirtualAlarm final : public daemon::Alarm {
 public:
  VirtualAlarm(VirtualRuntime& runtime, Task ring)
      : runtime_(runtime), ring_(std::make_shared<Task>(std::move(ring))) {}
  ~VirtualAlarm() override { cancel(); }
  VirtualAlarm(const VirtualAlarm&) = delete;
  VirtualAlarm& operator=(const VirtualAlarm&) = delete;

  void set(Instant at) override {
    cancel();
    // The task holds what it runs, for an alarm may be destroyed by its own ring.
    key_ = runtime_.schedule(at, [this, ring = ring_] {
      key_.reset();
      (*ring)();
    });
  }
  void cancel() override {
    if (key_) runtime_.deadlines_.erase(*key_);
    key_.reset();
  }

 private:
  VirtualRuntime& runtime_;
  std::shared_ptr<Task> ring_;
  std::optional<Key> key_;
};

std::unique_ptr<daemon::Alarm> VirtualRuntime::alarm(Task ring) {
  return std::make_unique<VirtualAlarm>(*this, std::move(ring));
}

VirtualRuntime::Key VirtualRuntime::schedule(Instant moment, Task ring) {
  const Key key{moment, ++scheduled_};
  deadlines_.emplace(key, std::move(ring));
  return key;
}

void VirtualRuntime::at(Instant moment, Task task) {
  schedule(moment, std::move(task));
}

bool VirtualRuntime::turn(Instant end) {
  Task task;
  if (!queue_.empty()) {
    task = std::move(queue_.front());
    queue_.pop_front();
  } else if (!deadlines_.empty() && deadlines_.begin()->first.first <= end) {
    auto next = deadlines_.extract(deadlines_.begin());
    task = std::move(next.mapped());
    if (next.key().first > now_) {
      now_ = next.key().first;
      turns_of_this_moment_ = 0;
    }
  } else {
    return false;
  }
  if (++turns_of_this_moment_ > turns_per_moment_max)
    throw std::runtime_error("the clock stands still at " + to_iso8601(now_));
  task();
  return true;
}

void VirtualRuntime::run_until(Instant end) {
  while (turn(end)) {
  }
  now_ = std::max(now_, end);
}

}  // namespace remitod::test
