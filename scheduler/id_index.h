// From shipment_id to slot: open addressing over four-byte slots; the ids themselves are read from the rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scheduler/lane.h"
#include "scheduler/shipment_rows.h"

namespace remitod::scheduler {

/// At most four fifths full, and grows by an eighth: 5 to 5.6 bytes per shipment. Looking up costs a handful of rows;
/// it happens when shipments come, leave or are marked, never on the path of a poll.
class IdIndex {
 public:
  /// `rows` outlives the index.
  explicit IdIndex(const ShipmentRows& rows) : rows_(rows) {}

  std::optional<Slot> find(std::int64_t shipment_id) const;
  void insert(Slot slot);  ///< its id is not there yet
  void erase(Slot slot);   ///< it is there
  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return places_.capacity() * sizeof(Slot); }

 private:
  std::size_t home(std::int64_t shipment_id) const;
  std::size_t after(std::size_t place) const { return place + 1 == places_.size() ? 0 : place + 1; }
  void put(Slot slot);
  void grow();

  const ShipmentRows& rows_;
  std::vector<Slot> places_;
  std::size_t size_ = 0;
};

}  // namespace remitod::scheduler
