// Leaves a carrier alone that fails or asks to be left alone, and finds out with one request whether it is well again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "scheduler/lane.h"

namespace remitod::scheduler {

/// Uniform times of rest: the same seed gives the same times.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : state_(seed) {}
  /// In [0, most].
  std::chrono::microseconds up_to(std::chrono::microseconds most);

 private:
  std::uint64_t state_;
};

/// closed:    requests go out. failures_to_open failures in a row, or one wish to be left alone, open it.
/// open:      nothing goes out until resting_until. Then one probe does, which makes it
/// half_open: nothing else goes out until the probe is back. Answered: closed. Anything else of the carrier's: open
///            again, for longer. Abandoned by us: open, and the next probe may go at once.
///
/// Only the probe decides in half_open, and what was sent before it opened changes nothing but a longer Retry-After.
class Breaker {
 public:
  explicit Breaker(const LaneConfig& config) { reconfigure(config); }
  void reconfigure(const LaneConfig& config);

  /// How long to rest, and whose wish that is: the carrier's (Retry-After), or our own.
  struct Rest {
    Rest(std::chrono::seconds time, bool is_carriers = true) : length(time), is_wished(is_carriers) {}
    std::chrono::seconds length;
    bool is_wished;
  };

  enum class Permission : std::uint8_t { none, request, probe };
  Permission permission(Instant now) const;
  void probe_sent();

  // How a request ended; `probe` if it was the probe.
  void answered(bool probe);
  void failed(bool probe, std::optional<Rest> wanted, Instant now, Jitter& jitter);
  void throttled(bool probe, std::optional<Rest> wanted, Instant now, Jitter& jitter);
  void abandoned(bool probe);

  BreakerState state() const { return state_; }
  Instant resting_until() const { return resting_until_; }  ///< epoch: not resting
  /// Until when the carrier itself wanted to be left alone (Retry-After); epoch: it did not, or has answered since. Our
  /// own rests are no more than a guess, which a restart may make anew.
  Instant wished_until() const { return wished_until_; }
  /// What the carrier wished of the process before this one.
  void resume(Instant wished_until, Instant now);
  int failures_in_row() const { return failures_in_row_; }
  /// The clock was set back by this much: so is the end of a rest.
  void clock_set_back(std::chrono::microseconds by);

 private:
  /// min(2^k * backoff_first, backoff_max) with full jitter, k = rests since it was closed; or what is wanted.
  void rest(std::optional<Rest> wanted, Instant now, Jitter& jitter);
  Instant end_of(const Rest& wanted, Instant now);

  int failures_to_open_ = 1;
  std::chrono::seconds backoff_first_{1};
  std::chrono::seconds backoff_max_{1};
  std::chrono::seconds retry_after_max_{1};

  BreakerState state_ = BreakerState::closed;
  Instant resting_until_{}, wished_until_{};
  int failures_in_row_ = 0;
  int rests_in_row_ = 0;
};

}  // namespace remitod::scheduler
