#include "scheduler/shipment_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "scheduler/id_index.h"

namespace remitod::scheduler {
namespace {

TEST(ShipmentRows, KeepsRemitosOfEveryLengthApart) {
  ShipmentRows rows;
  std::map<Slot, std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string remito = std::string(static_cast<std::size_t>(i % 40), 'x') + std::to_string(i);
    expected[rows.insert(i, remito)] = remito;
  }
  ASSERT_EQ(expected.size(), 3000U);
  for (const auto& [slot, remito] : expected) EXPECT_EQ(rows.remito(slot), remito);
}

TEST(ShipmentRows, AnEmptyRemitoAndOneWithZeroBytesAreKept) {
  ShipmentRows rows;
  const Slot empty = rows.insert(1, "");
  const Slot zeros = rows.insert(2, std::string_view("0\0"
                                                     "0",
                                                     3));
  EXPECT_EQ(rows.remito(empty), "");
  EXPECT_EQ(rows.remito(zeros), std::string_view("0\0"
                                                 "0",
                                                 3));
}

TEST(ShipmentRows, UsesFreedSlotsAgain) {
  ShipmentRows rows;
  const Slot first = rows.insert(1, "AAAA");
  rows.insert(2, "BBBB");
  rows.erase(first);
  EXPECT_FALSE(rows.holds(first));
  EXPECT_EQ(rows.insert(3, "CCCC"), first);
  EXPECT_EQ(rows.remito(first), "CCCC");
  EXPECT_EQ(rows[first].shipment_id, 3);
}

TEST(ShipmentRows, ARowBeginsEmptyHoweverItsSlotWasUsed) {
  ShipmentRows rows;
  const Slot kept = rows.insert(1, "AAAA");
  const Slot slot = rows.insert(2, "BBBB");
  rows[slot].asked = 17;
  rows[slot].resync = true;
  rows[slot].set_fingerprints(8, 9);
  rows.erase(slot);
  ASSERT_EQ(rows.insert(3, "CCCC"), slot);
  EXPECT_EQ(rows[slot].asked, 0U);
  EXPECT_FALSE(rows[slot].resync);
  EXPECT_EQ(rows[slot].body(), Fingerprint{});
  EXPECT_EQ(rows.remito(kept), "AAAA");
}

TEST(ShipmentRows, GivesMemoryBackWhenAllOfALengthLeft) {
  ShipmentRows rows;
  std::vector<Slot> slots;
  for (int i = 0; i < 10'000; ++i) slots.push_back(rows.insert(i, "0123456789012"));
  const std::size_t full = rows.memory_bytes();
  for (const Slot slot : slots) rows.erase(slot);
  EXPECT_LT(rows.memory_bytes(), full / 50);
  for (int i = 0; i < 10'000; ++i) rows.insert(i, "012345678901234");  // another length takes the numbers over
  EXPECT_LT(rows.memory_bytes(), full + full / 10);
}

TEST(ShipmentRows, AFingerprintIsNoneOnlyIfItIsZero) {
  EXPECT_EQ(Fingerprint{0}, Fingerprint{});
  EXPECT_NE(Fingerprint{1}, Fingerprint{});
  EXPECT_NE(Fingerprint{std::uint64_t{1} << 60}, Fingerprint{});  // its lower 48 bits are zero
}

TEST(IdIndex, FindsEveryIdThroughGrowthAndRemoval) {
  ShipmentRows rows;
  IdIndex index(rows);
  EXPECT_FALSE(index.find(0));
  for (std::int64_t id = 0; id < 20'000; ++id) index.insert(rows.insert(id * 1000 - 5'000'000, "R"));
  for (Slot slot = 0; slot < 20'000; slot += 3) index.erase(slot);
  EXPECT_EQ(index.size(), 20'000U - 6667U);
  for (Slot slot = 0; slot < 20'000; ++slot) {
    const std::optional<Slot> found = index.find(rows[slot].shipment_id);
    if (slot % 3 == 0) {
      EXPECT_FALSE(found);
    } else {
      EXPECT_EQ(found, slot);
    }
  }
}

}  // namespace
}  // namespace remitod::scheduler
