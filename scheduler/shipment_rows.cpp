#include "scheduler/shipment_rows.h"

#include <algorithm>
#include <limits>

#include "scheduler/invariant.h"

namespace remitod::scheduler {
namespace {
constexpr Second day_s = 86400;
}  // namespace

static_assert(status_count <= 16, "a status has four bits in a row");

void ShipmentRow::set_fingerprints(Fingerprint body, Fingerprint read) {
  body_low = static_cast<std::uint32_t>(body.bits());
  body_high = static_cast<std::uint32_t>(body.bits() >> 32) & 0xfff;
  read_low = static_cast<std::uint32_t>(read.bits());
  read_high = static_cast<std::uint32_t>(read.bits() >> 32) & 0xfff;
}

Second ShipmentRow::entered() const {
  return later(Second{registered_day} * day_s, followed_after());
}

void ShipmentRow::enter(Status status, Second moment) {
  constexpr Second last_step = std::numeric_limits<std::uint16_t>::max();
  const Second day = Second{registered_day} * day_s;
  status_number = static_cast<std::uint32_t>(status) & 0xf;
  entered_step = static_cast<std::uint16_t>(std::min((std::max(moment, day) - day) / entered_step_s, last_step));
}

std::uint32_t ShipmentRows::chunk_with_room(std::uint32_t remito_bytes) {
  const auto vacancy = std::ranges::lower_bound(vacancies_, Vacancy{remito_bytes, 0});
  if (vacancy != vacancies_.end() && vacancy->remito_bytes == remito_bytes) return vacancy->chunk;

  std::uint32_t number = static_cast<std::uint32_t>(chunks_.size());
  if (free_chunks_.empty()) {
    require(chunks_.size() < ShipmentRow::not_queued / rows_per_chunk, "a lane holds fewer than 2^32 shipments");
    chunks_.emplace_back();
  } else {
    number = free_chunks_.back();
    free_chunks_.pop_back();
  }
  Chunk& chunk = chunks_[number];
  chunk.rows = std::make_unique<ShipmentRow[]>(rows_per_chunk);
  chunk.remitos = std::make_unique<char[]>(rows_per_chunk * remito_bytes);
  chunk.remito_bytes = remito_bytes;
  chunk.live = 0;
  chunk.first_free = 0;
  for (std::uint32_t i = 0; i < rows_per_chunk; ++i) chunk.rows[i].position = i + 1;
  vacancies_.insert(vacancy, Vacancy{remito_bytes, number});
  return number;
}

Slot ShipmentRows::insert(std::int64_t shipment_id, std::string_view remito) {
  const auto remito_bytes = static_cast<std::uint32_t>(remito.size());
  const std::uint32_t number = chunk_with_room(remito_bytes);
  Chunk& chunk = chunks_[number];
  const std::size_t row = chunk.first_free;
  chunk.first_free = static_cast<std::uint16_t>(chunk.rows[row].position);
  chunk.rows[row] = ShipmentRow{.shipment_id = shipment_id, .position = ShipmentRow::not_queued, .used = true};
  std::ranges::copy(remito, chunk.remitos.get() + row * remito_bytes);
  if (++chunk.live == rows_per_chunk) {
    vacancies_.erase(std::ranges::lower_bound(vacancies_, Vacancy{remito_bytes, number}));
  }
  return static_cast<Slot>(number * rows_per_chunk + row);
}

void ShipmentRows::erase(Slot slot) {
  require(holds(slot), "an erased slot was in use");
  const auto number = static_cast<std::uint32_t>(slot / rows_per_chunk);
  Chunk& chunk = chunks_[number];
  const Vacancy vacancy{chunk.remito_bytes, number};
  if (chunk.live == rows_per_chunk) vacancies_.insert(std::ranges::lower_bound(vacancies_, vacancy), vacancy);
  if (--chunk.live == 0) {
    vacancies_.erase(std::ranges::lower_bound(vacancies_, vacancy));
    chunk = Chunk{};
    free_chunks_.push_back(number);
    return;
  }
  const auto row = static_cast<std::uint16_t>(slot % rows_per_chunk);
  chunk.rows[row] = ShipmentRow{.position = chunk.first_free};
  chunk.first_free = row;
}

bool ShipmentRows::holds(Slot slot) const {
  const std::size_t number = slot / rows_per_chunk;
  return number < chunks_.size() && chunks_[number].rows && chunks_[number].rows[slot % rows_per_chunk].used;
}

std::string_view ShipmentRows::remito(Slot slot) const {
  const Chunk& chunk = chunks_[slot / rows_per_chunk];
  return {chunk.remitos.get() + slot % rows_per_chunk * chunk.remito_bytes, chunk.remito_bytes};
}

std::size_t ShipmentRows::memory_bytes() const {
  std::size_t bytes = chunks_.capacity() * sizeof(Chunk) + vacancies_.capacity() * sizeof(Vacancy) +
                      free_chunks_.capacity() * sizeof(std::uint32_t);
  for (const Chunk& chunk : chunks_) {
    if (chunk.rows) bytes += rows_per_chunk * (sizeof(ShipmentRow) + chunk.remito_bytes);
  }
  return bytes;
}

}  // namespace remitod::scheduler
