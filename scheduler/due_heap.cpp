#include "scheduler/due_heap.h"

#include <algorithm>

#include "scheduler/invariant.h"

namespace remitod::scheduler {

void DueHeap::put(std::size_t position, Entry entry) {
  entries_[position] = entry;
  rows_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void DueHeap::rise(std::size_t position, Entry entry) {
  while (position != 0) {
    const std::size_t parent = (position - 1) / children;
    if (entries_[parent] < entry) break;
    put(position, entries_[parent]);
    position = parent;
  }
  put(position, entry);
}

void DueHeap::sink(std::size_t position, Entry entry) {
  for (;;) {
    const std::size_t first_child = position * children + 1;
    if (first_child >= entries_.size()) break;
    std::size_t least = first_child;
    const std::size_t end = std::min(first_child + children, entries_.size());
    for (std::size_t child = first_child + 1; child < end; ++child) {
      if (entries_[child] < entries_[least]) least = child;
    }
    if (entry < entries_[least]) break;
    put(position, entries_[least]);
    position = least;
  }
  put(position, entry);
}

void DueHeap::push(Slot slot, Second due) {
  require(!rows_[slot].queued(), "a shipment is queued once");
  entries_.push_back({});
  rise(entries_.size() - 1, {due, slot});
}

DueHeap::Entry DueHeap::pop() {
  require(!empty(), "something is due");
  const Entry top = entries_[0];
  erase(top.slot);
  return top;
}

void DueHeap::erase(Slot slot) {
  require(rows_[slot].queued(), "an erased shipment was queued");
  const std::size_t position = rows_[slot].position;
  rows_[slot].position = ShipmentRow::not_queued;
  const Entry last = entries_[entries_.size() - 1];
  entries_.pop_back();
  if (last.slot == slot) return;
  entries_[position] = last;  // takes the place, then finds its own
  rise(position, last);
  sink(rows_[last.slot].position, last);
}

void DueHeap::move(Slot slot, Second due) {
  require(rows_[slot].queued(), "a moved shipment was queued");
  rise(rows_[slot].position, {due, slot});
  sink(rows_[slot].position, {due, slot});
}

void DueHeap::restore_order() {
  for (std::size_t i = entries_.size(); i-- > 0;) sink(i, entries_[i]);
}

std::size_t DueHeap::count_due(Second now) const {
  return count_due_below(0, now);
}

std::size_t DueHeap::count_due_below(std::size_t position, Second now) const {
  if (position >= entries_.size() || entries_[position].due > now) return 0;
  std::size_t count = 1;
  for (std::size_t child = 1; child <= children; ++child) count += count_due_below(position * children + child, now);
  return count;
}

}  // namespace remitod::scheduler
