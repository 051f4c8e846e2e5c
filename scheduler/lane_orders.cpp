// A lane's requests about orders (create, find, cancel ...): the breaker that they have besides the polls'.
#include <algorithm>
#include <optional>

#include "scheduler/lane_impl.h"

namespace remitod::scheduler {

std::size_t Lane::spare_for_orders(Instant now) {
  const std::size_t spare = spare_requests(now);
  switch (impl_->orders.permission(impl_->advance(now))) {
    case Breaker::Permission::none:
      return 0;
    case Breaker::Permission::request:
      return spare;
    case Breaker::Permission::probe:
      return std::min<std::size_t>(spare, 1);
  }
  return 0;
}

bool Lane::orders_may_go(Instant now) const {
  return impl_->orders.permission(now) != Breaker::Permission::none;
}

std::uint64_t Lane::order_sent(Instant now) {
  spend_request(now, Purpose::others);
  if (impl_->orders.permission(impl_->advance(now)) != Breaker::Permission::probe) return 0;
  impl_->orders.probe_sent();
  return ++impl_->trial;
}

void Lane::trial_ended(std::uint64_t trial) {
  impl_->orders.abandoned(impl_->is_trying(trial));
}

void Lane::order_judged(const BatchOutcome& outcome, std::uint64_t trial, Instant now) {
  Impl& lane = *impl_;
  now = lane.advance(now);
  const bool tries = lane.is_trying(trial);
  switch (outcome.kind) {
    case BatchOutcome::Kind::answered:
      return lane.orders.answered(tries);
    case BatchOutcome::Kind::failed:
      return lane.orders.failed(tries, rest_wanted(outcome), now, lane.jitter);
    case BatchOutcome::Kind::throttled:
      return lane.orders.throttled(tries, rest_wanted(outcome), now, lane.jitter);
    case BatchOutcome::Kind::unaskable:
    case BatchOutcome::Kind::abandoned:
      break;
  }
}

Instant Lane::orders_resting_until() const {
  return impl_->orders.resting_until();
}

}  // namespace remitod::scheduler
