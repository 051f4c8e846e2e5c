#include "scheduler/breaker.h"

#include <algorithm>

#include "scheduler/phase.h"

namespace remitod::scheduler {

std::chrono::microseconds Jitter::up_to(std::chrono::microseconds most) {
  ++state_;
  const auto choices = static_cast<std::uint64_t>(most.count()) + 1;
  return std::chrono::microseconds{static_cast<std::int64_t>(mix(state_) % choices)};
}

std::string_view name(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      return "half_open";
  }
  return "";
}

void Breaker::reconfigure(const LaneConfig& config) {
  failures_to_open_ = config.failures_to_open;
  backoff_first_ = config.backoff_first;
  backoff_max_ = config.backoff_max;
  retry_after_max_ = config.retry_after_max;
}

Breaker::Permission Breaker::permission(Instant now) const {
  switch (state_) {
    case BreakerState::closed:
      return Permission::request;
    case BreakerState::open:
      return now < resting_until_ ? Permission::none : Permission::probe;
    case BreakerState::half_open:
      break;
  }
  return Permission::none;
}

void Breaker::probe_sent() {
  state_ = BreakerState::half_open;
}

void Breaker::answered(bool probe) {
  if (!probe && state_ != BreakerState::closed) return;
  state_ = BreakerState::closed;
  resting_until_ = wished_until_ = {};
  failures_in_row_ = 0;
  rests_in_row_ = 0;
}

void Breaker::failed(bool probe, std::optional<Rest> wanted, Instant now, Jitter& jitter) {
  ++failures_in_row_;
  if (wanted) return throttled(probe, wanted, now, jitter);
  const bool opens = state_ == BreakerState::closed && failures_in_row_ >= failures_to_open_;
  if (probe || opens) rest(wanted, now, jitter);
}

void Breaker::throttled(bool probe, std::optional<Rest> wanted, Instant now, Jitter& jitter) {
  if (probe || state_ == BreakerState::closed) return rest(wanted, now, jitter);
  if (wanted) resting_until_ = std::max(resting_until_, end_of(*wanted, now));
}

void Breaker::abandoned(bool probe) {
  if (probe) state_ = BreakerState::open;
}

void Breaker::clock_set_back(std::chrono::microseconds by) {
  if (resting_until_ != Instant{}) resting_until_ -= by;
  if (wished_until_ != Instant{}) wished_until_ -= by;
}

void Breaker::resume(Instant wished_until, Instant now) {
  if (wished_until <= now) return;
  state_ = BreakerState::open;
  resting_until_ = wished_until_ = std::min(wished_until, now + retry_after_max_);  // the clock may have been ahead
}

void Breaker::rest(std::optional<Rest> wanted, Instant now, Jitter& jitter) {
  std::chrono::seconds most = std::min(backoff_first_, backoff_max_);
  for (int k = 0; k < rests_in_row_ && most < backoff_max_; ++k) most = std::min(most * 2, backoff_max_);
  const Instant end = wanted ? end_of(*wanted, now) : now + jitter.up_to(most);
  state_ = BreakerState::open;
  resting_until_ = std::max(resting_until_, end);  // a late answer may have asked for longer
  ++rests_in_row_;
}

Instant Breaker::end_of(const Rest& wanted, Instant now) {
  const std::chrono::seconds longest = std::max(retry_after_max_, std::chrono::seconds{1});
  const Instant end = now + std::clamp(wanted.length, std::chrono::seconds{1}, longest);
  if (wanted.is_wished) wished_until_ = std::max(wished_until_, end);
  return end;
}

}  // namespace remitod::scheduler
