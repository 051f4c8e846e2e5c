// When a shipment is due, and what a clock that jumps does to that. README.md states the rule.

#include <algorithm>

#include "scheduler/lane_impl.h"
#include "scheduler/phase.h"

namespace remitod::scheduler {
namespace {

using std::chrono::seconds;

/// A smaller step back of the clock only delays by as much; a larger one makes a new plan.
constexpr seconds clock_step_ignored{5};
/// A lane that was silent for an interval, and for this long at least, does not catch up in a burst.
constexpr seconds silence_min{60};
/// Who is overdue by less than this waited for nothing but the wake.
constexpr seconds wake_late_max{5};
/// What was not answered is asked again after this long, or an interval if that is shorter.
constexpr seconds retry_max{300};
/// A batch is filled up with shipments that are due within a twentieth of the interval, and at most this. Less than
/// retry_max, so that a shipment that spoils its requests is not pulled from one into the next.
constexpr seconds slack_max{180};

}  // namespace

// ------------------------------------------------------------------ the schedule

Second Lane::Impl::slack() const {
  if (config.batch_max == 1) return 0;
  return static_cast<Second>(std::min(config.interval / 20, slack_max).count());
}

// A request that was sent at t stood for the point that it reached or ran ahead of: the next is the first one after
// t + slack.
Second Lane::Impl::due_after(Slot slot, Second moment) const {
  const ShipmentRow& row = rows[slot];
  if (row.asked != 0) moment = std::max(moment, later(std::min(row.asked, moment), slack()));
  return next_point(moment, row.shipment_id, interval());
}

Second Lane::Impl::retry_at(const ShipmentRow& row, Second now) {
  seconds wait = std::min(config.interval, retry_max);
  // A person waits for it, and nothing can pull it forward.
  if (row.resync && slack() == 0) wait = std::min(wait, std::max(config.backoff_first, seconds{1}));
  return later(now, static_cast<Second>((wait + std::chrono::floor<seconds>(jitter.up_to(wait))).count()));
}

void Lane::Impl::plan_anew(Second now) {
  heap.reschedule(
      [&](const DueHeap::Entry& entry) { return rows[entry.slot].resync ? 0 : due_after(entry.slot, now); });
}

void Lane::Impl::spread_overdue(Second now) {
  heap.reschedule([&](const DueHeap::Entry& entry) {
    const bool missed = later(entry.due, static_cast<Second>(wake_late_max.count())) <= now;
    return missed && !rows[entry.slot].resync ? due_after(entry.slot, now) : entry.due;
  });
}

// ------------------------------------------------------------------ the clock

bool Lane::Impl::was_set_back(Instant now) const {
  return latest && now < *latest - clock_step_ignored;
}

Instant Lane::Impl::advance(Instant now) {
  if (!latest) latest = served_at = now;
  if (was_set_back(now)) clock_set_back(now);
  latest = std::max(*latest, now);
  return *latest;
}

void Lane::Impl::clock_set_back(Instant now) {
  breaker.clock_set_back(*latest - now);
  bucket.restart_clock(now);
  for (Request& request : requests) request.taken_at = std::min(request.taken_at, to_second(now));
  plan_anew(to_second(now));
  latest = served_at = now;
}

// After a rest, a stop of the process or a jump of the clock that is longer than an interval all shipments are overdue.
// They come at their phases in the interval to come, as after a restart. To wait for the rate or for answers is no
// silence: then the most overdue have to stay first, or some would never have their turn.
void Lane::Impl::note_service(Instant now) {
  const Instant could_ask_at = bucket.next_token(served_at);
  if (now - could_ask_at >= std::max(config.interval, silence_min)) spread_overdue(to_second(now));
  served_at = now;
}

}  // namespace remitod::scheduler
