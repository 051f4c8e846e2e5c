// A number of requests in any hour, or in any day, that also holds after a crash. What may be spent is reserved in the
// database first, a block at a time; what a dead process had reserved and not spent is lost, and so never spent twice.
//
// The period is cut into 24 slots. A request counts from its slot's beginning until a whole period after its end, so
// any window of the period's length, wherever it begins, holds no more than the quota. That gives away up to a slot,
// a twenty-fifth of the quota where it is used up all the time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"

namespace remitod::scheduler {

enum class QuotaPeriod : std::uint8_t { hour, day };
std::string_view name(QuotaPeriod period);  ///< "hour", "day"

struct QuotaSlot {
  Instant from{};
  std::int64_t requests = 0;  ///< reserved for this slot
  friend bool operator==(const QuotaSlot&, const QuotaSlot&) = default;
};

/// What the database has of a quota: at least what was sent.
struct QuotaRecord {
  QuotaPeriod period = QuotaPeriod::hour;
  std::int64_t revision = 0;  ///< counts how often it was written; 0: never
  std::vector<QuotaSlot> slots;
  friend bool operator==(const QuotaRecord&, const QuotaRecord&) = default;
};

/// The counting. QuotaBook says when something is written.
class Quota {
 public:
  /// `requests_max` >= 1.
  Quota(QuotaPeriod period, std::int64_t requests_max);

  QuotaPeriod period() const { return period_; }
  std::int64_t requests_max() const { return requests_max_; }
  void set_requests_max(std::int64_t requests_max) { requests_max_ = requests_max; }

  /// What the database has; what was spent and is not in there counts besides. What it says of the future, a clock that
  /// was wrong said: it counts as of now.
  void restore(const QuotaRecord& record, Instant now);
  /// The record as it has to be before more is spent than ready() has.
  QuotaRecord record_of_next_block(Instant now);
  /// It is committed. `written_for`: the moment of record_of_next_block().
  void reserved(const QuotaRecord& record, Instant written_for);

  std::int64_t left(Instant now) const;   ///< of the quota, reserved or not
  std::int64_t ready(Instant now) const;  ///< of these, reserved and not spent
  /// It is time for the next block, and something is left for it; or what was spent is to be written.
  bool is_low(Instant now) const;
  /// When more than `spared` requests are left, of fewer than requests_max(); `now` where they are.
  Instant when_left(std::int64_t spared, Instant now) const;
  void spend(Instant now);  ///< one, even where none is ready: it is written with the next block
  /// One that was spent at `planned` goes out only now, and counts from now on.
  void sent_late(Instant planned, Instant now);
  void clock_set_back(Instant now);

 private:
  struct Slot {
    std::int64_t index = 0;  ///< counted in slots since the epoch
    std::int64_t requests = 0;
  };
  std::int64_t index_of(Instant at) const;
  Instant begin_of(std::int64_t index) const;
  std::int64_t first_block() const;
  std::int64_t balance(Instant now) const;  ///< what is left, or less than nothing
  Slot spent_now(Instant now) const;
  std::int64_t reserved_now(Instant now) const;  ///< for the slot of spent_now()
  Slot& present_slot(Instant now);

  QuotaPeriod period_;
  std::int64_t requests_max_;
  std::int64_t next_block_ = 1;
  std::vector<Slot> spent_;  ///< by index
  Slot reserved_;            ///< committed for one slot, what is spent of it included
};

}  // namespace remitod::scheduler
