// The true history of every parcel of the demo's carriers: a pure function of its number, the moment it entered the
// carrier's system, and the carrier's habit of publishing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"

namespace remitod::demo {

/// What a step of a parcel's life is called by its carrier, and what it means.
enum class Step : std::uint8_t { admitted, on_the_way, out, absent, bad_address, desists, delivered, back };

/// The status and reason that a marketplace should end up with.
Status status_of(Step step);
Reason reason_of(Step step);

struct LifeEvent {
  Step step = Step::admitted;
  Instant occurred_at{};
  Instant published_at{};  ///< when the carrier's system starts to show it
};

enum class Habit : std::uint8_t {
  prompt,      ///< within the quarter of an hour
  sluggish,    ///< within three hours
  end_of_day,  ///< everything of the day at 20:40 local time
};

/// All that will ever happen to a parcel, oldest first. `utc_offset` is the carrier's.
std::vector<LifeEvent> life_of(std::string_view number, Instant entered, Habit habit, std::chrono::hours utc_offset);
/// What the carrier shows of it now.
std::vector<LifeEvent> published(std::vector<LifeEvent> life, Instant now);

std::uint64_t hash_of(std::string_view text);

}  // namespace remitod::demo
