#include "scheduler/due_heap.h"

#include <gtest/gtest.h>

#include <vector>

namespace remitod::scheduler {
namespace {

struct HeapBundle {
  Slot push(Second due) {
    const Slot slot = rows.insert(next_id++, "R");
    heap.push(slot, due);
    return slot;
  }
  std::vector<Second> pop_all() {
    std::vector<Second> order;
    while (!heap.empty()) order.push_back(heap.pop().due);
    return order;
  }
  std::int64_t next_id = 1;
  ShipmentRows rows;
  DueHeap heap{rows};
};

TEST(DueHeap, GivesTheEarliestFirst) {
  HeapBundle b;
  for (const Second due : {50U, 10U, 40U, 30U, 20U, 60U, 5U}) b.push(due);
  EXPECT_EQ(b.pop_all(), (std::vector<Second>{5, 10, 20, 30, 40, 50, 60}));
}

TEST(DueHeap, OrdersEqualMomentsBySlot) {
  HeapBundle b;
  for (int i = 0; i < 20; ++i) b.push(7);
  for (Slot slot = 0; slot < 20; ++slot) EXPECT_EQ(b.heap.pop().slot, slot);
}

TEST(DueHeap, LetsAShipmentLeaveAndMoveFromAnywhere) {
  HeapBundle b;
  std::vector<Slot> slots;
  for (Second due = 1; due <= 100; ++due) slots.push_back(b.push(due));
  for (std::size_t i = 0; i < 100; i += 2) b.heap.erase(slots[i]);
  b.heap.move(slots[99], 0);
  b.heap.move(slots[1], 1000);
  EXPECT_FALSE(b.rows[slots[0]].queued());
  EXPECT_EQ(b.heap.due(slots[1]), 1000U);
  const std::vector<Second> order = b.pop_all();
  ASSERT_EQ(order.size(), 50U);
  EXPECT_EQ(order.front(), 0U);
  EXPECT_EQ(order[1], 4U);
  EXPECT_EQ(order.back(), 1000U);
}

TEST(DueHeap, CountsWhatIsDue) {
  HeapBundle b;
  for (Second due = 1; due <= 1000; ++due) b.push(due);
  EXPECT_EQ(b.heap.count_due(0), 0U);
  EXPECT_EQ(b.heap.count_due(1), 1U);
  EXPECT_EQ(b.heap.count_due(137), 137U);
  EXPECT_EQ(b.heap.count_due(5000), 1000U);
}

TEST(DueHeap, RestoresItsOrderAfterAllWereRescheduled) {
  HeapBundle b;
  for (Second due = 1; due <= 300; ++due) b.push(due);
  b.heap.reschedule([](const DueHeap::Entry& entry) { return 1000 - entry.due; });
  const std::vector<Second> order = b.pop_all();
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(order.front(), 700U);
  EXPECT_EQ(order.back(), 999U);
}

}  // namespace
}  // namespace remitod::scheduler
