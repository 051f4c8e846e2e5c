#include "scheduler/phase.h"

#include <algorithm>
#include <bit>

namespace remitod::scheduler {
namespace {

constexpr std::size_t requests_per_point = 4;

Second points_for(std::size_t requests, Second interval, Second slack) {
  if (requests * slack >= interval) return interval;
  return static_cast<Second>(std::max<std::size_t>(1, std::bit_floor(requests / requests_per_point)));
}

}  // namespace

std::uint64_t mix(std::uint64_t bits) {
  bits += 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31);
}

Second phase(std::int64_t shipment_id, Second interval) {
  return static_cast<Second>(mix(static_cast<std::uint64_t>(shipment_id)) % interval);
}

Second PhaseGrid::phase_of(std::int64_t shipment_id) const {
  const std::uint64_t point = std::uint64_t{phase(shipment_id, interval_)} * points_ / interval_;
  return static_cast<Second>(point * interval_ / points_) + offset_;
}

Second PhaseGrid::next_point(Second moment, std::int64_t shipment_id) const {
  const Second first = later(moment, 1);
  const Second missing = (phase_of(shipment_id) + interval_ - first % interval_) % interval_;
  return later(first, missing);
}

Second grid_points(std::size_t shipments, std::size_t batch_max, Second interval, Second slack, Second present) {
  if (batch_max == 1) return interval;
  const std::size_t requests = (shipments + batch_max - 1) / batch_max;
  const Second wanted = points_for(requests, interval, slack);
  if (wanted >= present) return wanted;
  return std::min(present, points_for(requests + requests / 3 + 1, interval, slack));
}

Second grid_offset(std::string_view carrier, Second interval, Second points) {
  std::uint64_t bits = 0;
  for (const char c : carrier) bits = mix(bits ^ static_cast<unsigned char>(c));
  return static_cast<Second>(bits % std::max<Second>(1, interval / points));
}

}  // namespace remitod::scheduler
