// The batches that a carrier published, as far as the waits of its shipments show them; when to expect one; and how one
// dribbles out.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "scheduler/publication_model.h"

namespace remitod::scheduler {

/// Publications that may have been one event: it began in (lo, hi], `hi` being its first sight.
struct Burst {
  Second lo = 0, hi = 0;
  std::vector<std::size_t> waits;  ///< indices
};

struct Bursts {
  std::vector<Burst> batches;  ///< in order of first sight
  std::size_t stragglers = 0;  ///< publications that no batch explains
};

/// `ended`: sorted by `hi`. As few events as the gaps between looks admit; those far below the usual size are no
/// batches.
Bursts find_bursts(std::span<const Wait> ended);

/// Batches per slot while one is awaited, which is not the case within `rest` after the last one. `batches`: not empty.
std::array<float, slot_classes> batch_rates(std::span<const Burst> batches, const AdaptiveCalendar& calendar,
                                            Second now, Second rest);

/// Lag of a publication behind the first sight of its batch: bin 0 is "not later", then bins of five minutes.
inline constexpr std::size_t lag_bins = 13;
inline constexpr Second lag_bin_s = 300;

/// Share of a batch that is out by the end of each bin.
std::array<float, lag_bins> out_by_lag(std::span<const Burst> batches, std::span<const Wait> ended);

/// What a batch of that time counts now: half for each two weeks.
double batch_weight(Second at, Second now);

}  // namespace remitod::scheduler
