#include "scheduler/phase.h"

namespace remitod::scheduler {

std::uint64_t mix(std::uint64_t bits) {
  bits += 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31);
}

Second phase(std::int64_t shipment_id, Second interval) {
  return static_cast<Second>(mix(static_cast<std::uint64_t>(shipment_id)) % interval);
}

Second next_point(Second moment, std::int64_t shipment_id, Second interval) {
  const Second first = later(moment, 1);
  const Second missing = (phase(shipment_id, interval) + interval - first % interval) % interval;
  return later(first, missing);
}

}  // namespace remitod::scheduler
