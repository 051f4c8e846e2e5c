#include "scheduler/publication_evidence.h"

#include <algorithm>
#include <cmath>

namespace remitod::scheduler {
namespace {

constexpr double slot_minutes = static_cast<double>(slot_s) / minute_s;
/// Waits that ended longer ago say nothing: four half-lives.
constexpr Second history_s = 84 * day_s;

Second end_of(const Wait& wait) {
  return wait.hi == 0 ? wait.lo : wait.lo + (wait.hi - wait.lo) / 2;
}

/// Shipments at risk in each slot of the past, by age: counted with differences, then folded into slot classes.
void count_exposure(std::span<const Wait> waits, const AdaptiveCalendar& calendar, Second now, double half_life_s,
                    PublicationEvidence& evidence) {
  Second earliest = now;
  for (const Wait& wait : waits) earliest = std::min(earliest, wait.entered);
  const Second first = std::max(earliest, now > history_s ? now - history_s : 0) / slot_s;
  const std::size_t slots = now / slot_s - first + 2;
  std::vector<std::uint16_t> classes(slots);
  std::vector<float> weights(slots);
  for (std::size_t i = 0; i < slots; ++i) {
    const Second at = (first + static_cast<Second>(i)) * slot_s;
    classes[i] = static_cast<std::uint16_t>(calendar.slot_class(at));
    weights[i] = static_cast<float>(slot_minutes * std::exp2((static_cast<double>(at) - now) / half_life_s));
  }
  std::vector<float> steps(slots);
  for (std::size_t status = 0; status < evidence.exposure.size(); ++status) {
    for (std::size_t age = 0; age < age_bins; ++age) {
      const Second young = Second{age_bins_h[age]} * 3600;
      const Second old = age + 1 < age_bins ? Second{age_bins_h[age + 1]} * 3600 : ~Second{0};
      std::size_t lowest = slots, highest = 0;
      for (const Wait& wait : waits) {
        if (wait.status != status) continue;
        const Second from = later(wait.entered, young);
        const Second to = std::min(end_of(wait), later(wait.entered, old));
        if (to <= from || to / slot_s < first) continue;
        // A part of a slot counts as that part.
        const auto mark = [&](Second at, float sign) {
          const Second in = std::max(at, first * slot_s) - first * slot_s;
          const std::size_t slot = std::min<std::size_t>(in / slot_s, slots - 2);
          const float share = static_cast<float>(in % slot_s) / slot_s;
          steps[slot] += sign * (1 - share);
          steps[slot + 1] += sign * share;
          lowest = std::min(lowest, slot);
          highest = std::max(highest, slot + 1);
        };
        mark(from, 1);
        mark(to, -1);
      }
      if (lowest > highest) continue;
      auto& minutes = evidence.exposure[status].minutes[age];
      float at_risk = 0;
      for (std::size_t i = lowest; i <= highest; ++i) {
        at_risk += steps[i];
        minutes[classes[i]] += at_risk * weights[i];
        steps[i] = 0;
      }
    }
  }
}

void add_gap(const Wait& wait, const AdaptiveCalendar& calendar, Second now, double half_life_s,
             PublicationEvidence& evidence) {
  Gap gap{.status = wait.status,
          .weight = static_cast<float>(std::exp2((static_cast<double>(wait.hi) - now) / half_life_s)),
          .first = evidence.pieces.size()};
  for (Second at = wait.lo; at < wait.hi && evidence.pieces.size() - gap.first < slots_of_gap_max;) {
    const Second next = std::min(wait.hi, at / slot_s * slot_s + slot_s);
    evidence.pieces.push_back({static_cast<std::uint16_t>(calendar.slot_class(at)),
                               static_cast<std::uint8_t>(age_bin(at > wait.entered ? at - wait.entered : 0)),
                               static_cast<float>(next - at) / slot_s});
    at = next;
  }
  gap.last = evidence.pieces.size();
  evidence.gaps.push_back(gap);
}

}  // namespace

PublicationEvidence gather_evidence(std::span<const Wait> waits, const AdaptiveCalendar& calendar, Second now,
                                    double half_life_days) {
  const double half_life_s = half_life_days * day_s;
  PublicationEvidence evidence;
  std::size_t statuses = 1;
  for (const Wait& wait : waits) statuses = std::max<std::size_t>(statuses, wait.status + 1U);
  evidence.exposure.resize(statuses);
  count_exposure(waits, calendar, now, half_life_s, evidence);
  for (const Wait& wait : waits)
    if (wait.hi != 0 && later(wait.hi, history_s) > now) add_gap(wait, calendar, now, half_life_s, evidence);
  return evidence;
}

}  // namespace remitod::scheduler
