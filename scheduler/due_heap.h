// Who is due next: a heap of (second, slot) over all shipments that no request is asking about.
//
// Four children to a node: half as deep as a binary heap, and the children of a node share a cache line. Equal seconds
// are ordered by slot, so that the order is a matter of the contents alone. Each row knows its position, so that a
// shipment can leave or move from anywhere.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scheduler/chunked_vector.h"
#include "scheduler/lane.h"
#include "scheduler/moments.h"
#include "scheduler/shipment_rows.h"

namespace remitod::scheduler {

class DueHeap {
 public:
  struct Entry {
    Second due = 0;
    Slot slot = 0;
    auto operator<=>(const Entry&) const = default;
  };

  /// `rows` outlives the heap.
  explicit DueHeap(ShipmentRows& rows) : rows_(rows) {}

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  const Entry& first() const { return entries_[0]; }  ///< not when empty
  Second due(Slot slot) const { return entries_[rows_[slot].position].due; }

  // O(log n) each.
  void push(Slot slot, Second due);
  Entry pop();
  void erase(Slot slot);
  void move(Slot slot, Second due);

  /// Gives every shipment a new moment: due_of(entry). O(n).
  template <typename DueOf>
  void reschedule(DueOf&& due_of) {
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].due = due_of(entries_[i]);
    restore_order();
  }

  /// In no order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) visit(entries_[i]);
  }

  /// How many are due at `now`. Costs as much as are due, not as are there.
  std::size_t count_due(Second now) const;

  std::size_t memory_bytes() const { return entries_.memory_bytes(); }

 private:
  static constexpr std::size_t children = 4;
  void put(std::size_t position, Entry entry);
  void rise(std::size_t position, Entry entry);
  void sink(std::size_t position, Entry entry);
  void restore_order();
  std::size_t count_due_below(std::size_t position, Second now) const;

  ShipmentRows& rows_;
  ChunkedVector<Entry, 4096> entries_;
};

}  // namespace remitod::scheduler
