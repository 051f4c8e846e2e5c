#include "scheduler/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace remitod::scheduler {
namespace {

constexpr double millionths = 1e6;

std::int64_t in_millionths(double number, double at_least) {
  return std::llround(std::clamp(number, at_least, millionths) * millionths);
}

}  // namespace

TokenBucket::TokenBucket(double per_second, double burst, Instant now) {
  set_rate(per_second, burst, now);
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

Instant TokenBucket::spend(Instant now) {
  level_ = level_at(now) - token;
  counted_at_ = now;
  return when_earned(-level_, now);
}

void TokenBucket::sent_late(Instant now) {
  level_ = std::min(level_at(now), burst_ - token);
  counted_at_ = now;
}

std::size_t TokenBucket::whole_tokens(Instant now) const {
  return static_cast<std::size_t>(std::max<std::int64_t>(level_at(now), 0) / token);
}

Instant TokenBucket::next_token(Instant now) const {
  return when_earned(token - level_at(now), now);
}

Instant TokenBucket::when_earned(std::int64_t missing, Instant now) const {
  if (missing <= 0) return now;
  return now + std::chrono::microseconds{(missing + rate_ - 1) / rate_};
}

void TokenBucket::set_rate(double per_second, double burst, Instant now) {
  if (rate_ != 0) level_ = level_at(now);
  counted_at_ = now;
  rate_ = in_millionths(per_second, 1 / millionths);
  burst_ = in_millionths(burst, 1) * 1'000'000;
  level_ = std::min(level_, burst_);
}

void TokenBucket::start_empty(Instant since, Instant now) {
  level_ = 0;
  counted_at_ = since;
  level_ = level_at(now);
  counted_at_ = now;
}

void TokenBucket::restart_clock(Instant now) {
  counted_at_ = now;
}

}  // namespace remitod::scheduler
