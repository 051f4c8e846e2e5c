// A carrier's request rate as a token bucket, in exact integers.
#pragma once

#include <chrono>
#include <cstdint>

#include "carriers/tracking.h"

namespace remitod::scheduler {

/// Starts full. In any window of time it gives at most rate * window + burst tokens: nothing is rounded in time or in
/// tokens, so that nothing accumulates. `now` must not go back; whoever owns the bucket sees to that and calls
/// restart_clock() where the clock was set.
class TokenBucket {
 public:
  /// `per_second` is read to the millionth, and kept within 0.000001 and 1,000,000. The burst is max(1, per_second).
  TokenBucket(double per_second, Instant now);

  bool take(Instant now);  ///< one token, if there is one
  std::size_t whole_tokens(Instant now) const;
  /// When one token will be there; not before `now`.
  Instant next_token(Instant now) const;

  void set_rate(double per_second, Instant now);  ///< what is in the bucket stays, up to the new burst
  void restart_clock(Instant now);                ///< counts from `now` on, without giving anything for the jump

 private:
  // Tokens are counted in millionths of millionths: one microsecond at one millionth of a token per second adds one.
  static constexpr std::int64_t token = 1'000'000'000'000;
  std::int64_t level_at(Instant now) const;

  std::int64_t rate_ = 0;  ///< millionths of a token per second
  std::int64_t burst_ = 0;
  std::int64_t level_ = 0;
  Instant counted_at_{};
};

}  // namespace remitod::scheduler
