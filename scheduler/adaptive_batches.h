// Carriers that publish in batches: one event makes many statuses visible at once, so that to see one of them tells
// that the others are there. A few sentinels are asked instead of everybody until the batch is out; then all are.
//
// The batch itself is an event that is looked for, and so the table of poll_policy.h says when: with the rate of
// batches while one is awaited, and with the price of a request of sentinels per status in the batch.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "scheduler/adaptive_bursts.h"
#include "scheduler/budget.h"
#include "scheduler/poll_policy.h"

namespace remitod::scheduler {

struct BatchRegime {
  bool found = false;  ///< sentinels are cheaper than asking each shipment at its own times; else the rest says why not
  std::array<float, steps_per_week + 1>
      awaited{};                                 ///< running sum over the week: expected batches while one is awaited
  std::array<float, steps_per_week + 1> work{};  ///< running sum over the week: usual minutes' worth of publications
  InspectionTable sentinel_table;
  std::uint16_t sentinels = 1;        ///< shipments to ask while it is awaited
  float sentinel_price = 0;           ///< of one request of sentinels, minutes of delay of a whole batch
  float hit = 0;                      ///< probability that they show a batch which is out
  float size = 0;                     ///< statuses in a batch
  float chance_scale = 1;             ///< makes the chances of the open shipments add up to `size`
  float stragglers = 0;               ///< share of statuses that no batch brings
  std::uint8_t straggler_levels = 0;  ///< how much lower, in half octaves, their rate is than that of all
  Second rest = 0;                    ///< no batch follows another within this
  Second gap = 0;                     ///< from one to the next, usually
  std::array<float, lag_bins> out_by_lag{};
  std::vector<Second> sweeps;  ///< when to ask everybody, after the first sight; not empty where found
  float cost = 0;              ///< minutes per status, delay and price, with sentinels
  float table_cost = 0;        ///< and with each shipment at its own times

  /// Enough batches have been seen to tell whether to look for them; else it is not known whether there are any.
  bool judged() const { return gap != 0; }
  /// Expected batches in (from, to], while one is awaited.
  double expected(const AdaptiveCalendar& calendar, Second from, Second to) const;
  /// What (from, to] is worth in minutes of an average day: little on a Sunday.
  double worked(const AdaptiveCalendar& calendar, Second from, Second to) const;
  /// Share of a batch that is out this long after its first sight.
  double out_after(Second lag) const {
    return double{out_by_lag[std::min<std::size_t>(lag / lag_bin_s, lag_bins - 1)]};
  }
};

/// An open shipment, as far as its chance to be in the next batch matters.
struct Candidate {
  StatusNumber status = 0;
  Second entered = 0;
};

struct BatchInput {
  std::span<const Wait> waits;
  std::span<const Candidate> open;
  const PublicationModel& model;
  const AdaptiveCalendar& calendar;
  Second now = 0;
  Prices prices;
  int batch_max = 1;
  double table_cost_a_minute = 0;  ///< what all open shipments cost together, each asked at its own times
};
BatchRegime find_batch_regime(const BatchInput& input);

}  // namespace remitod::scheduler
