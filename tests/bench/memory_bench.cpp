// What a million open shipments take in the lanes, half of which are adaptive: by the lanes' own count and by what the
// process grew.

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/adaptive_config.h"
#include "scheduler/lane.h"

namespace {

long resident_kb() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return resident * 4;
}

}  // namespace

int main() {
  using namespace remitod;
  constexpr std::int64_t shipments = 1'000'000, carriers = 200;
  const Instant now = from_micros(1'795'000'000'000'000);
  const long before = resident_kb();
  std::vector<scheduler::Lane> lanes;
  for (int carrier = 0; carrier < carriers; ++carrier) {
    scheduler::LaneConfig config;
    config.carrier = "carrier-" + std::to_string(carrier);
    if (carrier % 2 == 0) config.adaptive = std::make_shared<const scheduler::AdaptiveConfig>();
    lanes.emplace_back(config, static_cast<std::uint64_t>(carrier));
  }
  char remito[24];
  for (std::int64_t i = 0; i < shipments; ++i) {
    std::snprintf(remito, sizeof remito, "1217400%013lld", static_cast<long long>(i));
    scheduler::Lane& lane = lanes[static_cast<std::size_t>(i % carriers)];
    const auto slot = lane.add({i, remito, now, now - std::chrono::seconds{i % 3600}}, now);
    lane.set_fingerprints(slot, fingerprint(remito), fingerprint(remito) + 1);
  }
  std::size_t counted = 0;
  for (const scheduler::Lane& lane : lanes) counted += lane.memory_bytes();
  std::printf("{\"shipments\": %lld, \"bytes_per_shipment_counted\": %.1f, \"bytes_per_shipment_resident\": %.1f}\n",
              static_cast<long long>(shipments), static_cast<double>(counted) / static_cast<double>(shipments),
              static_cast<double>(resident_kb() - before) * 1024 / static_cast<double>(shipments));
}
