#include "daemon/asio_runtime.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <utility>

namespace remitod::daemon {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

// The wall clock may be set while we run: look again at least this often, so that a deadline in its terms is met.
constexpr std::chrono::seconds longest_sleep{60};
// So far the two clocks drift apart in that time at most.
constexpr std::chrono::seconds drift_max{1};

class AsioAlarm final : public Alarm {
 public:
  AsioAlarm(AsioRuntime& runtime, Runtime::Task ring) : state_(std::make_shared<State>(runtime, std::move(ring))) {}
  ~AsioAlarm() override { cancel(); }
  AsioAlarm(const AsioAlarm&) = delete;
  AsioAlarm& operator=(const AsioAlarm&) = delete;

  void set(Instant at) override {
    if (state_->armed && state_->at == at) return;
    state_->at = at;
    arm(state_);
  }
  void cancel() override {
    if (!state_->armed) return;
    state_->armed = false;
    ++state_->generation;
    state_->timer.cancel();
  }

 private:
  // Outlives the alarm while a cancelled wait is still on its way.
  struct State {
    State(AsioRuntime& runtime_used, Runtime::Task ring_task)
        : runtime(runtime_used), ring(std::move(ring_task)), timer(runtime_used.context()) {}
    AsioRuntime& runtime;
    Runtime::Task ring;
    boost::asio::steady_timer timer;
    Instant at{};
    Instant wall{};  ///< wall clock and steady clock at one moment, when the timer was set last
    steady_clock::time_point steady;
    std::uint64_t generation = 0;
    bool armed = false;
  };

  static void arm(const std::shared_ptr<State>& state) {
    const std::uint64_t generation = ++state->generation;
    state->armed = true;
    state->wall = wall_clock();
    state->steady = steady_clock::now();
    state->timer.expires_at(std::min(state->runtime.steady_at(state->at), steady_clock::now() + longest_sleep));
    state->timer.async_wait([state, generation](const boost::system::error_code&) {
      if (generation != state->generation) return;
      const bool set_back = wall_clock() - state->wall < steady_clock::now() - state->steady - drift_max;
      if (state->runtime.now() < state->at && !set_back) return arm(state);
      state->armed = false;
      state->ring();
    });
  }

  std::shared_ptr<State> state_;
};

}  // namespace

Instant wall_clock() {
  return std::chrono::floor<microseconds>(std::chrono::system_clock::now());
}

AsioRuntime::AsioRuntime(double time_scale, Instant origin) : time_scale_(time_scale), origin_(origin) {}

Instant AsioRuntime::now() const {
  const Instant wall = wall_clock();
  if (time_scale_ == 1.0) return wall;
  const double elapsed = std::chrono::duration<double, std::micro>(wall - origin_).count();
  return origin_ + microseconds{static_cast<std::int64_t>(elapsed * time_scale_)};
}

microseconds AsioRuntime::steady() const {
  const std::chrono::duration<double, std::micro> passed = steady_clock::now().time_since_epoch();
  return microseconds{static_cast<std::int64_t>(passed.count() * time_scale_)};
}

Instant AsioRuntime::in(microseconds wall_time) const {
  const double scaled = static_cast<double>(wall_time.count()) * time_scale_;
  return now() + microseconds{static_cast<std::int64_t>(scaled)};
}

steady_clock::time_point AsioRuntime::steady_at(Instant at) const {
  const double wait = std::chrono::duration<double>(at - now()).count() / time_scale_;
  constexpr double day = 86'400;
  return steady_clock::now() +
         duration_cast<steady_clock::duration>(std::chrono::duration<double>(std::clamp(wait, 0.0, day)));
}

std::unique_ptr<Alarm> AsioRuntime::alarm(Task ring) {
  return std::make_unique<AsioAlarm>(*this, std::move(ring));
}

void AsioRuntime::post(Task task) {
  boost::asio::post(context_, std::move(task));
}

}  // namespace remitod::daemon
