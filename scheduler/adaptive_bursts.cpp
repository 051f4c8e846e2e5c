#include "scheduler/adaptive_bursts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace remitod::scheduler {
namespace {

constexpr double half_life_s = 14.0 * day_s;
/// A batch is out within a quarter of an hour of its first sight, mostly: who was looked at in vain later than that was
/// not in it.
constexpr Second burst_s = 900;
/// And who was in it is seen within the hour, unless nobody looked.
constexpr Second burst_seen_s = 3600;
/// A batch has at least two statuses, and a quarter of what is usual.
constexpr double batch_size_min = 2, batch_share_min = 0.25;
/// Where a batch was found late, it is placed within this long before.
constexpr Second placed_within_s = 2 * day_s;
/// Prior weights in days of evidence: any slot is like any other, and a day type like all days.
constexpr double flat_days = 0.3, all_days_days = 2;
constexpr float rate_max = 0.95F;
constexpr int rate_iterations = 6, lag_iterations = 25;

/// Greedy stabbing: the earliest sight opens a burst, and takes in whoever may have been published with it.
std::vector<Burst> stab(std::span<const Wait> ended) {
  std::vector<Burst> bursts;
  std::vector<bool> taken(ended.size());
  for (std::size_t i = 0; i < ended.size(); ++i) {
    if (taken[i]) continue;
    Burst burst{.lo = 0, .hi = ended[i].hi, .waits = {}};
    for (std::size_t j = i; j < ended.size() && ended[j].hi <= later(burst.hi, burst_seen_s); ++j) {
      if (taken[j] || ended[j].lo >= later(burst.hi, burst_s)) continue;
      taken[j] = true;
      burst.waits.push_back(j);
      if (ended[j].lo < burst.hi) burst.lo = std::max(burst.lo, ended[j].lo);
    }
    bursts.push_back(std::move(burst));
  }
  return bursts;
}

/// The mean size of the burst that a publication is in.
double usual_size(std::span<const Burst> bursts, std::size_t publications) {
  double squares = 0;
  for (const Burst& burst : bursts) squares += static_cast<double>(burst.waits.size() * burst.waits.size());
  return squares / static_cast<double>(std::max<std::size_t>(publications, 1));
}

template <std::size_t n>
double around(const std::array<double, n>& values, std::size_t day, std::size_t slot) {
  const std::size_t base = day * slots_per_day;
  return (values[base + (slot + slots_per_day - 1) % slots_per_day] + 2 * values[base + slot] +
          values[base + (slot + 1) % slots_per_day]) /
         4;
}

using Slots = std::array<double, slot_classes>;

/// How many days (with forgetting) a batch was awaited in each slot.
Slots days_awaited(std::span<const Burst> batches, const AdaptiveCalendar& calendar, Second now, Second rest) {
  Slots days{};
  Second from = batches.front().hi;
  for (std::size_t i = 0; i <= batches.size(); ++i) {
    const Second until = i < batches.size() ? batches[i].lo / 2 + batches[i].hi / 2 : now;
    for (Second at = from; at < until; at += slot_s) days[calendar.slot_class(at)] += batch_weight(at, now);
    if (i < batches.size()) from = std::max(until, later(batches[i].hi, rest));
  }
  return days;
}

/// Spreads one batch over the slots in which it may have begun, by their rates.
void place(const Burst& batch, const AdaptiveCalendar& calendar, const std::array<float, slot_classes>& rates,
           double weight, Slots& events) {
  const Second from = std::max(batch.lo, batch.hi - std::min(batch.hi, placed_within_s));
  const auto for_each_part = [&](auto&& visit) {
    for (Second at = from; at < batch.hi;) {
      const Second next = std::min(batch.hi, at / slot_s * slot_s + slot_s);
      const std::size_t slot = calendar.slot_class(at);
      visit(slot, static_cast<double>(rates[slot]) * (next - at));
      at = next;
    }
  };
  double sum = 0;
  for_each_part([&](std::size_t, double part) { sum += part; });
  for_each_part([&](std::size_t slot, double part) { events[slot] += weight * part / sum; });
}

std::array<float, slot_classes> rates_from(const Slots& events, const Slots& days) {
  std::array<double, slots_per_day> all_events{}, all_days{};
  for (std::size_t i = 0; i < slot_classes; ++i) {
    all_events[i % slots_per_day] += events[i];
    all_days[i % slots_per_day] += days[i];
  }
  const double flat =
      std::reduce(all_events.begin(), all_events.end()) / std::max(1.0, std::reduce(all_days.begin(), all_days.end()));
  std::array<float, slot_classes> rates;
  for (std::size_t i = 0; i < slot_classes; ++i) {
    const std::size_t day = i / slots_per_day, slot = i % slots_per_day;
    const double all = (around(all_events, 0, slot) + flat_days * flat) / (around(all_days, 0, slot) + flat_days);
    const double rate = (around(events, day, slot) + all_days_days * all) / (around(days, day, slot) + all_days_days);
    rates[i] = std::min(static_cast<float>(rate), rate_max);
  }
  return rates;
}

}  // namespace

double batch_weight(Second at, Second now) {
  return std::exp2((static_cast<double>(at) - now) / half_life_s);
}

Bursts find_bursts(std::span<const Wait> ended) {
  Bursts found{stab(ended), 0};
  const double size_min = std::max(batch_size_min, batch_share_min * usual_size(found.batches, ended.size()));
  std::vector<std::size_t> loose;
  std::erase_if(found.batches, [&](const Burst& burst) {
    if (static_cast<double>(burst.waits.size()) >= size_min) return false;
    loose.insert(loose.end(), burst.waits.begin(), burst.waits.end());
    return true;
  });
  for (const std::size_t index : loose) {
    const Wait& wait = ended[index];
    // The first batch that was not over when this shipment was looked at in vain.
    const auto batch = std::ranges::partition_point(
        found.batches, [&](const Burst& burst) { return later(burst.hi, burst_s) <= wait.lo; });
    if (batch != found.batches.end() && batch->lo < wait.hi)
      batch->waits.push_back(index);
    else
      ++found.stragglers;
  }
  return found;
}

std::array<float, slot_classes> batch_rates(std::span<const Burst> batches, const AdaptiveCalendar& calendar,
                                            Second now, Second rest) {
  const Slots days = days_awaited(batches, calendar, now, rest);
  std::array<float, slot_classes> rates;
  rates.fill(1);
  for (int iteration = 0; iteration < rate_iterations; ++iteration) {
    Slots events{};
    for (const Burst& batch : batches.subspan(1)) place(batch, calendar, rates, batch_weight(batch.hi, now), events);
    rates = rates_from(events, days);
  }
  return rates;
}

std::array<float, lag_bins> out_by_lag(std::span<const Burst> batches, std::span<const Wait> ended) {
  // Where looks were too coarse to tell, early is likelier than late: half as likely for each ten minutes. It weighs
  // as much as half a publication.
  std::array<double, lag_bins> prior{};
  for (std::size_t i = 0; i < lag_bins; ++i) prior[i] = 0.25 * std::exp2(-static_cast<double>(i + 1) / 2);
  std::array<double, lag_bins> share = prior;
  for (int iteration = 0; iteration < lag_iterations; ++iteration) {
    std::array<double, lag_bins> events = prior;
    for (const Burst& batch : batches) {
      const auto bin = [&](Second at) -> std::size_t {
        if (at <= batch.hi) return 0;
        return std::min<std::size_t>(lag_bins - 1, (at - batch.hi + lag_bin_s - 1) / lag_bin_s);
      };
      for (const std::size_t index : batch.waits) {
        const Wait& wait = ended[index];
        const std::size_t to = bin(wait.hi);
        const std::size_t from = wait.lo < batch.hi ? 0 : std::min(bin(wait.lo) + 1, to);
        double sum = 0;
        for (std::size_t i = from; i <= to; ++i) sum += share[i];
        for (std::size_t i = from; i <= to; ++i) events[i] += share[i] / sum;
      }
    }
    const double all = std::reduce(events.begin(), events.end());
    for (std::size_t i = 0; i < lag_bins; ++i) share[i] = events[i] / all;
  }
  std::array<float, lag_bins> out;
  double sum = 0;
  for (std::size_t i = 0; i < lag_bins; ++i) out[i] = static_cast<float>(sum += share[i]);
  return out;
}

}  // namespace remitod::scheduler
