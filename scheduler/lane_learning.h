// The adaptive part of a lane: its schedule, what it may spend, when it learns anew, and what of that outlives a
// restart. The shipments and the limits are the lane's. README.md has the rules.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/adaptive_config.h"
#include "scheduler/adaptive_schedule.h"
#include "scheduler/budget.h"
#include "scheduler/delay_estimate.h"
#include "scheduler/lane.h"
#include "scheduler/plan_times.h"

namespace remitod::scheduler {

/// What a status is to the model: statuses in which carriers are alike wait together, so that there is enough of each.
StatusNumber stage_of(Status status);
inline constexpr std::size_t stage_count = 5;
std::string_view stage_name(StatusNumber stage);

class LaneLearning {
 public:
  /// `config.adaptive` is present.
  LaneLearning(const LaneConfig& config, std::uint64_t seed, Second now);

  AdaptiveSchedule& schedule() { return schedule_; }
  const AdaptiveSchedule& schedule() const { return schedule_; }
  const Budget& budget() const { return budget_; }
  const AdaptiveConfig& config() const { return config_; }
  /// From when on the plans have taken the carrier for one that publishes in batches; 0: they do not.
  Second batches_since() const { return batches_since_; }
  DelaySummary delays(Second since) const;
  /// The hours from which on nothing has been counted yet are over: what would the hourly pull have spent?
  void count_hours(Second now, std::size_t shipments);
  void request_sent(std::size_t polls);
  void further_request_sent();  ///< a login, a page
  /// The question of `asked_at` showed a new status.
  void saw(const OpenShipment& shipment, Second asked_at);

  bool wants_to_learn(Second now, std::size_t shipments) const;
  LearningInput input(std::vector<OpenShipment> open, Second now);
  /// False where the plan was made at no price of this carrier: it is not followed, and another one is wanted at once.
  bool learned(std::shared_ptr<const AdaptivePlan> plan, std::size_t shipments, Second now);
  void clock_set_back(Second now);

  std::optional<Lane::Lessons> lessons();
  void lessons_lost() { given_ = {}; }
  bool restore(std::string_view earlier, std::string_view recent, Second now);

  std::size_t memory_bytes() const;

 private:
  /// What lessons() gave last.
  struct Given {
    std::size_t earlier = 0;  ///< so many waits are in `earlier`
    Wait last;                ///< the last of them
    std::string recent;
    bool any = false;
  };
  AdaptiveCalendar calendar_around(Second now) const;
  void renew_calendar(Second now);
  void forget_the_future(Second now);
  bool earlier_is_given() const;

  AdaptiveConfig config_;
  int batch_max_;
  Second calendar_until_ = 0;
  AdaptiveSchedule schedule_;
  Budget budget_;
  PlanTimes times_;
  Second next_hour_;
  double requests_ = 0, further_requests_ = 0;  ///< lately: how many more the hourly pull would need
  std::size_t shipments_at_plan_ = 0;
  Second batches_since_ = 0;
  bool plan_again_ = false;
  Given given_;
};

}  // namespace remitod::scheduler
