// Traces of carriers that do not exist: shipments with random waits, published at once or in batches.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "scheduler/backtest.h"

namespace remitod::test {

/// A stream of random numbers that is the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double uniform();  ///< [0, 1)
  double exponential(double mean);
  double normal();  ///< mean 0, deviation 1
 private:
  std::uint64_t state_;
};

/// Monday 2026-01-05 00:00 UTC.
inline constexpr scheduler::Second monday = 1'767'571'200;

/// When a carrier shows what happened at a moment.
using Publishes = std::function<scheduler::Second(scheduler::Second happened)>;

Publishes at_once();
/// Each hour at this minute.
Publishes hourly_at(scheduler::Second minute);
/// On working days (Monday to Saturday), once, at this minute of the day and up to `jitter` minutes to either side (by
/// day, normally distributed); within `spread` minutes after that.
Publishes daily_at(scheduler::Second minute_of_day, double jitter_minutes, scheduler::Second spread_minutes = 5);

/// Whichever comes first.
Publishes first_of(std::vector<Publishes> ways);
/// Nothing on this day, which begins at a moment of UTC: what would have come then comes as `publishes` has it after
/// it.
Publishes not_on(scheduler::Second day, Publishes publishes);
/// One way until a moment, another from then on.
Publishes changing(scheduler::Second moment, Publishes before, Publishes after);

struct CarrierSketch {
  std::int64_t carrier = 0;
  Publishes publishes;
  int shipments_a_day = 10;
  int statuses = 2;
  double wait_days = 4;  ///< mean, of each status
};

/// Shipments are created for `days` from `monday` on; things happen between 8 and 22 h.
std::vector<scheduler::TraceRow> make_trace(const std::vector<CarrierSketch>& carriers, int days, std::uint64_t seed);

}  // namespace remitod::test
