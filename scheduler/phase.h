// The stable phase: which second of every interval belongs to a shipment.
//
// As in Prometheus, the offset is a hash of the target modulo the interval: the load spreads evenly, nothing has to be
// stored, and a restart asks each shipment at the very second at which it would have been asked anyway.
//
// Where a request carries many shipments and there are few of them, phases fall together on a grid: as many points as
// full requests need, so that those who are due together fill a request, each still once an interval.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "scheduler/moments.h"

namespace remitod::scheduler {

/// Spreads any 64 bits over 64 bits, one to one (the finaliser of splitmix64). Never to be changed: phases follow it.
std::uint64_t mix(std::uint64_t bits);

/// In [0, interval).
Second phase(std::int64_t shipment_id, Second interval);

class PhaseGrid {
 public:
  /// Every second of the interval is a point.
  explicit PhaseGrid(Second interval) : PhaseGrid(interval, interval, 0) {}
  /// `points` per interval, equally far apart, the first one `offset` after its beginning. 1 <= points <= interval,
  /// offset < interval / points.
  PhaseGrid(Second interval, Second points, Second offset) : interval_(interval), points_(points), offset_(offset) {}

  Second points() const { return points_; }
  /// The shipment's points are the seconds s with s mod interval = phase.
  Second phase_of(std::int64_t shipment_id) const;
  /// The shipment's first point after `moment` (never `moment` itself).
  Second next_point(Second moment, std::int64_t shipment_id) const;

 private:
  Second interval_, points_, offset_;
};

/// How many points a lane wants, of `interval` seconds, with so many shipments: all seconds, where requests fill up
/// with those who are due within `slack` seconds; else a power of two, so that four full requests or more meet at a
/// point. `present` are the points that it has: it keeps them until a quarter less shipments would have left them, so
/// that one who comes and goes moves nobody.
Second grid_points(std::size_t shipments, std::size_t batch_max, Second interval, Second slack, Second present);

/// Of the first point of a carrier's grid, so that carriers do not all begin at the full hour.
Second grid_offset(std::string_view carrier, Second interval, Second points);

}  // namespace remitod::scheduler
