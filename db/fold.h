// What a canonical history means: the steps that a shipment took. Private to db/.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "db/history.h"

namespace remitod::db {

/// What a status claimed by the next event is, given the present one.
enum class Verdict : std::uint8_t {
  step,    ///< the shipment moves; out of a terminal status this is a correction
  repeat,  ///< says what is known
  noise,   ///< stored and counted, but does not move it: a carrier's bookkeeping, or a scan after the end
};

/// The table of verdicts. `claimed` is any status but unmapped. A failed attempt is a step each time; an exception
/// after an exception repeats it unless its reason differs, which the fold knows.
Verdict verdict(Status present, Status claimed);

struct Step {
  std::size_t entry = 0;  ///< index in the history of the event that caused it
  Status from = Status::registered;
  Status to = Status::registered;
  Reason reason = Reason::none;
  int attempt = 0;        ///< of attempt_failed: 1, 2, ...
  bool inferred = false;  ///< the in_transit that must have come before what the event says
};

struct Folded {
  std::vector<Step> steps;
  std::vector<std::size_t> noise;  ///< entries of that verdict
  Status status = Status::registered;
  Reason reason = Reason::none;
  std::optional<OccurredAt> status_at;
  int attempts_failed = 0;
};

/// `expired_before`: the shipment was given up (a decision of ours that no event tells) before this entry, or, where it
/// is history.size(), after all of them. It has no effect on a shipment that had ended by then.
Folded fold(std::span<const HistoryEntry> history, std::optional<std::size_t> expired_before);

}  // namespace remitod::db
