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
#include "scheduler/quota_book.h"

namespace remitod::scheduler {

class OpenHours;
struct AdaptiveConfig;
struct AdaptivePlan;
struct LaneExplanation;
struct LearningInput;
struct ShipmentExplanation;

struct LaneConfig {
  std::string carrier;
  std::chrono::seconds interval{3600};  ///< every open shipment once, spread by a stable phase (README.md: the rule)
  /// Present: asked when it is worth most (adaptive_config.h), and not once an interval, which must be an hour then.
  std::shared_ptr<const AdaptiveConfig> adaptive;
  double requests_per_second = 2;  ///< no second has more, wherever it begins (README.md, Limits)
  // In any minute, hour or day, wherever it begins; at least 1.
  std::optional<int> requests_per_minute, requests_per_hour, requests_per_day;
  /// Polls leave the last tenth of an hour's and a day's quota to other requests.
  bool leaves_tenth_for_creates = false;
  std::shared_ptr<const OpenHours> hours;  ///< absent: at any time
  int concurrency = 4;                     ///< requests in flight
  int batch_max = 1;                       ///< shipments in one request
  /// Breaker: after `failures_to_open` failed requests in a row the lane rests min(2^k * backoff_first, backoff_max)
  /// with full jitter, then sends one probe.
  int failures_to_open = 3;
  std::chrono::seconds backoff_first{30};
  std::chrono::seconds backoff_max{3600};
  std::chrono::seconds retry_after_max{6 * 3600};  ///< a longer Retry-After is cut to this
};

/// Names a shipment inside one lane for as long as it is there. Slots are re-used after remove().
using Slot = std::uint32_t;

/// What a lane keeps of a fingerprint: 44 of its 64 bits, to save memory. Only the two of one shipment are ever
/// compared with each other, so a change is overlooked once in 2^44 changes, which is never in practice. Zero is
/// "none".
class Fingerprint {
 public:
  constexpr Fingerprint() = default;
  // Implicit, so that what is kept compares with what was just computed.
  constexpr Fingerprint(std::uint64_t whole) : bits_(whole == 0 ? 0 : std::max<std::uint64_t>(whole & mask, 1)) {}
  constexpr std::uint64_t bits() const { return bits_; }
  friend constexpr bool operator==(Fingerprint, Fingerprint) = default;

 private:
  static constexpr std::uint64_t mask = (std::uint64_t{1} << 44) - 1;
  std::uint64_t bits_ = 0;
};

struct LaneShipment {
  std::int64_t shipment_id = 0;
  std::string_view remito;
  Instant registered_at{};  ///< kept to the day
  Instant last_asked{};     ///< epoch: never
  Status status = Status::registered;
  Instant status_since{};  ///< when it was first known to have it, kept to five minutes; epoch: it enters with it
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
    answered,   ///< an answer that could be read, changed or not: due at the next point of its phase
    unaskable,  ///< no request could be made of it: due like `answered`, and nothing was learned of the carrier
    failed,     ///< carrier trouble or no answer: counts for the breaker; due again after 5 to 10 minutes (README.md)
    throttled,  ///< 429, or trouble with a Retry-After: the carrier rests as long as that says, else as long as the
                ///< breaker's next back-off; due as before, but as the breaker's probe after all who are due now
    abandoned,  ///< our own trouble (stopping): due as before, no failure of the carrier
  };
  Kind kind = Kind::answered;
  std::optional<std::chrono::seconds> retry_after;
  bool is_wished = true;  ///< retry_after is the carrier's; else our own: after a login that failed
};

enum class BreakerState : std::uint8_t { closed, open, half_open };
std::string_view name(BreakerState state);

/// What keeps the schedule from sending though somebody may be due.
struct Hold {
  enum class Kind : std::uint8_t {
    none,
    rate,   ///< requests a second or a minute
    quota,  ///< an hour's or a day's requests are spent, or the database has not told yet what is left
    hours,  ///< outside of the carrier's windows, or a blackout
  };
  Kind kind = Kind::none;
  std::optional<Instant> until;  ///< nothing: nobody knows
};
std::string_view name(Hold::Kind kind);

struct LaneStatus {
  std::size_t shipments = 0;
  std::size_t due = 0;        ///< due now and not in flight
  std::size_t in_flight = 0;  ///< requests
  BreakerState breaker = BreakerState::closed;
  Instant resting_until{};  ///< breaker or Retry-After; epoch: not resting
  int failures_in_row = 0;
  /// Whether it is worth telling people: a carrier that nobody has to be asked about any more is not tried again
  /// either.
  bool is_failing() const { return breaker != BreakerState::closed && (shipments != 0 || resting_until != Instant{}); }
  std::optional<Instant> next_due;
  std::size_t resync_left = 0;  ///< shipments marked by hand and not yet answered
  Hold hold;
  /// Of an adaptive schedule: requests of the last 18 to 24 hours, and what its budget allowed in them; a wished delay
  /// allows what it takes.
  struct BudgetOfDay {
    double used = 0;
    std::optional<double> allowed;
  };
  std::optional<BudgetOfDay> budget;
  std::vector<QuotaLeft> quotas;
};

class Lane {
 public:
  /// `seed` drives the jitter only; the phase of a shipment is a hash of its id and stable over restarts.
  Lane(LaneConfig config, std::uint64_t seed);
  ~Lane();
  Lane(Lane&&) noexcept;
  Lane& operator=(Lane&&) noexcept;

  /// A shipment enters. One that was never asked is due at its first phase point after it came (`status_since`), one
  /// that was asked at the first point after that; points that a stop of the process made pass come later by as long as
  /// the stop was, so that they come in their order and not in a burst. Adding an id that is there changes nothing.
  Slot add(const LaneShipment& shipment, Instant now);
  void remove(std::int64_t shipment_id);  ///< unknown ids are ignored; in flight: leaves when finished
  std::optional<Slot> find(std::int64_t shipment_id) const;

  /// Asked about in flight or at rest. Valid until the lane changes.
  std::int64_t shipment_id(Slot slot) const;
  std::string_view remito(Slot slot) const;
  Instant registered_at(Slot slot) const;
  Instant last_asked(Slot slot) const;  ///< when the request went out that was answered last; epoch: never
  Instant next_due(Slot slot) const;    ///< epoch: marked by hand. In flight: when it was due
  Status status(Slot slot) const;
  Instant status_since(Slot slot) const;  ///< to five minutes, rounded down

  /// The next request that may go out now, or nothing: limits, breaker or an empty due set say no.
  /// Shipments marked by hand come first, then the most overdue.
  std::optional<Batch> take(Instant now);
  /// The earliest moment at which take() can give something, as far as is known now; nothing: only a finish(), an add()
  /// or the database's word on a quota can change that.
  std::optional<Instant> next_wake(Instant now) const;
  /// The request is over. Each of its shipments is planned anew, as the outcome says; one that was removed meanwhile
  /// leaves. An unknown id is ignored.
  void finish(std::uint64_t batch_id, const BatchOutcome& outcome, Instant now);
  /// The answer is here, though what it says is not committed yet: its place in the concurrency is free for another
  /// request. Its shipments wait for finish() as before.
  void answer_received(std::uint64_t batch_id, Instant now);

  /// The answer to this request, which is committed, brought the shipment something new: `status`. To be told before
  /// finish(): of the others that it answers nothing was published. `told` is false where it was history and no news
  /// (the first report of an import), which says nothing of when the carrier publishes.
  void saw(std::uint64_t batch_id, Slot slot, Status status, bool told);

  /// Marks shipments as due now, past the schedule and the fingerprints, but not past limits and breaker. A mark is
  /// gone when a request that was taken after it was answered. Returns how many were found here.
  std::size_t mark_resync(std::span<const std::int64_t> shipment_ids, Instant now);
  bool resync_marked(Slot slot) const;

  /// Two fingerprints per shipment: of the body (equal bytes: done) and of what was read from it (equal reports: done).
  /// Set only when all that they stand for is committed. The revision of the profile is folded in by the caller.
  Fingerprint body_fingerprint(Slot slot) const;
  Fingerprint read_fingerprint(Slot slot) const;
  void set_fingerprints(Slot slot, Fingerprint body, Fingerprint read);

  BreakerState breaker() const;
  Instant resting_until() const;  ///< breaker or Retry-After; the past or epoch: not resting
  std::size_t in_flight() const;  ///< requests that wait for their answer

  /// Requests outside the schedule (creating shipments, logins, further pages) share the carrier's rate and its rests:
  /// how many may go out now.
  std::size_t spare_requests(Instant now);
  /// Of these, requests about orders (create, find, cancel ...) have a breaker besides, which holds up no poll: what a
  /// carrier says to creates may be the account's or theirs alone. Where it has rested, one may try.
  std::size_t spare_for_orders(Instant now);
  /// One about an order goes. Not zero: it is the one that tries, and no other goes until it is judged or
  /// trial_ended().
  std::uint64_t order_sent(Instant now);
  /// How one about an order ended: `answered`, `failed` or `throttled`. Of one that says nothing of the carrier nothing
  /// is told. `trial` is what order_sent() returned.
  void order_judged(const BatchOutcome& outcome, std::uint64_t trial, Instant now);
  /// The one that tried is over, judged or not.
  void trial_ended(std::uint64_t trial);
  bool orders_may_go(Instant now) const;  ///< they do not rest, and none tries
  Instant orders_resting_until() const;   ///< the past or epoch: not resting
  /// Nobody takes now, because of the limits or of others' requests: what waits for these is not put off as after a
  /// silence.
  void held_up(Instant now);
  enum class Purpose : std::uint8_t {
    polls,   ///< what polls take besides (logins, further pages): part of an adaptive schedule's budget
    others,  ///< creating shipments and what people try
  };
  /// And that one goes. Where the rate has no room for it, the schedule waits that much longer; returns when there is
  /// room, for those who can wait.
  Instant spend_request(Instant now, Purpose purpose);
  /// Such a request did not go out when there was room for it (the carrier wanted rest), and the room went to nobody:
  /// several that waited would go out at once. Returns when there is room again.
  Instant spend_again(Instant now);
  /// A batch goes out only now, after a login that it waited for: what came free meanwhile must not go out with it.
  void sent_late(Instant taken, Instant now);
  /// A request that was spent when it was planned goes out only now: quotas count it from now on.
  void planned_sent(Instant planned, Instant now);

  /// What the database is to do for quotas of an hour or a day; to be asked for whenever somebody has taken or looked
  /// for something to ask. What became of it goes to quota_loaded() and those below, and then take() may give
  /// something.
  std::optional<QuotaWork> quota_work(Instant now);
  void quota_loaded(std::span<const QuotaRecord> records, Instant now);
  void quota_reserved();
  void quota_conflicted(Instant now);  ///< another process has written meanwhile: nothing was reserved
  void quota_failed(Instant now);      ///< the database could not: there is work again after a while

  // Learning, of an adaptive lane. Whoever drives it looks whether it wants to learn whenever somebody has taken or
  // looked for something to ask, and hands back what rebuild() (adaptive_plan.h) made of the input, on any thread.
  bool wants_to_learn(Instant now) const;
  LearningInput learning_input(Instant now);
  void learned(std::shared_ptr<const AdaptivePlan> plan, Instant now);
  /// Null until something was learned, and where the lane is not adaptive.
  std::shared_ptr<const AdaptivePlan> plan() const;

  /// What was learned, for the minute's checkpoint. `earlier` is there only when it changed; `recent` goes on from it.
  struct Lessons {
    std::optional<std::string> earlier;
    std::string recent;
  };
  /// Nothing: all is as it was given last, or the lane is not adaptive.
  std::optional<Lessons> lessons();
  void lessons_lost();  ///< what lessons() gave last was not stored: it gives all again
  /// Before anything was asked. False where these are no lessons; an adaptive lane then begins anew.
  bool restore_lessons(std::string_view earlier, std::string_view recent, Instant now);

  // What was learned and why somebody is (not) asked, for people (lane_explain.h).
  LaneExplanation explain(Instant now) const;  ///< looks at every shipment
  ShipmentExplanation explain(Slot slot, Instant now) const;

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
  /// Until when the carrier wanted to be left alone, by its answers to polls and to requests about orders: likewise,
  /// and back before anything is asked. The past or epoch: it did not.
  struct Wishes {
    Instant polls{}, orders{};
    friend bool operator==(const Wishes&, const Wishes&) = default;
  };
  Wishes wishes() const;
  void restore_wishes(const Wishes& wishes, Instant now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace remitod::scheduler
