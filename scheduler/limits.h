// All that a carrier allows, several limits at once: may a request go out now; if not, when? A request goes only where
// every limit lets it.
#pragma once

#include <memory>
#include <optional>

#include "scheduler/lane.h"
#include "scheduler/limits_hours.h"
#include "scheduler/quota_book.h"
#include "scheduler/token_bucket.h"

namespace remitod::scheduler {

class Limits {
 public:
  /// `config` has been checked.
  explicit Limits(const LaneConfig& config);
  /// Tighter limits hold at once; nothing that was counted is forgotten.
  void reconfigure(const LaneConfig& config, Instant now);
  /// The first moment. What a process before this one sent last nobody knows: the rates begin with what half a second
  /// without requests brings. (The unit waits as long before it starts again.)
  void start(Instant now);

  bool take(Instant now);                      ///< of the schedule: one request goes out, if it may
  std::size_t spare(Instant now);              ///< requests of others that may go out now
  void sent_late(Instant taken, Instant now);  ///< what was taken before goes out now
  Instant spend_rate(Instant now);  ///< what was spent before did not go out in time; when there is room for it
  Instant spend(Instant now);       ///< one of others goes out; when there is room for it
  Hold hold(Instant now) const;     ///< what keeps the schedule from sending
  /// When the schedule may send, not before `earliest`; nothing: nobody knows, Hold says why.
  std::optional<Instant> next(Instant now, Instant earliest) const;
  /// The same of what is counted: opening hours aside.
  std::optional<Instant> next_counted(Instant now) const;
  bool is_open(Instant now) const;
  /// Up to when it stays open at least; nothing: nothing will close it.
  std::optional<Instant> open_until(Instant now) const;

  QuotaBook& quotas() { return quotas_; }
  const QuotaBook& quotas() const { return quotas_; }
  void clock_set_back(Instant now);

 private:
  /// What OpenHours::at() said, as long as it holds.
  struct KnownHours {
    Instant from{}, until{};
    bool open = true;
    std::optional<Instant> opens_at;
  };
  const KnownHours& hours_at(Instant now) const;
  std::optional<Instant> open_from(Instant now) const;

  TokenBucket second_;
  std::optional<TokenBucket> minute_;
  QuotaBook quotas_;
  std::shared_ptr<const OpenHours> hours_;
  mutable KnownHours known_hours_;
};

}  // namespace remitod::scheduler
