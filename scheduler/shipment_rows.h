// What a lane keeps of each open shipment, in 32 bytes and its remito.
//
// Rows live in chunks of 256. All remitos of a chunk have the same length, so that neither a pointer nor a length is
// kept for each of them: most carriers have one format of number, and the others have few. A chunk whose last shipment
// left gives its memory back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "scheduler/lane.h"
#include "scheduler/moments.h"

namespace remitod::scheduler {

struct ShipmentRow {
  std::int64_t shipment_id = 0;
  Second asked = 0;            ///< when the question was sent that was last answered; 0: never
  std::uint32_t position = 0;  ///< in the due heap; not_queued while a request asks about it
  std::uint32_t body_low = 0, read_low = 0;
  std::uint16_t registered_day = 0;  ///< days since the epoch, until 2149
  std::uint16_t entered_step = 0;    ///< of five minutes since that day began; the last one: then or later
  std::uint32_t body_high : 12 = 0, read_high : 12 = 0;
  std::uint32_t status_number : 4 = 0;
  bool used : 1 = false;
  bool leaving : 1 = false;       ///< removed while a request asked about it: goes when that is finished
  bool resync : 1 = false;        ///< marked by hand and not answered since
  bool resync_again : 1 = false;  ///< marked while a request asked about it: that answer does not count

  static constexpr std::uint32_t not_queued = 0xffffffff;
  bool queued() const { return position != not_queued; }
  Fingerprint body() const { return std::uint64_t{body_high} << 32 | body_low; }
  Fingerprint read() const { return std::uint64_t{read_high} << 32 | read_low; }
  void set_fingerprints(Fingerprint body, Fingerprint read);
  Status status() const { return static_cast<Status>(status_number); }
  /// Rounded down; of a shipment that was registered more than 227 days before, the 227th.
  Second entered() const;
  void enter(Status status, Second moment);
  /// How long after its registration it entered its status: what was there before is not ours to know.
  Second followed_after() const { return Second{entered_step} * entered_step_s; }
  static constexpr Second entered_step_s = 300;
};
static_assert(sizeof(ShipmentRow) == 32);

class ShipmentRows {
 public:
  /// Copies `remito`. References to other rows stay valid.
  Slot insert(std::int64_t shipment_id, std::string_view remito);
  void erase(Slot slot);

  ShipmentRow& operator[](Slot slot) { return chunks_[slot / rows_per_chunk].rows[slot % rows_per_chunk]; }
  const ShipmentRow& operator[](Slot slot) const { return chunks_[slot / rows_per_chunk].rows[slot % rows_per_chunk]; }
  /// Whether `slot` names a row now.
  bool holds(Slot slot) const;
  std::string_view remito(Slot slot) const;

  /// visit(slot, row) of every row, by slot.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t number = 0; number < chunks_.size(); ++number) {
      const Chunk& chunk = chunks_[number];
      if (!chunk.rows) continue;
      for (std::size_t i = 0; i < rows_per_chunk; ++i) {
        if (chunk.rows[i].used) visit(static_cast<Slot>(number * rows_per_chunk + i), chunk.rows[i]);
      }
    }
  }

  std::size_t memory_bytes() const;

 private:
  static constexpr std::size_t rows_per_chunk = 256;
  struct Chunk {
    std::unique_ptr<ShipmentRow[]> rows;  ///< null: a number that is free
    std::unique_ptr<char[]> remitos;
    std::uint32_t remito_bytes = 0;  ///< of each
    std::uint16_t live = 0;
    std::uint16_t first_free = 0;  ///< free rows are chained through `position`
  };
  /// A chunk with room, ordered by length and then number: the first of a length is filled first.
  struct Vacancy {
    std::uint32_t remito_bytes = 0;
    std::uint32_t chunk = 0;
    auto operator<=>(const Vacancy&) const = default;
  };

  std::uint32_t chunk_with_room(std::uint32_t remito_bytes);

  std::vector<Chunk> chunks_;
  std::vector<Vacancy> vacancies_;          ///< sorted
  std::vector<std::uint32_t> free_chunks_;  ///< numbers without memory
};

}  // namespace remitod::scheduler
