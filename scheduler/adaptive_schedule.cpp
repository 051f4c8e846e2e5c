#include "scheduler/adaptive_schedule.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "scheduler/phase.h"

namespace remitod::scheduler {
namespace {

/// What is never looked for is never found: one poll in so many comes at a random moment before its time, more of them
/// while little is known, and one batch in so many is swept once more after its last sweep.
constexpr std::uint64_t polls_explored = 200, polls_explored_first = 8, waits_per_poll_explored = 5;
constexpr std::uint64_t batches_explored = 8;
constexpr Second explored_after_s = 3 * lag_bin_s;
/// The most waits that are kept; a quarter is dropped at once.
constexpr std::size_t waits_max = 8192;
/// Nobody is asked earlier than this before its time in order to fill a request.
constexpr Second ride_max_s = 1800;
/// A batch of less than this share of the usual size was none.
constexpr double batch_share_min = 0.25;
constexpr double batch_statuses_min = 2;
/// How much a miss says against a batch, of what it would say if all batches were of the usual size. Small ones are not
/// rare, and misses are then no evidence.
constexpr double evidence_of_miss = 0.25;
/// Probabilities of a missed batch below this do not change when to look.
constexpr double missed_min = 1e-3;
/// Before anything is known an interval has so many marks, and each a part of the shipments: few enough for requests to
/// have company, and enough for a batch to be seen soon by somebody.
constexpr Second cold_marks = 8;
/// A batch that is suspected: so many are asked whether there is one, then all, and all once more.
constexpr int suspected_asked_min = 8, suspected_asked_max = 20;
constexpr std::size_t suspected_sweeps = 2;
constexpr Second suspected_sweep_s = 600;
/// It was one if so many times as many were seen as come together by chance. After so many in vain nobody suspects one.
constexpr double suspected_excess = 3;
constexpr int suspicion_max = 3;

}  // namespace

AdaptiveSchedule::AdaptiveSchedule(AdaptiveSettings settings, Second now)
    : settings_(std::move(settings)),
      last_batch_(now),
      awaited_from_(now),
      last_round_(now),
      suspicion_(suspicion_max) {}

Second AdaptiveSchedule::next_poll(const OpenShipment& shipment, Second now) const {
  const Second from = std::max(shipment.last_asked, shipment.entered);
  const Second latest = std::max(later(from, settings_.max_interval), now + 1);
  if (!plan_) {
    const Second rested = shipment.last_asked > shipment.entered ? later(from, settings_.cold_interval / 2) : now;
    return std::clamp(cold_mark(shipment.shipment_id, std::max(now, rested)), now + 1, latest);
  }
  const auto planned = [&](Second at) {
    const InspectionTable& table = plan_->table(shipment, at);
    return at - settings_.calendar.into_step(at) + steps_of(table.wait[settings_.calendar.week_step(at)]) * step_s;
  };
  Second due = planned(from);
  if (due <= now) due = planned(now);
  const std::uint64_t dice = mix(settings_.seed ^ mix(static_cast<std::uint64_t>(shipment.shipment_id)) ^ from);
  const std::uint64_t explored =
      std::min(polls_explored, polls_explored_first + waits_.size() / waits_per_poll_explored);
  if (dice % explored == 0 && due > now + 2 * step_s)
    due = now + step_s + static_cast<Second>((dice >> 32) % ((due - now) / step_s)) * step_s;
  return std::clamp(due, now + 1, latest);
}

/// Everybody once an interval, spread over its marks: each sees what came since the last look of all, and where it is
/// one of a batch, the others are asked.
Second AdaptiveSchedule::cold_mark(std::int64_t shipment_id, Second after) const {
  const Second interval = settings_.cold_interval;
  const auto dice =
      static_cast<Second>(mix(settings_.seed ^ mix(static_cast<std::uint64_t>(shipment_id))) % cold_marks);
  const Second mark = after - after % interval + dice * (interval / cold_marks);
  return mark > after ? mark : later(mark, interval);
}

Second AdaptiveSchedule::may_ride_from(const OpenShipment& shipment, Second due) const {
  if (!plan_ || due <= shipment.last_asked) return due;
  const double share = std::min(1.0, plan_->prices.early_share(settings_.batch_max));
  const auto early = static_cast<Second>(share * (due - shipment.last_asked));
  return due - std::min(early, ride_max_s);
}

// ------------------------------------------------------------------ batches

double AdaptiveSchedule::chance_in_batch(const OpenShipment& shipment, Second now) const {
  const BatchRegime& batches = plan_->batches;
  const Second since = now - std::clamp(now - std::min(last_batch_, now), batches.rest, 4 * batches.gap);
  const std::size_t age = age_bin(now - std::min(shipment.entered, now));
  const float rate = batches.chance_scale * plan_->model().of(shipment.status).by_age[age];
  return -std::expm1(-double{rate} * batches.worked(settings_.calendar, since, now));
}

double AdaptiveSchedule::chance_of_hit(const OpenShipment& shipment, Second now) const {
  return chance_in_batch(shipment, now) * (1 + double{plan_->batches.out_by_lag[0]}) / 2;
}

double AdaptiveSchedule::chance(const OpenShipment& shipment, Second now) const {
  if (!knows_batches()) {  // who was asked longest ago
    const auto waited = static_cast<double>(now - std::min(now, shipment.last_asked));
    return waited / (waited + hour_s);
  }
  const BatchRegime& batches = plan_->batches;
  const double in_batch = chance_in_batch(shipment, now);
  if (in_burst()) {
    const double seen = shipment.last_asked < burst_at_ ? 0 : batches.out_after(shipment.last_asked - burst_at_);
    return in_batch * std::max(0.0, batches.out_after(now - burst_at_) - seen);
  }
  const double came = batches.expected(settings_.calendar, std::max(shipment.last_asked, awaited_from_), now);
  return in_batch * -std::expm1(-came - 1e-9);  // where none is expected, the order is still by in_batch
}

std::optional<Second> AdaptiveSchedule::next_round() const {
  if (!knows_batches()) {
    if (!in_burst()) return std::nullopt;
    return later(burst_at_, static_cast<Second>(confirming_ ? 0 : next_sweep_) * suspected_sweep_s);
  }
  const BatchRegime& batches = plan_->batches;
  if (in_burst()) {
    if (confirming_) return burst_at_;
    if (next_sweep_ < sweep_count()) return sweep_at(next_sweep_);
    return later(sweep_at(sweep_count() - 1), step_s);  // time for the answers of the last sweep
  }
  const Second from = std::max(last_round_, awaited_from_);
  const Second due = from - settings_.calendar.into_step(from) +
                     steps_of(batches.sentinel_table.wait[settings_.calendar.week_step(from)]) * step_s;
  // A batch that the sentinels may have missed: look again when what waits there is worth it.
  if (missed_batch_ < missed_min) return due;
  const double minutes = std::min(double{batches.sentinel_price} / missed_batch_, 1440.0);
  return std::min(due, later(from, std::max(step_s, static_cast<Second>(minutes * minute_s))));
}

std::optional<Round> AdaptiveSchedule::take_round(Second now) {
  const std::optional<Second> due = next_round();
  if (!due || *due > now) return std::nullopt;
  if (!knows_batches()) return suspected_round();
  const BatchRegime& batches = plan_->batches;
  if (!in_burst()) {
    const double came = batches.expected(settings_.calendar, std::max(last_round_, awaited_from_), now);
    missed_batch_ += (1 - missed_batch_) * -std::expm1(-came);
    last_round_ = now;
    return Round{Round::Kind::sentinel, batches.sentinels, 0};
  }
  if (confirming_) {
    confirming_ = false;
    const std::size_t few =
        std::max<std::size_t>(static_cast<std::size_t>(settings_.batch_max), 2U * batches.sentinels);
    return Round{Round::Kind::sentinel, few, 0};
  }
  if (next_sweep_ == sweep_count() || was_straggler()) {
    end_burst();
    return std::nullopt;
  }
  return next_sweep();
}

std::optional<Round> AdaptiveSchedule::suspected_round() {
  if (std::exchange(confirming_, false)) {
    const int few = std::clamp(settings_.batch_max, suspected_asked_min, suspected_asked_max);
    return Round{Round::Kind::sentinel, static_cast<std::size_t>(few), 0};
  }
  const double by_chance = waited_in_burst_s_ * (seen_ + 1) / (waited_s_ + day_s);
  const bool is_one = seen_in_burst_ > 1 && static_cast<double>(seen_in_burst_ - 1) >= suspected_excess * by_chance;
  if (next_sweep_ == 0) suspicion_ = is_one ? suspicion_max : suspicion_ - 1;
  if (next_sweep_ == suspected_sweeps || (next_sweep_ == 0 && !is_one)) {
    // Sweeps are dear: the next batch is not suspected before half an interval is over.
    if (next_sweep_ != 0) awaited_from_ = later(burst_at_, settings_.cold_interval / 2);
    burst_at_ = 0;
    return std::nullopt;
  }
  ++next_sweep_;
  return Round{Round::Kind::sweep, ~std::size_t{0}, 0};
}

/// One sight alone: are the misses after it likelier if it was a straggler than if the batch is out?
bool AdaptiveSchedule::was_straggler() const {
  const double straggler = double{plan_->batches.stragglers};
  return seen_in_burst_ < 2 && (1 - straggler) * missed_in_burst_ < straggler;
}

/// Asks whoever is worth a poll now rather than at the next sweep, or, after the last one, in half a gap.
Round AdaptiveSchedule::next_sweep() {
  const bool last = next_sweep_ + 1 == sweep_count();
  const Second until_next = last ? plan_->batches.gap / 2 : sweep_at(next_sweep_ + 1) - sweep_at(next_sweep_);
  ++next_sweep_;
  return Round{Round::Kind::sweep, ~std::size_t{0}, plan_->prices.poll * minute_s / until_next};
}

std::size_t AdaptiveSchedule::sweep_count() const {
  return plan_->batches.sweeps.size() + (mix(settings_.seed ^ burst_at_) % batches_explored == 0 ? 1 : 0);
}

Second AdaptiveSchedule::sweep_at(std::size_t sweep) const {
  const std::vector<Second>& sweeps = plan_->batches.sweeps;
  return later(burst_at_, sweep < sweeps.size() ? sweeps[sweep] : sweeps.back() + explored_after_s);
}

void AdaptiveSchedule::end_burst() {
  const Second over = next_sweep_ == 0 ? burst_at_ : sweep_at(next_sweep_ - 1);
  const double batch_min = std::max(batch_statuses_min, batch_share_min * double{plan_->batches.size});
  if (static_cast<double>(seen_in_burst_) >= batch_min) {  // else it was a straggler, and the batch is still to come
    last_batch_ = burst_at_;
    awaited_from_ = std::max(over, later(burst_at_, plan_->batches.rest));
  }
  missed_batch_ = 0;
  last_round_ = over;
  burst_at_ = 0;
}

void AdaptiveSchedule::note_exposure(const OpenShipment& shipment, Second asked_at, bool hit) {
  if (knows_batches()) return;
  const double waited = asked_at - std::min(asked_at, std::max(shipment.entered, shipment.last_asked));
  waited_s_ += waited;
  if (in_burst()) waited_in_burst_s_ += waited;
  if (hit) seen_ += 1;
}

void AdaptiveSchedule::missed(const OpenShipment& shipment, Second asked_at) {
  note_exposure(shipment, asked_at, false);
  if (!knows_batches() || asked_at < awaited_from_) return;
  const double hit = evidence_of_miss * chance_of_hit(shipment, asked_at);
  if (!in_burst())
    missed_batch_ = missed_batch_ * (1 - hit) / (1 - missed_batch_ * hit);
  else if (next_sweep_ == 0)
    missed_in_burst_ *= 1 - hit;
}

void AdaptiveSchedule::saw(const OpenShipment& shipment, Second asked_at) {
  waits_.push_back({shipment.entered, std::max(shipment.entered, shipment.last_asked), asked_at, shipment.status});
  if (waits_.size() > waits_max) {
    constexpr std::size_t dropped = waits_max / 4;
    waits_.erase(waits_.begin(), waits_.begin() + dropped);
    scored_ -= std::min(scored_, dropped);
  }
  note_exposure(shipment, asked_at, true);
  if (in_burst()) {
    ++seen_in_burst_;
  } else if (asked_at >= awaited_from_ && (knows_batches() || suspects_batches())) {
    burst_at_ = asked_at;
    next_sweep_ = 0;
    confirming_ = true;
    seen_in_burst_ = 1;
    missed_in_burst_ = 1;
    waited_in_burst_s_ = 0;
  }
}

// ------------------------------------------------------------------ learning

LearningInput AdaptiveSchedule::learning_input(std::vector<OpenShipment> open, Population population,
                                               const Prices& prices, Second now) const {
  return {.waits = waits_,
          .scored = scored_,
          .open = std::move(open),
          .before = plan_,
          .scores = scores_,
          .population = std::move(population),
          .calendar = settings_.calendar,
          .prices = prices,
          .batch_max = settings_.batch_max,
          .now = now};
}

void AdaptiveSchedule::adopt(std::shared_ptr<const AdaptivePlan> plan) {
  scored_ = std::min(plan->waits, waits_.size());
  const bool knew = knows_batches();
  plan_ = std::move(plan);
  if (!in_burst()) return;
  if (knows_batches() != knew)
    burst_at_ = 0;
  else if (knows_batches())
    next_sweep_ = std::min(next_sweep_, sweep_count());
}

void AdaptiveSchedule::clock_set_back(Second now) {
  for (Second* moment : {&last_batch_, &awaited_from_, &last_round_, &burst_at_}) *moment = std::min(*moment, now);
  for (Wait& wait : waits_)
    for (Second* moment : {&wait.entered, &wait.lo, &wait.hi}) *moment = std::min(*moment, now);
}

AdaptiveState AdaptiveSchedule::state() const {
  AdaptiveState state{
      .waits = waits_, .scores = scores_, .prices = {}, .last_batch = last_batch_, .awaited_from = awaited_from_};
  if (!plan_) return state;
  state.prices = plan_->prices;
  state.scores.clear();
  for (const Expert& expert : plan_->experts) state.scores.push_back(expert.score);
  return state;
}

void AdaptiveSchedule::restore(AdaptiveState state) {
  waits_ = std::move(state.waits);
  scored_ = waits_.size();
  scores_ = std::move(state.scores);
  last_batch_ = state.last_batch;
  awaited_from_ = state.awaited_from;
}

}  // namespace remitod::scheduler
