// When a shipment is due, and what a clock that jumps does to that. README.md states the rule.

#include <algorithm>

#include "scheduler/lane_impl.h"
#include "scheduler/phase.h"

namespace remitod::scheduler {
namespace {

using std::chrono::seconds;

/// A smaller step back of the clock only delays by as much; a larger one makes a new plan.
constexpr seconds clock_step_ignored{5};
/// A lane that was silent for this long does not catch up in a burst.
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
  if (learning) return learning->schedule().next_poll(open_shipment(slot, moment), moment);
  const ShipmentRow& row = rows[slot];
  if (row.asked != 0) moment = std::max(moment, later(std::min(row.asked, moment), slack()));
  return grid.next_point(moment, row.shipment_id);
}

Second Lane::Impl::first_due(Slot slot, Second now) const {
  if (learning) {
    const OpenShipment shipment = open_shipment(slot, now);
    return learning->schedule().next_poll(shipment, std::max(shipment.last_asked, shipment.entered));
  }
  const ShipmentRow& row = rows[slot];
  if (row.asked == 0) return first_point(slot, row.entered(), now);
  return grid.next_point(later(std::min(row.asked, now), slack()), row.shipment_id);
}

// Of the points that passed since it came only the last one counts: where a checkpoint was lost, nobody was ever asked
// as far as is known, and all are to come in the order of their phases.
Second Lane::Impl::first_point(Slot slot, Second entered, Second now) const {
  const Second within = now - std::min(now, interval());
  return grid.next_point(std::clamp(entered, within, now), rows[slot].shipment_id);
}

// A point that has passed was missed by a process before this one: note_service() says when it is made up for. One that
// was never asked may have missed its first: the next is an interval later, and may be missed again. An adaptive
// schedule waits no longer than it may since the entry, whatever it has missed.
Second Lane::Impl::due_on_entry(Slot slot, Second entered, Second now) {
  const bool was_asked = rows[slot].asked != 0;
  if (learning && !was_asked) return due_after(slot, now);
  const Second point = was_asked ? first_due(slot, now) : first_point(slot, entered, now);
  came_overdue = came_overdue || point <= now;
  return point;
}

PhaseGrid Lane::Impl::grid_wanted(Second points_now) const {
  const Second points =
      grid_points(index.size(), static_cast<std::size_t>(config.batch_max), interval(), slack(), points_now);
  return PhaseGrid(interval(), points, grid_offset(config.carrier, interval(), points));
}

// Who is overdue already, or is asked again because an answer failed, stays where it is; so does who has just come, if
// the new grid has a point since then (to five minutes).
void Lane::Impl::fit_grid(Second now) {
  if (learning) return;
  const PhaseGrid wanted = grid_wanted(grid.points());
  if (wanted.points() == grid.points()) return;
  grid = wanted;
  heap.reschedule([&](const DueHeap::Entry& entry) {
    const ShipmentRow& row = rows[entry.slot];
    if (row.resync) return entry.due;
    const Second point = first_due(entry.slot, now);
    return point > now ? point : entry.due;
  });
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

// What came due in a silence comes later by as long as the silence was, in its order; within an interval, or half of
// the time that the carrier stays open.
void Lane::Impl::spread_overdue(Instant now, std::chrono::microseconds silence, seconds overdue_min) {
  const auto shift = static_cast<Second>(std::chrono::floor<seconds>(silence).count());
  seconds span = config.interval;
  if (const auto closes = limits.open_until(now))
    span = std::min(span, std::chrono::ceil<seconds>((*closes - now) / 2));
  const Second moment = to_second(now);
  heap.reschedule([&](const DueHeap::Entry& entry) {
    const bool missed = later(entry.due, static_cast<Second>(overdue_min.count())) <= moment;
    if (!missed || rows[entry.slot].resync) return entry.due;
    const Second back = std::min(later(entry.due, shift), later(moment, interval()));
    const std::int64_t ahead = back > moment ? back - moment : 0;
    return later(moment, static_cast<Second>(ahead * span.count() / config.interval.count()));
  });
}

// ------------------------------------------------------------------ the clock

bool Lane::Impl::was_set_back(Instant now) const {
  return latest && now < *latest - clock_step_ignored;
}

Instant Lane::Impl::advance(Instant now) {
  if (!latest) {
    latest = served_at = now;
    limits.start(now);
    if (config.adaptive) start_learning(to_second(now));
  }
  if (was_set_back(now)) clock_set_back(now);
  latest = std::max(*latest, now);
  return *latest;
}

void Lane::Impl::clock_set_back(Instant now) {
  breaker.clock_set_back(*latest - now);
  orders.clock_set_back(*latest - now);
  limits.clock_set_back(now);
  if (learning) learning->clock_set_back(to_second(now));
  round_at = std::min(round_at, to_second(now));
  for (Request& request : requests) request.taken_at = std::min(request.taken_at, to_second(now));
  plan_anew(to_second(now));
  latest = served_at = now;
}

// The first point that nobody has been asked at; a mark by hand stands for none.
std::optional<Second> Lane::Impl::first_missed() const {
  std::optional<Second> first;
  heap.for_each([&](const DueHeap::Entry& entry) {
    if (!rows[entry.slot].resync) first = std::min(first.value_or(entry.due), entry.due);
  });
  return first;
}

// After a rest, closed hours, a stop of the process or a jump of the clock many are overdue together. To have nobody to
// ask is no silence, nor to wait for what the limits count, or for answers: then the most overdue simply go first, as
// fast as the limits let them. When that will be has to be asked now: later the limits tell no more what they did not
// allow.
//
// How long the last process has been gone nobody has written down. What was due before it stopped it has asked, so the
// first point that was missed comes after that; but whose answers failed is overdue for longer, and then the stop came
// after the last answer.
void Lane::Impl::note_service(Instant now) {
  Instant since = std::exchange(served_at, limits.next_counted(now).value_or(now));
  const bool after_start = std::exchange(came_overdue, false);
  if (after_start) since = std::min(since, to_instant(newest_asked));
  if (now - since < silence_min) return;
  const std::optional<Second> missed = first_missed();
  if (!missed) return;
  const std::chrono::microseconds silence = now - std::max(since, to_instant(*missed));
  if (silence >= silence_min) spread_overdue(now, silence, after_start ? seconds{0} : wake_late_max);
}

}  // namespace remitod::scheduler
