#include "scheduler/publication_model_hints.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "scheduler/limits_hours.h"

namespace remitod::scheduler {
namespace {

/// Events per slot that the hints stand for.
constexpr float hint_events = 4;
/// The share of a carrier's publications that comes when it is said to come, and around when.
constexpr float punctual = 0.8F;
constexpr std::size_t around_slots = 2;

bool falls_on(const PublicationHint& hint, DayType type) {
  switch (type) {
    case DayType::monday_to_thursday:
      return hint.days[0] || hint.days[1] || hint.days[2] || hint.days[3];
    case DayType::friday:
      return hint.days[4];
    case DayType::saturday:
      return hint.days[5];
    case DayType::sunday:
      return hint.days[6];
  }
  return false;
}

/// Mean 1 over the slots.
std::array<float, slot_classes> hinted_rates(std::span<const PublicationHint> hints) {
  std::array<float, slot_classes> mass{};
  for (const PublicationHint& hint : hints)
    for (std::size_t day = 0; day < day_types; ++day) {
      if (!falls_on(hint, static_cast<DayType>(day))) continue;
      const std::size_t slot = static_cast<std::size_t>(hint.time_of_day.count()) * minute_s / slot_s;
      for (std::size_t k = 0; k <= 2 * around_slots; ++k) {
        const std::size_t off = k > around_slots ? k - around_slots : around_slots - k;
        mass[day * slots_per_day + (slot + slots_per_day + k - around_slots) % slots_per_day] +=
            std::exp2(-static_cast<float>(off));
      }
    }
  const float all = std::reduce(mass.begin(), mass.end());
  for (float& rate : mass) rate = 1 - punctual + (all > 0 ? punctual * rate / all * slot_classes : punctual);
  return mass;
}

}  // namespace

std::expected<PublicationHint, std::string> PublicationHint::parse(std::string_view text) {
  // What a rule of opening hours says of its beginning.
  const auto rule = HoursRule::parse(std::string(text) + "-24:00");
  PublicationHint hint;
  if (rule)
    for (std::size_t day = 0; day < hint.days.size(); ++day) hint.days[day] = rule->days[day];
  if (!rule || hint.days.none() || (rule->days[HoursRule::holiday] && !rule->days.all()))
    return std::unexpected("\"" + std::string(text.substr(0, 60)) +
                           "\": expected a time, or days and a time, such as \"daily 20:00\" or \"mon-fri 13:00\"");
  hint.time_of_day = rule->from;
  return hint;
}

Population with_hints(Population population, std::span<const PublicationHint> hints) {
  if (hints.empty()) return population;
  const auto rates = hinted_rates(hints);
  population.statuses.resize(statuses_max);
  for (StatusCounts& counts : population.statuses) {
    counts.exposure_by_slot.fill(hint_events);
    std::ranges::transform(rates, counts.events_by_slot.begin(), [](float rate) { return rate * hint_events; });
  }
  return population;
}

}  // namespace remitod::scheduler
