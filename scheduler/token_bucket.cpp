#include "scheduler/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace remitod::scheduler {
namespace {

constexpr double millionths = 1e6;

std::int64_t rate_in_millionths(double per_second) {
  return std::llround(std::clamp(per_second, 1 / millionths, millionths) * millionths);
}

}  // namespace

TokenBucket::TokenBucket(double per_second, Instant now) {
  set_rate(per_second, now);
  level_ = burst_;
}

std::int64_t TokenBucket::level_at(Instant now) const {
  const std::int64_t elapsed = std::max<std::int64_t>(0, (now - counted_at_).count());
  if (elapsed > (burst_ - level_) / rate_) return burst_;  // also keeps the product below from overflowing
  return level_ + rate_ * elapsed;
}

bool TokenBucket::take(Instant now) {
  level_ = level_at(now);
  counted_at_ = now;
  if (level_ < token) return false;
  level_ -= token;
  return true;
}

std::size_t TokenBucket::whole_tokens(Instant now) const {
  return static_cast<std::size_t>(level_at(now) / token);
}

Instant TokenBucket::next_token(Instant now) const {
  const std::int64_t missing = token - level_at(now);
  if (missing <= 0) return now;
  return now + std::chrono::microseconds{(missing + rate_ - 1) / rate_};
}

void TokenBucket::set_rate(double per_second, Instant now) {
  if (rate_ != 0) level_ = level_at(now);
  counted_at_ = now;
  rate_ = rate_in_millionths(per_second);
  burst_ = std::max(token, rate_ * 1'000'000);
  level_ = std::min(level_, burst_);
}

void TokenBucket::restart_clock(Instant now) {
  counted_at_ = now;
}

}  // namespace remitod::scheduler
