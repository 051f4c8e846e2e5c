#include "scheduler/adaptive_batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace remitod::scheduler {
namespace {

/// Older batches say nothing: three half-lives.
constexpr Second history_s = 42 * day_s;
/// Sentinels pay where batches are rare: where the busiest tenth of the slots has half of the publications.
constexpr double concentration_min = 0.5;
constexpr std::size_t batches_min = 4;
/// The cost of asking each at its own times takes the rates for known exactly. Sentinels see what really happens, and
/// so they are preferred until they look dearer by this factor.
constexpr double preference = 1.6;
constexpr double chance_scale_min = 0.2, chance_scale_max = 5;

/// Share of the carrier's events in its busiest tenth of slots.
double concentration(const PublicationModel& model) {
  std::array<double, slots_per_day> day{};
  for (const StatusRates& rates : model.statuses)
    for (std::size_t i = 0; i < slot_classes; ++i) day[i % slots_per_day] += double{rates.by_slot[i]};
  std::ranges::sort(day, std::greater{});
  return std::reduce(day.begin(), day.begin() + slots_per_day / 10) / std::reduce(day.begin(), day.end());
}

std::vector<Wait> recent_ended(const BatchInput& input) {
  std::vector<Wait> ended;
  std::ranges::copy_if(input.waits, std::back_inserter(ended),
                       [&](const Wait& wait) { return wait.hi != 0 && later(wait.hi, history_s) > input.now; });
  std::ranges::sort(ended, {}, &Wait::hi);
  return ended;
}

/// Usual gap, shortest rest and size.
void measure(std::span<const Burst> batches, Second now, BatchRegime& regime) {
  std::vector<Second> gaps;
  for (std::size_t i = 1; i < batches.size(); ++i) gaps.push_back(batches[i].hi - batches[i - 1].hi);
  std::ranges::sort(gaps);
  regime.gap = std::max(gaps[gaps.size() / 2], hour_s);
  regime.rest = gaps[gaps.size() / 10] / 2;
  double statuses = 0, weights = 0;
  for (const Burst& batch : batches) {
    statuses += batch_weight(batch.hi, now) * static_cast<double>(batch.waits.size());
    weights += batch_weight(batch.hi, now);
  }
  regime.size = static_cast<float>(statuses / weights);
}

/// Chances that the open shipments are in the next batch, largest first; scaled to add up to its size.
std::vector<double> chances(const BatchInput& input, BatchRegime& regime) {
  std::vector<double> events;
  for (const Candidate& shipment : input.open) {
    const std::size_t age = age_bin(input.now - std::min(shipment.entered, input.now));
    events.push_back(double{input.model.of(shipment.status).by_age[age]} * regime.gap / minute_s);
  }
  double scale = 1;
  for (int i = 0; i < 6; ++i) {
    double sum = 0;
    for (const double e : events) sum -= std::expm1(-scale * e);
    scale *= std::clamp(double{regime.size} / std::max(sum, 1e-9), 0.5, 2.0);
  }
  regime.chance_scale = static_cast<float>(std::clamp(scale, chance_scale_min, chance_scale_max));
  for (double& e : events) e = -std::expm1(-double{regime.chance_scale} * e);
  std::ranges::sort(events, std::greater{});
  return events;
}

/// How many sentinels: few are cheap, but miss a batch that is out and have to be sent again. A batch that is found at
/// a look after n vain ones waited n - 1/2 intervals; at the best interval, cost goes with price · (2 / hit - 1).
void choose_sentinels(std::span<const double> chance, const Prices& prices, int batch_max, BatchRegime& regime) {
  double none = 1, best = HUGE_VAL;
  const std::size_t most = std::min(chance.size(), static_cast<std::size_t>(batch_max));
  for (std::size_t m = 1; m <= most; ++m) {
    none *= 1 - chance[m - 1] * (1 + double{regime.out_by_lag[0]}) / 2;
    const double price = (static_cast<double>(m) * prices.poll + prices.request) * (2 / std::max(1 - none, 1e-9) - 1);
    if (price >= best) continue;
    best = price;
    regime.sentinels = static_cast<std::uint16_t>(m);
    regime.hit = static_cast<float>(1 - none);
  }
  regime.sentinel_price = static_cast<float>(best / double{regime.size});
}

/// Fills in when to look for the batch; returns what that costs, delay and sentinels, in minutes per status.
double plan_sentinels(std::span<const Burst> batches, const BatchInput& input, BatchRegime& regime) {
  const auto rates = batch_rates(batches, input.calendar, input.now, regime.rest);
  std::vector<float> per_minute(steps_per_week);
  for (std::size_t i = 0; i < steps_per_week; ++i) {
    const float in_step = rates[slot_class_of_step(i)] * step_s / slot_s;
    per_minute[i] = in_step / (step_s / minute_s);
    regime.awaited[i + 1] = regime.awaited[i] + in_step;
  }
  const Inspection inspection = solve_inspection(per_minute, double{regime.sentinel_price});
  regime.sentinel_table = inspection.table;
  double cost = 0;
  for (const Burst& batch : batches)
    cost += double{inspection.cost[input.calendar.week_step(later(batch.hi, regime.rest))]};
  return cost / static_cast<double>(batches.size());
}

/// Chooses the lags to sweep at, the cheapest set by dynamic programming from the last bin to the first; returns what
/// that costs, in minutes per status. What no sweep finds waits for half a gap.
double plan_sweeps(double sweep_price, BatchRegime& regime) {
  constexpr double bin_minutes = lag_bin_s / minute_s;
  const auto& out = regime.out_by_lag;
  const double size = double{regime.size};
  const auto waiting = [&](std::size_t from, std::size_t to) {  // published in bins from + 1 to `to`, seen at its end
    double minutes = 0;
    for (std::size_t i = from + 1; i <= to; ++i)
      minutes += double{out[i] - out[i - 1]} * bin_minutes * (static_cast<double>(to - i) + 0.5);
    return minutes * size;
  };
  std::array<double, lag_bins> cost{};  // what is left to pay after a sweep at the end of a bin
  std::array<std::size_t, lag_bins> next{};
  for (std::size_t i = lag_bins; i-- > 0;) {
    cost[i] = double{1 - out[i]} * size * regime.gap / minute_s / 2;
    next[i] = lag_bins;
    for (std::size_t j = i + 1; j < lag_bins; ++j) {
      const double candidate = waiting(i, j) + sweep_price + cost[j];
      if (candidate < cost[i]) {
        cost[i] = candidate;
        next[i] = j;
      }
    }
  }
  std::size_t first = 0;
  double best = HUGE_VAL;
  for (std::size_t i = 0; i < lag_bins; ++i) {  // what was out at first sight waits for the first sweep, too
    const double candidate =
        double{out[0]} * size * bin_minutes * static_cast<double>(i) + waiting(0, i) + sweep_price + cost[i];
    if (candidate < best) {
      best = candidate;
      first = i;
    }
  }
  for (std::size_t i = first; i < lag_bins; i = next[i]) regime.sweeps.push_back(static_cast<Second>(i) * lag_bin_s);
  return best / size;
}

/// How the day types differ in what they bring.
void measure_work(const PublicationModel& model, BatchRegime& regime) {
  std::array<double, day_types> day{};
  for (const StatusRates& rates : model.statuses)
    for (std::size_t i = 0; i < slot_classes; ++i)
      day[i / slots_per_day] += double{rates.by_slot[i]} / slots_per_day / static_cast<double>(model.statuses.size());
  for (std::size_t i = 0; i < steps_per_week; ++i)
    regime.work[i + 1] =
        regime.work[i] + static_cast<float>(day[slot_class_of_step(i) / slots_per_day]) * step_s / minute_s;
}

/// Of a running sum over the week.
double between(const std::array<float, steps_per_week + 1>& sum, const AdaptiveCalendar& calendar, Second from,
               Second to) {
  if (to <= from) return 0;
  const auto until = [&](Second moment) {
    const std::size_t step = calendar.week_step(moment);
    return double{sum[step]} + double{sum[step + 1] - sum[step]} * calendar.into_step(moment) / step_s;
  };
  const double week = double{sum.back()};
  const double part = until(to) - until(from);
  return (part < 0 ? part + week : part) + week * std::floor((to - from) / (7.0 * day_s));
}

}  // namespace

double BatchRegime::expected(const AdaptiveCalendar& calendar, Second from, Second to) const {
  return between(awaited, calendar, from, to);
}

double BatchRegime::worked(const AdaptiveCalendar& calendar, Second from, Second to) const {
  return between(work, calendar, from, to);
}

BatchRegime find_batch_regime(const BatchInput& input) {
  BatchRegime regime;
  if (input.open.empty() || concentration(input.model) < concentration_min) return regime;
  const std::vector<Wait> ended = recent_ended(input);
  const Bursts bursts = find_bursts(ended);
  if (bursts.batches.size() < batches_min) return regime;

  measure(bursts.batches, input.now, regime);
  measure_work(input.model, regime);
  regime.out_by_lag = out_by_lag(bursts.batches, ended);
  const std::vector<double> chance = chances(input, regime);
  choose_sentinels(chance, input.prices, input.batch_max, regime);
  const double looking = plan_sentinels(bursts.batches, input, regime);

  const double gap_minutes = regime.gap / minute_s;
  const double swept = static_cast<double>(std::max<std::ptrdiff_t>(
      1, std::ranges::count_if(chance, [&](double p) { return p * gap_minutes / 2 > input.prices.poll; })));
  const double sweeping =
      plan_sweeps(swept * input.prices.poll + std::ceil(swept / input.batch_max) * input.prices.request, regime);

  // A straggler waits for a look at its own low rate: the best for a constant rate costs sqrt(2 price / rate).
  const double stragglers = (static_cast<double>(bursts.stragglers) + 1) / (static_cast<double>(ended.size()) + 2);
  const double rate_each = double{regime.size} / gap_minutes / static_cast<double>(input.open.size());
  const double straggling =
      stragglers * std::min(gap_minutes / 2, std::sqrt(2 * input.prices.poll / (rate_each * stragglers)));
  regime.stragglers = static_cast<float>(stragglers);
  regime.straggler_levels = static_cast<std::uint8_t>(std::lround(-2 * std::log2(stragglers)));

  regime.cost = static_cast<float>(looking + sweeping + straggling);
  regime.table_cost = static_cast<float>(input.table_cost_a_minute * gap_minutes / double{regime.size});
  regime.found = double{regime.cost} < preference * double{regime.table_cost};
  return regime;
}

}  // namespace remitod::scheduler
