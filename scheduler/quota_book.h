// The quotas of one carrier, and when the database is to be asked about them: once at the beginning for what was spent,
// then each time that a block runs low. Who owns the book does that work, off the deciding thread, and tells what
// became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "scheduler/quota.h"

namespace remitod::scheduler {

/// What the database is to do, in one transaction. Until it is answered there is no further work.
struct QuotaWork {
  enum class Kind : std::uint8_t {
    load,     ///< every record of the carrier
    reserve,  ///< write `records`, each in the place of the revision that it names, with the next one
  };
  Kind kind = Kind::load;
  std::vector<QuotaRecord> records;
};

struct QuotaLeft {
  QuotaPeriod period = QuotaPeriod::hour;
  std::int64_t requests_max = 0;
  std::int64_t left = 0;  ///< what was reserved and not sent is left, too
};

class QuotaBook {
 public:
  struct Stated {
    std::optional<std::int64_t> per_hour, per_day;  ///< at least 1
    /// Polls leave the last tenth of each to others: to creates, which a merchant waits for.
    bool tenth_for_others = false;
  };
  /// Nothing that was counted is forgotten.
  void configure(const Stated& stated);
  bool empty() const { return entries_.empty(); }
  std::vector<QuotaLeft> left(Instant now) const;  ///< nothing before the database has told what was spent

  bool may_poll(Instant now) const;
  std::int64_t ready(Instant now) const;  ///< requests that may go out now; without quotas as many as can be counted
  void spend(Instant now);                ///< one went out, whatever ready() said
  void sent_late(Instant planned, Instant now);  ///< what was spent at `planned` goes out only now
  /// Somebody would send more than is ready. Without that, no block is reserved: a quiet carrier costs no writes.
  void want(Instant now);
  /// When polls may go on, or somebody may want() again; nothing: when the database has answered.
  std::optional<Instant> next_poll(Instant now) const;
  /// When there will be room for one more that went out already.
  Instant next_room(Instant now) const;

  std::optional<QuotaWork> work(Instant now);
  // How the work ended.
  void loaded(std::span<const QuotaRecord> records, Instant now);
  void reserved();
  void conflicted(Instant now);  ///< another process has written since: what it says is loaded
  void failed(Instant now);      ///< the database does not answer: the same again, after a while

  void clock_set_back(Instant now);

 private:
  struct Entry {
    Quota quota;
    std::int64_t revision = 0;
  };
  void set_entry(QuotaPeriod period, std::optional<std::int64_t> requests_max);
  std::int64_t spared(const Quota& quota) const;
  bool is_low(Instant now) const;

  std::vector<Entry> entries_;
  bool tenth_for_others_ = false;
  bool known_ = false;  ///< the database's records are loaded
  bool wanted_ = false;
  std::optional<QuotaWork> under_way_;
  Instant begun_at_{};  ///< the work that is under way
  int failures_in_row_ = 0;
  Instant retry_at_{};
};

}  // namespace remitod::scheduler
