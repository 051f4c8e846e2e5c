#include "scheduler/id_index.h"

#include <utility>

#include "scheduler/invariant.h"
#include "scheduler/phase.h"

namespace remitod::scheduler {
namespace {

constexpr Slot empty_place = 0xffffffff;
constexpr std::size_t first_places = 64;

}  // namespace

std::size_t IdIndex::home(std::int64_t shipment_id) const {
  // The upper half of the hash, scaled to the number of places: no division, and independent of the phase.
  const std::uint64_t hash = mix(static_cast<std::uint64_t>(shipment_id)) >> 32;
  return static_cast<std::size_t>(hash * places_.size() >> 32);
}

std::optional<Slot> IdIndex::find(std::int64_t shipment_id) const {
  if (places_.empty()) return std::nullopt;
  for (std::size_t place = home(shipment_id); places_[place] != empty_place; place = after(place)) {
    if (rows_[places_[place]].shipment_id == shipment_id) return places_[place];
  }
  return std::nullopt;
}

void IdIndex::put(Slot slot) {
  std::size_t place = home(rows_[slot].shipment_id);
  while (places_[place] != empty_place) place = after(place);
  places_[place] = slot;
}

void IdIndex::grow() {
  std::vector<Slot> old = std::exchange(places_, {});
  places_.assign(old.empty() ? first_places : old.size() + old.size() / 8, empty_place);
  for (const Slot slot : old) {
    if (slot != empty_place) put(slot);
  }
}

void IdIndex::insert(Slot slot) {
  if ((size_ + 1) * 5 > places_.size() * 4) grow();
  put(slot);
  ++size_;
}

void IdIndex::erase(Slot slot) {
  std::size_t hole = home(rows_[slot].shipment_id);
  while (places_[hole] != slot) {
    require(places_[hole] != empty_place, "an erased shipment was in the index");
    hole = after(hole);
  }
  // What follows in the same run moves up, unless that would put it before its home: then no mark is needed for the
  // hole, and look-ups never slow down with age.
  for (std::size_t place = after(hole); places_[place] != empty_place; place = after(place)) {
    const std::size_t count = places_.size();
    const std::size_t from_home = (place + count - home(rows_[places_[place]].shipment_id)) % count;
    const std::size_t from_hole = (place + count - hole) % count;
    if (from_home < from_hole) continue;
    places_[hole] = places_[place];
    hole = place;
  }
  places_[hole] = empty_place;
  --size_;
}

}  // namespace remitod::scheduler
