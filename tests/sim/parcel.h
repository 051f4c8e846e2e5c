// The true history of a parcel: all that will ever happen to it, when its carrier publishes each step, and what a
// marketplace should end up with.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "carriers/tracking.h"
#include "tests/sim/dice.h"
#include "tests/sim/fault_plan.h"
#include "tests/support/virtual_wire.h"

namespace remitod::sim {

struct TrueEvent {
  Instant occurred_at{};  ///< a whole minute, no two of a parcel the same
  Instant published_at{};
  test::WireEvent wire;
  Status status = Status::unmapped;
  /// Shown as a plan before, and true to the minute: published before it happens.
  bool was_planned = false;
};

/// What the carrier shows meanwhile among what has happened, though it is to come; or does not come.
struct Plan {
  Instant from{}, until{};
  test::WireEvent wire;
};

// The daemon takes what is dated up to two hours ahead of its clock, and that may be an hour wrong. A plan that is not
// kept is taken back so long before its time; the rest is for an answer whose commit waits for the database.
inline constexpr std::chrono::hours plan_taken_back{5};
// A plan that is kept counts as published from then on: before the daemon may take it, and so late that it must have by
// the end of the calm.
inline constexpr std::chrono::minutes plan_certain{210};

struct Parcel {
  std::vector<TrueEvent> life;  ///< oldest first
  std::vector<Plan> plans;
  std::optional<TrueEvent> cancelled;  ///< because we wished it: then it is the end
  /// What the carrier has published of its life until then, oldest first.
  std::vector<TrueEvent> published(Instant until) const;
  std::vector<test::WireEvent> planned(Instant now) const;
  /// It was delivered, or is back, or is about to be as planned: too late to cancel it.
  bool has_arrived(Instant now) const;
};

enum class Habit : std::uint8_t {
  at_once,     ///< within minutes
  end_of_day,  ///< everything of the day at 21:00 local time
  sluggish,    ///< within three hours
};
std::string_view name(Habit habit);

/// `entered` is when the carrier heard of it first.
Parcel draw_parcel(Dice dice, const std::string& carrier, Instant entered, Habit habit, const DataFaults& faults);

/// It is cancelled then: what would have happened later does not.
void cancel(Parcel& parcel, Dice dice, const std::string& carrier, Instant now);

/// Where a parcel stands of which this is known; `registered` where nothing is. Its lives are made so that this takes
/// no rules: each step that the carrier can name holds until the next.
Status true_status(const std::vector<TrueEvent>& known);

}  // namespace remitod::sim
