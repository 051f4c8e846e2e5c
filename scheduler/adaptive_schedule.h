// One carrier's adaptive schedule: when to ask about each of its shipments, and when to ask a few, or all, at once.
//
// It holds what was learned, not the shipments: whoever drives it (a lane, a backtest) shows it the shipment that a
// question is about. Everything it does is a matter of its inputs. Learning is a function of its own (adaptive_plan.h),
// so that it can run on another thread while the plan before serves:
//
//   plan = rebuild(schedule.learning_input(open shipments, population, prices, now));   // any thread
//   schedule.adopt(plan);                                                               // the deciding thread
//
// After adopt() the driver asks next_poll() again for the shipments at rest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/adaptive_plan.h"

namespace remitod::scheduler {

struct AdaptiveSettings {
  AdaptiveCalendar calendar;
  int batch_max = 1;              ///< shipments in a request
  Second max_interval = day_s;    ///< nobody waits longer, whatever was learned
  Second cold_interval = hour_s;  ///< before anything was learned; at most max_interval
  std::uint64_t seed = 0;
};

/// Ask so many shipments now: those with the highest chance() to show something, and only where it reaches
/// `chance_min`.
struct Round {
  enum class Kind : std::uint8_t { sentinel, sweep };
  Kind kind = Kind::sentinel;
  std::size_t shipments_max = 0;
  double chance_min = 0;
};

/// What outlives a restart.
struct AdaptiveState {
  std::vector<Wait> waits;     ///< ended ones, in the order in which they ended
  std::vector<double> scores;  ///< of the experts
  Prices prices;
  Second last_batch = 0;    ///< first sight of the last batch; 0: none
  Second awaited_from = 0;  ///< the next one may come from then on
  friend bool operator==(const AdaptiveState&, const AdaptiveState&) = default;
};

class AdaptiveSchedule {
 public:
  AdaptiveSchedule(AdaptiveSettings settings, Second now);

  /// When to ask about this shipment next, as far as the shipment itself says; after `now`. O(1).
  Second next_poll(const OpenShipment& shipment, Second now) const;
  /// From when on a shipment that is due at `due` may ride along in a request that has room.
  Second may_ride_from(const OpenShipment& shipment, Second due) const;

  /// The question of `asked_at` was answered: nothing new, or a new status. `shipment` is as it was before the answer.
  /// What was not answered is not told: it says nothing of publication.
  void missed(const OpenShipment& shipment, Second asked_at);
  void saw(const OpenShipment& shipment, Second asked_at);

  /// When take_round() wants to be called; nothing: this carrier's shipments are asked one by one.
  std::optional<Second> next_round() const;
  /// The round that is due, if there is one. next_round() has moved on after it.
  std::optional<Round> take_round(Second now);
  /// Chance that the shipment shows something now: what a round orders by. Only where next_round() gives something.
  double chance(const OpenShipment& shipment, Second now) const;

  LearningInput learning_input(std::vector<OpenShipment> open, Population population, const Prices& prices,
                               Second now) const;
  void adopt(std::shared_ptr<const AdaptivePlan> plan);
  /// Null until something was learned.
  const std::shared_ptr<const AdaptivePlan>& plan() const { return plan_; }
  /// Waits that ended since the plan was made.
  std::size_t waits_since_plan() const { return waits_.size() - scored_; }
  const AdaptiveSettings& settings() const { return settings_; }
  /// Ended ones, in the order in which they ended.
  const std::vector<Wait>& waits() const { return waits_; }
  /// A clock that knows a later time; the same clock otherwise.
  void set_calendar(AdaptiveCalendar calendar) { settings_.calendar = std::move(calendar); }
  /// Moments that it remembers and that are still to come are taken for now.
  void clock_set_back(Second now);

  /// First sight of the last batch, and from when on the next one is awaited; 0: none.
  Second last_batch() const { return last_batch_; }
  Second awaited_from() const { return awaited_from_; }
  bool in_batch() const { return in_burst(); }

  AdaptiveState state() const;
  /// Before anything else was told. The next rebuild learns from it.
  void restore(AdaptiveState state);

 private:
  double chance_in_batch(const OpenShipment& shipment, Second now) const;
  /// Chance that a sentinel shows a batch which is out: it may be out only in part.
  double chance_of_hit(const OpenShipment& shipment, Second now) const;
  bool in_burst() const { return burst_at_ != 0; }
  bool knows_batches() const { return plan_ && plan_->batches.found; }
  bool suspects_batches() const { return !knows_batches() && suspicion_ > 0 && (!plan_ || !plan_->batches.judged()); }
  Second cold_mark(std::int64_t shipment_id, Second after) const;
  std::optional<Round> suspected_round();
  void note_exposure(const OpenShipment& shipment, Second asked_at, bool hit);
  bool was_straggler() const;
  Round next_sweep();
  void end_burst();
  Second sweep_at(std::size_t sweep) const;
  std::size_t sweep_count() const;

  AdaptiveSettings settings_;
  std::shared_ptr<const AdaptivePlan> plan_;
  std::vector<Wait> waits_;
  std::size_t scored_ = 0;      ///< that many of waits_ are in plan_
  std::vector<double> scores_;  ///< restored, until there is a plan

  // Where the carrier is between two batches.
  Second last_batch_ = 0;
  Second awaited_from_ = 0;
  Second last_round_ = 0;
  double missed_batch_ = 0;  ///< probability that one is out, and the sentinels did not show it
  // And in one.
  Second burst_at_ = 0;  ///< its first sight; 0: none
  std::size_t next_sweep_ = 0;
  bool confirming_ = false;  ///< the first sight may be a straggler: a few are asked before all are
  std::size_t seen_in_burst_ = 0;
  double missed_in_burst_ = 1;  ///< likelihood of the misses since the first sight, if it is a batch

  // While it is not known whether there are batches: is what is seen together more than comes together by chance?
  int suspicion_;
  double seen_ = 0, waited_s_ = 0;  ///< publications, and how long was waited for them
  double waited_in_burst_s_ = 0;    ///< of that, what ended in this burst after its first sight
};

}  // namespace remitod::scheduler
