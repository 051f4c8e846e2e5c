#include "scheduler/limits.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace remitod::scheduler {
namespace {

/// Between two processes lies as much at least.
constexpr std::chrono::milliseconds restart_min{500};

/// What a bucket is told of a limit of so many requests in a second or a minute.
struct Pace {
  double per_second, burst;
};

/// A part of the requests may come at once: a fifth of a second's, since creates are looked for so often, a tenth of a
/// minute's. From a full bucket they go together, and the next ones as the rate brings them: no second and no minute
/// has more than it may, wherever it begins.
Pace pace(double requests, double seconds, double part) {
  const double burst = std::max(1.0, requests * part);
  const double per_second = (requests + 1 - burst) / seconds;
  return {std::floor(per_second * 1e6) / 1e6, burst};  // the bucket reads to the millionth, and would round it up
}
Pace pace_of_second(double requests) {
  return pace(requests, 1, 0.2);
}
Pace pace_of_minute(int requests) {
  return pace(requests, 60, 0.1);
}

TokenBucket bucket_of(Pace pace, Instant now) {
  return TokenBucket(pace.per_second, pace.burst, now);
}

QuotaBook::Stated quotas_of(const LaneConfig& config) {
  return {config.requests_per_hour, config.requests_per_day, config.leaves_tenth_for_creates};
}

std::size_t as_size(std::int64_t count) {
  return static_cast<std::size_t>(std::min<std::int64_t>(count, std::numeric_limits<int>::max()));
}

}  // namespace

std::string_view name(Hold::Kind kind) {
  switch (kind) {
    case Hold::Kind::none:
      return "none";
    case Hold::Kind::rate:
      return "rate";
    case Hold::Kind::quota:
      return "quota";
    case Hold::Kind::hours:
      return "hours";
  }
  return "";
}

Limits::Limits(const LaneConfig& config)
    : second_(bucket_of(pace_of_second(config.requests_per_second), Instant{})), hours_(config.hours) {
  if (config.requests_per_minute) minute_ = bucket_of(pace_of_minute(*config.requests_per_minute), Instant{});
  quotas_.configure(quotas_of(config));
}

void Limits::reconfigure(const LaneConfig& config, Instant now) {
  const Pace second = pace_of_second(config.requests_per_second);
  second_.set_rate(second.per_second, second.burst, now);
  if (!config.requests_per_minute) {
    minute_.reset();
  } else if (minute_) {
    const Pace minute = pace_of_minute(*config.requests_per_minute);
    minute_->set_rate(minute.per_second, minute.burst, now);
  } else {
    minute_ = bucket_of(pace_of_minute(*config.requests_per_minute), now);
    minute_->start_empty(now, now);
  }
  quotas_.configure(quotas_of(config));
  hours_ = config.hours;
  known_hours_ = {};
}

void Limits::start(Instant now) {
  second_.start_empty(now - restart_min, now);
  if (minute_) minute_->start_empty(now - restart_min, now);
}

// ------------------------------------------------------------------ opening hours

const Limits::KnownHours& Limits::hours_at(Instant now) const {
  if (now >= known_hours_.from && now < known_hours_.until) return known_hours_;
  const OpenHours::Span span = hours_->at(now);
  known_hours_ = {now, span.until, span.open, span.open ? std::optional(now) : hours_->next_open(now)};
  return known_hours_;
}

bool Limits::is_open(Instant now) const {
  return !hours_ || hours_at(now).open;
}

std::optional<Instant> Limits::open_until(Instant now) const {
  if (!hours_) return std::nullopt;
  return hours_at(now).until;
}

std::optional<Instant> Limits::open_from(Instant now) const {
  if (is_open(now)) return now;
  return hours_at(now).opens_at;
}

// ------------------------------------------------------------------ all together

std::optional<Instant> Limits::next_counted(Instant now) const {
  Instant when = second_.next_token(now);
  if (minute_) when = std::max(when, minute_->next_token(now));
  const std::optional<Instant> quota = quotas_.next_poll(now);
  return quota ? std::optional(std::max(when, *quota)) : std::nullopt;
}

std::optional<Instant> Limits::next(Instant now, Instant earliest) const {
  const std::optional<Instant> counted = next_counted(now);
  return counted ? open_from(std::max(*counted, earliest)) : std::nullopt;
}

bool Limits::take(Instant now) {
  if (!is_open(now)) return false;
  quotas_.want(now);
  if (!quotas_.may_poll(now)) return false;
  if (minute_ && minute_->next_token(now) > now) return false;
  if (!second_.take(now)) return false;
  if (minute_) minute_->spend(now);
  quotas_.spend(now);
  return true;
}

std::size_t Limits::spare(Instant now) {
  if (!is_open(now)) return 0;
  quotas_.want(now);
  std::size_t spare = std::min(second_.whole_tokens(now), as_size(quotas_.ready(now)));
  if (minute_) spare = std::min(spare, minute_->whole_tokens(now));
  return spare;
}

Instant Limits::spend(Instant now) {
  quotas_.spend(now);
  return spend_rate(now);
}

Instant Limits::spend_rate(Instant now) {
  Instant room = second_.spend(now);
  if (minute_) room = std::max(room, minute_->spend(now));
  room = std::max(room, quotas_.next_room(now));
  return open_from(room).value_or(room);
}

void Limits::sent_late(Instant taken, Instant now) {
  quotas_.sent_late(taken, now);
  second_.sent_late(now);
  if (minute_) minute_->sent_late(now);
}

Hold Limits::hold(Instant now) const {
  if (!is_open(now)) return {Hold::Kind::hours, hours_at(now).opens_at};
  const std::optional<Instant> quota = quotas_.next_poll(now);
  if (!quota || *quota > now) return {Hold::Kind::quota, quota};
  const std::optional<Instant> rate = next_counted(now);
  if (rate && *rate > now) return {Hold::Kind::rate, rate};
  return {};
}

void Limits::clock_set_back(Instant now) {
  second_.restart_clock(now);
  if (minute_) minute_->restart_clock(now);
  quotas_.clock_set_back(now);
}

}  // namespace remitod::scheduler
