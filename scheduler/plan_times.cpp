#include "scheduler/plan_times.h"

#include <algorithm>
#include <cmath>

namespace remitod::scheduler {
namespace {

constexpr Second cold_s = 18 * hour_s;
constexpr std::size_t waits_min = 5;
constexpr Second young_s = 7 * day_s;
constexpr Second rebuild_min_s = 6 * hour_s;
constexpr double price_moved = 0.1, waits_grown = 0.25;

}  // namespace

PlanTimes PlanTimes::of_a_beginner(Second now) {
  return {now, later(now, cold_s)};
}

bool PlanTimes::wants_plan(const AdaptiveSchedule& schedule, const Prices& prices, Second now) const {
  const auto& plan = schedule.plan();
  if (!plan) return schedule.waits().size() >= waits_min && now >= next_;
  const bool moved =
      now >= later(plan->built_at, rebuild_min_s) && std::abs(std::log(prices.poll / plan->prices.poll)) > price_moved;
  const double wanted = std::max(double{waits_min}, waits_grown * static_cast<double>(plan->waits));
  return moved || now >= next_ || static_cast<double>(schedule.waits_since_plan()) >= wanted;
}

void PlanTimes::made(Second now) {
  next_ = later(now, now < later(started_, young_s) ? day_s / 2 : day_s);
}

void PlanTimes::clock_set_back(Second now) {
  started_ = std::min(started_, now);
  next_ = std::min(next_, later(now, cold_s));
}

}  // namespace remitod::scheduler
