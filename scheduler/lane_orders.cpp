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

bool Lane::order_sent(Instant now) {
  spend_request(now, Purpose::others);
  const bool tries = impl_->orders.permission(impl_->advance(now)) == Breaker::Permission::probe;
  if (tries) impl_->orders.probe_sent();
  return tries;
}

void Lane::trial_ended() {
  impl_->orders.abandoned(impl_->orders.state() == BreakerState::half_open);
}

void Lane::order_judged(const BatchOutcome& outcome, Instant now) {
  Impl& lane = *impl_;
  now = lane.advance(now);
  // What was sent before the rest says as much of the carrier as it is now.
  const bool tries =
      lane.orders.state() == BreakerState::half_open || lane.orders.permission(now) == Breaker::Permission::probe;
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
