// A carrier's request rate as a token bucket, in exact integers.
#pragma once

#include <chrono>
#include <cstdint>

#include "carriers/tracking.h"

namespace remitod::scheduler {

/// Made full. In any window of time it gives at most rate * window + burst tokens: nothing is rounded in time or in
/// tokens, so that nothing accumulates. `now` must not go back; whoever owns the bucket sees to that and calls
/// restart_clock() where the clock was set.
class TokenBucket {
 public:
  /// Both are read to the millionth; `per_second` is kept within 0.000001 and 1,000,000, `burst` within 1 and that.
  TokenBucket(double per_second, double burst, Instant now);

  bool take(Instant now);  ///< one token, if there is one
  /// One token, even if there is none: it is then owed, and the next ones pay for it. Returns when it is paid; `now`
  /// where it was there.
  Instant spend(Instant now);
  /// What was taken before goes out only now: as if it were taken now.
  void sent_late(Instant now);
  std::size_t whole_tokens(Instant now) const;
  /// When one token will be there; not before `now`.
  Instant next_token(Instant now) const;

  void set_rate(double per_second, double burst, Instant now);  ///< what is in the bucket stays, up to the new burst
  void start_empty(Instant since, Instant now);                 ///< as if it had been empty then
  void restart_clock(Instant now);  ///< counts from `now` on, without giving anything for the jump

 private:
  // Tokens are counted in millionths of millionths: one microsecond at one millionth of a token per second adds one.
  static constexpr std::int64_t token = 1'000'000'000'000;
  std::int64_t level_at(Instant now) const;
  Instant when_earned(std::int64_t missing, Instant now) const;

  std::int64_t rate_ = 0;  ///< millionths of a token per second
  std::int64_t burst_ = 0;
  std::int64_t level_ = 0;  ///< less than nothing: owed
  Instant counted_at_{};
};

}  // namespace remitod::scheduler
