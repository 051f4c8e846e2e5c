#include "tests/scheduler/published_trace.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "scheduler/phase.h"

namespace remitod::test {

using scheduler::day_s;
using scheduler::hour_s;
using scheduler::minute_s;
using scheduler::Second;
using scheduler::TraceRow;

std::uint64_t Dice::next() {
  return scheduler::mix(++state_);
}

double Dice::uniform() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

double Dice::exponential(double mean) {
  return -mean * std::log1p(-uniform());
}

double Dice::normal() {
  return std::sqrt(-2 * std::log1p(-uniform())) * std::cos(2 * std::numbers::pi * uniform());
}

Publishes at_once() {
  return [](Second happened) { return happened; };
}

Publishes hourly_at(Second minute) {
  return [minute](Second happened) {
    return (happened - minute * minute_s + hour_s - 1) / hour_s * hour_s + minute * minute_s;
  };
}

Publishes daily_at(Second minute_of_day, double jitter_minutes, Second spread_minutes) {
  return [=](Second happened) {
    for (Second day = happened / day_s;; ++day) {
      if ((day + 3) % 7 == 6) continue;
      Dice dice(scheduler::mix(day) ^ minute_of_day);
      const auto late = static_cast<Second>(std::max(0.0, minute_of_day + dice.normal() * jitter_minutes) * minute_s);
      const Second batch = day * day_s + late;
      if (batch < happened) continue;
      return batch + static_cast<Second>(scheduler::mix(happened) % (spread_minutes * minute_s + 1));
    }
  };
}

Publishes first_of(std::vector<Publishes> ways) {
  return [ways = std::move(ways)](Second happened) {
    Second first = ~Second{0};
    for (const Publishes& way : ways) first = std::min(first, way(happened));
    return first;
  };
}

Publishes not_on(Second day, Publishes publishes) {
  return [day, publishes = std::move(publishes)](Second happened) {
    const Second published = publishes(happened);
    return published >= day && published < day + day_s ? publishes(day + day_s) : published;
  };
}

Publishes changing(Second moment, Publishes before, Publishes after) {
  return [=](Second happened) {
    const Second published = happened < moment ? before(happened) : moment;
    return published < moment ? published : after(std::max(happened, moment));
  };
}

std::vector<TraceRow> make_trace(const std::vector<CarrierSketch>& carriers, int days, std::uint64_t seed) {
  std::vector<TraceRow> rows;
  Dice dice(seed);
  // Working hours: what happens at night is moved to the day.
  const auto by_day = [](double moment) {
    const auto at = static_cast<Second>(moment);
    return at / day_s * day_s + 8 * hour_s + static_cast<Second>(at % day_s * 14.0 / 24);
  };
  std::int64_t ship = 0;
  for (const CarrierSketch& carrier : carriers) {
    for (int i = 0; i < carrier.shipments_a_day * days; ++i) {
      const double created = monday + dice.uniform() * days * day_s;
      Second happened = by_day(created);
      const Second entered = happened;
      Second published = 0;
      for (std::int32_t status = 1; status <= carrier.statuses; ++status) {
        happened = std::max(happened, by_day(happened + dice.exponential(carrier.wait_days * day_s)));
        published = std::max(published, carrier.publishes(happened));
        rows.push_back({ship, carrier.carrier, entered, published, status, status == carrier.statuses});
      }
      ++ship;
    }
  }
  std::ranges::sort(rows, {}, [](const TraceRow& row) { return std::pair{row.published, row.ship}; });
  return rows;
}

}  // namespace remitod::test
