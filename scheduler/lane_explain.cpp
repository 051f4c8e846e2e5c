#include "scheduler/lane_explain.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scheduler/lane_impl.h"

namespace remitod::scheduler {
namespace {

using std::chrono::minutes;

constexpr std::size_t peaks_max = 3;
/// A peak goes as far as a quarter of its height, and is worth telling with a tenth of all.
constexpr double peak_edge = 0.25, peak_share_min = 0.1;
/// A peak stands out: twice what its slots would have if all were alike.
constexpr double peak_excess = 2;

std::optional<Instant> known(Second second) {
  return second == 0 ? std::nullopt : std::optional(to_instant(second));
}

std::vector<float> weekly_curve(const PublicationModel& model, std::span<const OpenShipment> open, Second now) {
  std::vector<double> weights(model.statuses.size());
  for (const OpenShipment& shipment : open) {
    const std::size_t status = std::min<std::size_t>(shipment.status, weights.size() - 1);
    weights[status] += double{model.statuses[status].by_age[age_bin(now - std::min(now, shipment.entered))]};
  }
  std::vector<double> curve(slots_per_week);
  constexpr std::size_t steps_per_slot = slot_s / step_s;
  for (std::size_t slot = 0; slot < slots_per_week; ++slot)
    for (std::size_t status = 0; status < weights.size(); ++status)
      curve[slot] +=
          weights[status] * double{model.statuses[status].by_slot[slot_class_of_step(slot * steps_per_slot)]};
  const double sum = std::max(std::reduce(curve.begin(), curve.end()), 1e-12);
  std::vector<float> shares(slots_per_week);
  std::ranges::transform(curve, shares.begin(), [sum](double rate) { return static_cast<float>(rate / sum); });
  return shares;
}

std::vector<LaneExplanation::Peak> peaks_of(std::span<const float> curve) {
  std::array<double, slots_per_day> day{};
  for (std::size_t i = 0; i < curve.size(); ++i) day[i % slots_per_day] += double{curve[i]};
  std::vector<LaneExplanation::Peak> peaks;
  while (peaks.size() < peaks_max) {
    const auto top = std::ranges::max_element(day);
    const double edge = *top * peak_edge;
    auto from = top, to = top + 1;
    while (from != day.begin() && *(from - 1) > edge) --from;
    while (to != day.end() && *to > edge) ++to;
    const double share = std::reduce(from, to);
    const auto slots = static_cast<double>(to - from);
    if (share < peak_share_min || share < peak_excess * slots / slots_per_day) break;
    peaks.push_back(
        {.from = minutes{(from - day.begin()) * 10}, .to = minutes{(to - day.begin()) * 10}, .share = share});
    std::fill(from, to, 0.0);
  }
  return peaks;
}

std::string_view words_for(Hypothesis hypothesis) {
  switch (hypothesis) {
    case Hypothesis::own:
      return "a carrier of its own";
    case Hypothesis::usual:
      return "the usual carrier";
    case Hypothesis::changed:
      return "a carrier that has just changed";
  }
  return "";
}

LaneExplanation::Batches explain_batches(const LaneLearning& learning) {
  const AdaptiveSchedule& schedule = learning.schedule();
  const BatchRegime& regime = schedule.plan()->batches;
  LaneExplanation::Batches batches;
  batches.found = regime.found;
  if (!regime.found) return batches;
  batches.since = known(learning.batches_since());
  batches.last = known(schedule.last_batch());
  batches.awaited_from = known(schedule.awaited_from());
  batches.next_look = schedule.next_round().transform(to_instant);
  batches.size = double{regime.size};
  batches.gap_hours = static_cast<double>(regime.gap) / hour_s;
  batches.stragglers = double{regime.stragglers};
  batches.sentinels = regime.sentinels;
  for (const Second sweep : regime.sweeps) batches.sweeps.emplace_back(sweep / minute_s);
  batches.under_way = schedule.in_batch();
  return batches;
}

}  // namespace

LaneExplanation Lane::explain(Instant now) const {
  const Impl& lane = *impl_;
  LaneExplanation told;
  told.adaptive = lane.config.adaptive != nullptr;
  told.interval = lane.config.interval;
  told.shipments = lane.index.size();
  if (!lane.learning) return told;
  const LaneLearning& learning = *lane.learning;
  const Second moment = to_second(now);
  told.max_interval = learning.config().max_interval;
  told.waits = learning.schedule().waits().size();
  told.budget = learning.config().budget;
  told.prices = learning.budget().prices();
  told.spent = learning.budget().spent();
  told.delays = learning.delays(moment - std::min(moment, LaneExplanation::delay_days * day_s));
  const auto& plan = learning.schedule().plan();
  if (!plan) return told;
  told.planned = to_instant(plan->built_at);
  told.follows = words_for(plan->best);
  told.drifting = plan->drifting();
  told.curve = weekly_curve(plan->model(), lane.open_shipments(moment), moment);
  told.peaks = peaks_of(told.curve);
  told.batches = explain_batches(learning);
  return told;
}

ShipmentExplanation Lane::explain(Slot slot, Instant now) const {
  using Because = ShipmentExplanation::Because;
  const Impl& lane = *impl_;
  const ShipmentRow& row = lane.row(slot);
  const Second moment = to_second(now);
  ShipmentExplanation told;
  told.next_due = next_due(slot);
  told.hold = lane.limits.hold(now);
  told.breaker = lane.breaker.state();
  if (!row.queued())
    told.because = Because::under_way;
  else if (row.resync)
    told.because = Because::by_hand;
  if (!lane.learning) {
    told.longest = row.asked == 0 ? told.next_due : to_instant(later(row.asked, lane.interval()));
    return told;
  }
  const AdaptiveSchedule& schedule = lane.learning->schedule();
  const OpenShipment shipment = lane.open_shipment(slot, moment);
  const Second due = to_second(told.next_due);
  const Second longest = later(shipment.last_asked, schedule.settings().max_interval);
  told.stage = stage_name(shipment.status);
  told.longest = to_instant(longest);
  told.price_minutes = lane.learning->budget().prices().poll;
  told.next_round = lane.next_round(moment).transform(to_instant);
  const bool as_planned = told.because == Because::phase;  // neither by hand nor under way
  if (!schedule.plan()) {
    if (as_planned) told.because = Because::cold;
    return told;
  }
  const auto chance = [&](Second until) {
    return -std::expm1(-expected_events(schedule.plan()->model(), schedule.settings().calendar, shipment.status,
                                        shipment.entered, shipment.last_asked, std::max(until, shipment.last_asked)));
  };
  told.chance_now = chance(moment);
  told.chance_then = chance(std::max(due, moment));
  if (!as_planned) return told;
  told.may_ride_from = to_instant(schedule.may_ride_from(shipment, due));
  if (due >= longest)
    told.because = Because::max_interval;
  else
    told.because = lane.round_at != 0 && due <= lane.round_at ? Because::looked_for : Because::worth_it;
  return told;
}

std::string_view name(ShipmentExplanation::Because because) {
  switch (because) {
    case ShipmentExplanation::Because::by_hand:
      return "by_hand";
    case ShipmentExplanation::Because::under_way:
      return "under_way";
    case ShipmentExplanation::Because::phase:
      return "phase";
    case ShipmentExplanation::Because::cold:
      return "cold";
    case ShipmentExplanation::Because::worth_it:
      return "worth_it";
    case ShipmentExplanation::Because::max_interval:
      return "max_interval";
    case ShipmentExplanation::Because::looked_for:
      return "looked_for";
  }
  return "";
}

}  // namespace remitod::scheduler
