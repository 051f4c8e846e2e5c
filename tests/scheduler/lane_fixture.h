// A lane and a clock that the test moves by hand.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/lane.h"

namespace remitod::scheduler::test {

using namespace std::chrono_literals;

/// Monday, 23 November 2026, 00:00 UTC: a multiple of an hour, as phases are counted from the epoch.
inline constexpr Instant monday = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23};

struct LaneBundle {
  explicit LaneBundle(LaneConfig config, std::uint64_t seed = 1) : lane(std::move(config), seed) {}

  Slot add(std::int64_t shipment_id, Instant last_asked = {}) {
    const std::string remito = "R" + std::to_string(shipment_id);
    return lane.add({.shipment_id = shipment_id, .remito = remito, .registered_at = monday, .last_asked = last_asked},
                    now);
  }
  void add_range(std::int64_t first, std::int64_t last) {
    for (std::int64_t id = first; id <= last; ++id) add(id);
  }
  std::optional<Batch> take() { return lane.take(now); }
  void finish(const Batch& batch, BatchOutcome::Kind kind,
              std::optional<std::chrono::seconds> retry_after = std::nullopt) {
    lane.finish(batch.id, {kind, retry_after}, now);
  }
  /// Moves the clock to the lane's next wake and takes, until it gives something.
  std::optional<Batch> take_next() {
    for (int attempts = 0; attempts < 100; ++attempts) {
      if (std::optional<Batch> batch = take()) return batch;
      const std::optional<Instant> wake = lane.next_wake(now);
      if (!wake) return std::nullopt;
      now = *wake;
    }
    return std::nullopt;
  }
  /// take_next() and an answer, at once.
  std::optional<Batch> ask_next() {
    std::optional<Batch> batch = take_next();
    if (batch) finish(*batch, BatchOutcome::Kind::answered);
    return batch;
  }

  Instant now = monday;
  Lane lane;
};

inline LaneConfig unhurried() {
  LaneConfig config;
  config.carrier = "norte";
  config.requests_per_second = 1000;
  config.concurrency = 1000;
  return config;
}

inline LaneConfig batches_of(int batch_max) {
  LaneConfig config = unhurried();
  config.batch_max = batch_max;
  return config;
}

/// Runs the lane for so long, with every request answered at once. How many requests went out.
inline int run(LaneBundle& b, std::chrono::seconds length, std::map<std::int64_t, std::vector<Instant>>& asked) {
  const Instant end = b.now + length;
  int requests = 0;
  for (;;) {
    if (const std::optional<Batch> batch = b.take()) {
      ++requests;
      for (const Slot slot : batch->slots) asked[b.lane.shipment_id(slot)].push_back(b.now);
      b.finish(*batch, BatchOutcome::Kind::answered);
      continue;
    }
    const std::optional<Instant> wake = b.lane.next_wake(b.now);
    if (!wake || *wake >= end) break;
    b.now = *wake;
  }
  b.now = end;
  return requests;
}

}  // namespace remitod::scheduler::test
