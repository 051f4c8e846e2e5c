// What a lane says of its memory against what it really allocates.

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "scheduler/adaptive_config.h"
#include "scheduler/lane.h"
#include "tests/scheduler/lane_fixture.h"

namespace {
std::size_t live_bytes = 0;
}

void* operator new(std::size_t size) {
  void* const memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  live_bytes += malloc_usable_size(memory);
  return memory;
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void operator delete(void* memory) noexcept {
  if (memory) live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  operator delete(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace remitod::scheduler {
namespace {

using test::monday;

constexpr std::int64_t million = 1'000'000;

/// 13 to 20 characters, as Latin American carriers give them.
std::string remito_of(std::int64_t id) {
  std::string remito = std::to_string(3'000'000'000'000 + id * 7);
  remito.append(static_cast<std::size_t>(id % 8), static_cast<char>('A' + id % 26));
  return remito;
}

Lane lane_of_a_million(bool adaptive = false) {
  LaneConfig config;
  config.carrier = "carrier";
  config.batch_max = 20;
  if (adaptive) config.adaptive = std::make_shared<const AdaptiveConfig>();
  Lane lane(config, 1);
  for (std::int64_t id = 1; id <= million; ++id) {
    const std::string remito = remito_of(id);
    lane.add({.shipment_id = id, .remito = remito, .registered_at = monday, .last_asked = monday}, monday);
  }
  return lane;
}

TEST(LaneMemory, AMillionShipmentsTakeAtMost64BytesEachAndReadBack) {
  const std::size_t before = live_bytes;
  Lane lane = lane_of_a_million();
  const std::size_t allocated = live_bytes - before;
  const std::size_t stated = lane.memory_bytes();
  std::cout << "bytes per open shipment: " << static_cast<double>(stated) / million << " stated, "
            << static_cast<double>(allocated) / million << " allocated\n";
  RecordProperty("bytes_per_shipment", static_cast<int>(stated / million));
  EXPECT_LE(stated, 64 * million);
  EXPECT_LE(allocated, stated + stated / 100);
  EXPECT_GE(allocated, stated - stated / 100);
  const std::size_t live_at_rest = live_bytes;

  for (std::int64_t id = 1; id <= million; ++id) {
    const auto bits = static_cast<std::uint64_t>(id);
    lane.set_fingerprints(*lane.find(id), bits * 0x9e3779b97f4a7c15U, ~bits);
  }
  for (std::int64_t id = 1; id <= million; ++id) {
    const Slot slot = *lane.find(id);
    const auto bits = static_cast<std::uint64_t>(id);
    ASSERT_EQ(lane.remito(slot), remito_of(id));
    ASSERT_EQ(lane.body_fingerprint(slot), bits * 0x9e3779b97f4a7c15U);
    ASSERT_EQ(lane.read_fingerprint(slot), ~bits);
    ASSERT_EQ(lane.last_asked(slot), monday);
  }
  EXPECT_EQ(live_bytes, live_at_rest);  // fingerprints and reading allocate nothing that stays
}

TEST(LaneMemory, AShipmentOfAnAdaptiveLaneTakesNoMore) {
  const std::size_t before = live_bytes;
  const Lane lane = lane_of_a_million(true);
  const std::size_t allocated = live_bytes - before;
  std::cout << "bytes per open shipment of an adaptive lane: " << static_cast<double>(allocated) / million
            << " allocated\n";
  EXPECT_LE(allocated, 64 * million);
  EXPECT_LE(allocated, lane.memory_bytes() + lane.memory_bytes() / 100);
}

TEST(LaneMemory, IsGivenBackWhenShipmentsLeave) {
  Lane lane = lane_of_a_million();
  const std::size_t full = lane.memory_bytes();
  for (std::int64_t id = 1; id <= million; ++id) lane.remove(id);
  EXPECT_LT(lane.memory_bytes(), full / 5);  // the index of ids keeps its size
}

}  // namespace
}  // namespace remitod::scheduler
