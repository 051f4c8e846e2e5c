// When a carrier's plan is to be made anew: daily, in the first week twice a day, and when there is a quarter more to
// learn from or the price has moved by a tenth.
#pragma once

#include <cstddef>

#include "scheduler/adaptive_schedule.h"

namespace remitod::scheduler {

class PlanTimes {
 public:
  /// Nothing is known: the first plan is made after most of a day.
  static PlanTimes of_a_beginner(Second now);
  /// Something is: from `first` on.
  PlanTimes(Second now, Second first) : started_(now), next_(first) {}

  bool wants_plan(const AdaptiveSchedule& schedule, const Prices& prices, Second now) const;
  void made(Second now);
  /// The next plan comes no later than that of a beginner.
  void clock_set_back(Second now);

 private:
  Second started_, next_;
};

}  // namespace remitod::scheduler
