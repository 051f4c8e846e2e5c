// Why a lane asks as it does, for people: what it has learned, what it spends, and why a shipment is next asked when it
// is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/adaptive_calendar.h"
#include "scheduler/budget.h"
#include "scheduler/delay_estimate.h"
#include "scheduler/lane.h"

namespace remitod::scheduler {

inline constexpr std::size_t slots_per_week = 7 * slots_per_day;

struct LaneExplanation {
  bool adaptive = false;
  std::chrono::seconds interval{};      ///< of a lane that is not
  std::chrono::seconds max_interval{};  ///< of one that is, as all of the following
  std::size_t shipments = 0;

  std::size_t waits = 0;           ///< statuses that were seen, and are remembered
  std::optional<Instant> planned;  ///< when the plan was made; none: nothing is known yet, all are asked hourly
  std::string_view follows;        ///< "a carrier of its own", "the usual carrier", "a carrier that has just changed"
  bool drifting = false;
  /// Publications that are expected of the open shipments, per slot of a week, Monday 00:00 by the carrier's clock
  /// first; shares of the whole.
  std::vector<float> curve;
  struct Peak {
    std::chrono::minutes from{}, to{};  ///< of the day, by the carrier's clock
    double share = 0;                   ///< of all publications
  };
  std::vector<Peak> peaks;  ///< the largest first; what stands out of the day

  struct Batches {
    bool found = false;
    std::optional<Instant> since, last, awaited_from, next_look;
    double size = 0;       ///< statuses
    double gap_hours = 0;  ///< from one to the next, usually
    double stragglers = 0;
    std::size_t sentinels = 0;
    std::vector<std::chrono::minutes> sweeps;  ///< after the first sight
    bool under_way = false;
  };
  Batches batches;

  ScheduleConfig::Budget budget;
  Prices prices;
  Budget::Period spent;  ///< of the last two days or so
  DelaySummary delays;   ///< of the last `delay_days`
  static constexpr int delay_days = 14;
};

struct ShipmentExplanation {
  enum class Because : std::uint8_t {
    by_hand,       ///< marked by a resync
    under_way,     ///< a request asks about it now
    phase,         ///< its second of the interval
    cold,          ///< nothing is known yet: hourly
    worth_it,      ///< then the delay that is to be expected is worth a poll
    max_interval,  ///< nobody waits longer
    looked_for,    ///< a sentinel or a sweep asks it, or an answer that failed is asked for again
  };
  Because because = Because::phase;
  std::string_view stage;  ///< what its status is to the model
  Instant next_due{};      ///< in the past: overdue
  std::optional<Instant> may_ride_from, next_round;
  Instant longest{};         ///< nobody waits longer
  double chance_now = 0;     ///< that something was published since it was asked last
  double chance_then = 0;    ///< that something will have been, by next_due
  double price_minutes = 0;  ///< what a poll is worth
  Hold hold;                 ///< what may keep it waiting
  BreakerState breaker = BreakerState::closed;
};
std::string_view name(ShipmentExplanation::Because because);

}  // namespace remitod::scheduler
