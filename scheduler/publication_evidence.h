// What waits tell of publications, in the form in which it is gone through again and again: for each ended wait the
// slots in which its publication may lie, and how long shipments were at risk.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "scheduler/publication_model.h"

namespace remitod::scheduler {

/// A gap between two looks that is longer than this many slots (a day and more) is spread over its first ones.
inline constexpr std::size_t slots_of_gap_max = 288;

/// A piece of the gap in which a publication happened: its part in one slot.
struct GapPiece {
  std::uint16_t slot_class = 0;
  std::uint8_t age = 0;
  float share = 0;  ///< of the slot that lies in the gap
};

struct Gap {
  StatusNumber status = 0;
  float weight = 0;
  std::size_t first = 0, last = 0;  ///< pieces
};

struct Exposure {
  std::array<std::array<float, slot_classes>, age_bins> minutes{};  ///< at risk, all shipments together
};

/// All of it counts half as much for each half-life that has passed.
struct PublicationEvidence {
  std::vector<GapPiece> pieces;
  std::vector<Gap> gaps;
  std::vector<Exposure> exposure;  ///< by status; at least one
};

/// `waits`: ended and open ones.
PublicationEvidence gather_evidence(std::span<const Wait> waits, const AdaptiveCalendar& calendar, Second now,
                                    double half_life_days);

}  // namespace remitod::scheduler
