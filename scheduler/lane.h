// One carrier's schedule with its limits, as a state machine: no clock, no timer, no I/O. The poller asks it what to
// ask the carrier next (take) and tells it what became of that (finish); everything that time does comes in as `now`.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"

namespace remitod::scheduler {

enum class Mode : std::uint8_t {
  hourly,  ///< the legacy pull: every open shipment once an interval, spread by a stable phase (README.md: the rule)
};

struct LaneConfig {
  std::string carrier;
  Mode mode = Mode::hourly;
  std::chrono::seconds interval{3600};
  double requests_per_second = 2;  ///< token bucket: at most this many, and bursts of at most max(1, this)
  int concurrency = 4;             ///< requests in flight
  int batch_max = 1;               ///< shipments in one request
  /// Breaker: after `failures_to_open` failed requests in a row the lane rests min(2^k * backoff_first, backoff_max)
  /// with full jitter, then sends one probe.
  int failures_to_open = 3;
  std::chrono::seconds backoff_first{30};
  std::chrono::seconds backoff_max{3600};
  std::chrono::seconds retry_after_max{6 * 3600};  ///< a longer Retry-After is cut to this
};

/// Names a shipment inside one lane for as long as it is there. Slots are re-used after remove().
using Slot = std::uint32_t;

/// What a lane keeps of a fingerprint: 48 of its 64 bits, to save memory. Only the two of one shipment are ever
/// compared with each other, so a change is overlooked once in 2^48 changes, which is never in practice. Zero is
/// "none".
class Fingerprint {
 public:
  constexpr Fingerprint() = default;
  // Implicit, so that what is kept compares with what was just computed.
  constexpr Fingerprint(std::uint64_t whole) : bits_(whole == 0 ? 0 : std::max<std::uint64_t>(whole & mask, 1)) {}
  constexpr std::uint64_t bits() const { return bits_; }
  friend constexpr bool operator==(Fingerprint, Fingerprint) = default;

 private:
  static constexpr std::uint64_t mask = (std::uint64_t{1} << 48) - 1;
  std::uint64_t bits_ = 0;
};

struct LaneShipment {
  std::int64_t shipment_id = 0;
  std::string_view remito;
  Instant registered_at{};  ///< kept to the day
  Instant last_asked{};     ///< epoch: never
};

/// What one request shall ask.
struct Batch {
  std::uint64_t id = 0;  ///< hand it back to finish()
  std::vector<Slot> slots;
  bool resync = false;  ///< at least one shipment was asked for by hand
  bool probe = false;   ///< the breaker's single probe
};

/// How a request ended, as far as the schedule cares.
struct BatchOutcome {
  enum class Kind : std::uint8_t {
    answered,   ///< an answer that could be read, changed or not
    failed,     ///< carrier trouble or no answer: counts for the breaker
    throttled,  ///< 429 or 503 with Retry-After: rest, not a failure of single shipments
    abandoned,  ///< our own trouble (database lost, stopping): due as before, no failure of the carrier
  };
  Kind kind = Kind::answered;
  std::optional<std::chrono::seconds> retry_after;
};

enum class BreakerState : std::uint8_t { closed, open, half_open };
std::string_view name(BreakerState state);

struct LaneStatus {
  std::size_t shipments = 0;
  std::size_t due = 0;        ///< due now and not in flight
  std::size_t in_flight = 0;  ///< requests
  BreakerState breaker = BreakerState::closed;
  Instant resting_until{};  ///< breaker or Retry-After; epoch: not resting
  int failures_in_row = 0;
  std::optional<Instant> next_due;
  std::size_t resync_left = 0;  ///< shipments marked by hand and not yet answered
};

class Lane {
 public:
  /// `seed` drives the jitter only; the phase of a shipment is a hash of its id and stable over restarts.
  Lane(LaneConfig config, std::uint64_t seed);
  ~Lane();
  Lane(Lane&&) noexcept;
  Lane& operator=(Lane&&) noexcept;

  /// A shipment enters, due at its next phase point: one that is new, one that was asked within its interval, and one
  /// that is overdue after a restart, so that a restart does not burst. Adding an id that is there changes nothing.
  Slot add(const LaneShipment& shipment, Instant now);
  void remove(std::int64_t shipment_id);  ///< unknown ids are ignored; in flight: leaves when finished
  std::optional<Slot> find(std::int64_t shipment_id) const;

  /// Asked about in flight or at rest. Valid until the lane changes.
  std::int64_t shipment_id(Slot slot) const;
  std::string_view remito(Slot slot) const;
  Instant registered_at(Slot slot) const;
  Instant last_asked(Slot slot) const;  ///< when the request went out that was answered last; epoch: never
  Instant next_due(Slot slot) const;    ///< epoch: marked by hand. In flight: when it was due

  /// The next request that may go out now, or nothing: limits, breaker or an empty due set say no.
  /// Shipments marked by hand come first, then the most overdue.
  std::optional<Batch> take(Instant now);
  /// The earliest moment at which take() can give something, as far as is known now; nothing: only a finish() or add()
  /// can change that.
  std::optional<Instant> next_wake(Instant now) const;
  void finish(std::uint64_t batch_id, const BatchOutcome& outcome, Instant now);
  /// The answer is here, though what it says is not committed yet: its place in the concurrency is free for another
  /// request. Its shipments wait for finish() as before.
  void answer_received(std::uint64_t batch_id, Instant now);

  /// Marks shipments as due now, past the schedule and the fingerprints, but not past limits and breaker. A mark is
  /// gone when a request that was taken after it was answered. Returns how many were found here.
  std::size_t mark_resync(std::span<const std::int64_t> shipment_ids, Instant now);
  bool resync_marked(Slot slot) const;

  /// Two fingerprints per shipment: of the body (equal bytes: done) and of what was read from it (equal reports: done).
  /// Set only after the commit. The revision of the profile is folded in by the caller.
  Fingerprint body_fingerprint(Slot slot) const;
  Fingerprint read_fingerprint(Slot slot) const;
  void set_fingerprints(Slot slot, Fingerprint body, Fingerprint read);

  BreakerState breaker() const;
  Instant resting_until() const;  ///< breaker or Retry-After; the past or epoch: not resting
  std::size_t in_flight() const;  ///< requests that wait for their answer

  /// Requests outside the schedule (creating shipments) share the carrier's rate and its rests: how many may go out
  /// now, and that they went.
  std::size_t spare_requests(Instant now);
  void spend_requests(std::size_t requests, Instant now);

  LaneStatus status(Instant now) const;  ///< looks at the shipments that are due, not at the others
  const LaneConfig& config() const;
  void reconfigure(LaneConfig config);  ///< limits hold at once; another interval moves every shipment to its new phase
  std::size_t size() const;
  std::size_t memory_bytes() const;  ///< all that this lane holds, for the cost model

  /// Compact row of (shipment_id, last_asked) of all that were ever asked, for the minute's checkpoint, and back:
  /// restore() returns pairs sorted by id, or nothing where the bytes are no checkpoint. Any byte may occur in it.
  std::string checkpoint() const;
  struct Asked {
    std::int64_t shipment_id;
    Instant last_asked;
  };
  static std::optional<std::vector<Asked>> restore(std::string_view checkpoint);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace remitod::scheduler
