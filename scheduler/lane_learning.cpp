#include "scheduler/lane_learning.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "scheduler/adaptive_state.h"
#include "scheduler/lane_lessons.h"
#include "scheduler/phase.h"

namespace remitod::scheduler {
namespace {

/// As far as the model looks back, and as far ahead as a calendar is made; it is made anew when less than this is left
/// of it.
constexpr Second looks_back_s = 90 * day_s, looks_ahead_s = 400 * day_s, ahead_min_s = 60 * day_s;
/// After a restart the lane fills before its plan is made, and a thousand lanes do not all plan at once.
constexpr Second restart_first_s = 60, restart_spread_s = 60;
/// Hours that were not counted one by one (the process was stopped) are no matter of the budget.
constexpr Second hours_caught_up = 48;
/// A plan for a handful of shipments is none for ten times as many.
constexpr std::size_t shipments_grown = 2, shipments_grown_by = 20;
constexpr Second grown_plan_min_s = 600;
/// How much an hour forgets of what further requests were needed.
constexpr double overhead_kept = 0.98;
/// Waits that ended since are written each minute, until they are so many.
constexpr std::size_t recent_waits_max = 256;

AdaptiveSettings settings_of(const LaneConfig& config, AdaptiveCalendar calendar, std::uint64_t seed) {
  const auto max_interval = static_cast<Second>(config.adaptive->max_interval.count());
  const Second even = Budget(config.adaptive->budget, config.batch_max, 0).even_interval();
  return {.calendar = std::move(calendar),
          .batch_max = config.batch_max,
          .max_interval = max_interval,
          .cold_interval = std::min(even, max_interval),
          .seed = seed};
}

}  // namespace

StatusNumber stage_of(Status status) {
  switch (status) {
    case Status::registered:
      return 0;
    case Status::picked_up:
    case Status::in_transit:
      return 1;
    case Status::out_for_delivery:
      return 2;
    case Status::delivered:
    case Status::returned:
    case Status::cancelled:
    case Status::expired:
      return 4;
    default:
      return 3;
  }
}

std::string_view stage_name(StatusNumber stage) {
  static constexpr std::array<std::string_view, stage_count> names{"registered", "in transit", "out for delivery",
                                                                   "held up or returning", "at an end"};
  return names.at(stage);
}

LaneLearning::LaneLearning(const LaneConfig& config, std::uint64_t seed, Second now)
    : config_(*config.adaptive),
      batch_max_(config.batch_max),
      calendar_until_(later(now, looks_ahead_s)),
      schedule_(settings_of(config, calendar_around(now), seed), now),
      budget_(config_.budget, config.batch_max, now),
      times_(PlanTimes::of_a_beginner(now)),
      next_hour_((now / hour_s + 1) * hour_s) {}

AdaptiveCalendar LaneLearning::calendar_around(Second now) const {
  if (!config_.calendar) return {};
  return AdaptiveCalendar(*config_.calendar, now - std::min(now, looks_back_s), later(now, looks_ahead_s));
}

void LaneLearning::renew_calendar(Second now) {
  calendar_until_ = later(now, looks_ahead_s);
  schedule_.set_calendar(calendar_around(now));
}

// ------------------------------------------------------------------ spending

void LaneLearning::request_sent(std::size_t polls) {
  requests_ += 1;
  budget_.add_used(static_cast<double>(polls), 1);
}

void LaneLearning::further_request_sent() {
  further_requests_ += 1;
  budget_.add_used(0, 1);
}

// Where an answer takes several requests, the hourly pull's takes as many.
void LaneLearning::count_hours(Second now, std::size_t shipments) {
  if (now >= later(next_hour_, hours_caught_up * hour_s)) next_hour_ = now / hour_s * hour_s;
  for (; next_hour_ <= now; next_hour_ = later(next_hour_, hour_s)) {
    const double overhead = requests_ < 1 ? 1 : 1 + further_requests_ / requests_;
    const auto polls = static_cast<double>(shipments);
    budget_.add_hourly(polls, std::ceil(polls / batch_max_) * overhead);
    budget_.adjust(next_hour_);
    requests_ *= overhead_kept;
    further_requests_ *= overhead_kept;
  }
}

void LaneLearning::saw(const OpenShipment& shipment, Second asked_at) {
  schedule_.saw(shipment, asked_at);
  const PublicationModel* model = schedule_.plan() ? &schedule_.plan()->model() : nullptr;
  budget_.add_delay(estimate_delay(model, schedule_.settings().calendar, schedule_.waits().back()).mean);
}

// ------------------------------------------------------------------ learning

DelaySummary LaneLearning::delays(Second since) const {
  const PublicationModel* model = schedule_.plan() ? &schedule_.plan()->model() : nullptr;
  return summarise_delays(model, schedule_.settings().calendar, schedule_.waits(), since);
}

bool LaneLearning::wants_to_learn(Second now, std::size_t shipments) const {
  if (shipments == 0) return false;
  if (plan_again_ || times_.wants_plan(schedule_, budget_.prices(), now)) return true;
  const auto& plan = schedule_.plan();
  if (!plan) return !config_.hints.empty();
  return shipments > shipments_grown * shipments_at_plan_ + shipments_grown_by &&
         now >= later(plan->built_at, grown_plan_min_s);
}

LearningInput LaneLearning::input(std::vector<OpenShipment> open, Second now) {
  if (later(now, ahead_min_s) > calendar_until_) renew_calendar(now);
  return schedule_.learning_input(std::move(open), {}, budget_.prices(), now);
}

bool LaneLearning::learned(std::shared_ptr<const AdaptivePlan> plan, std::size_t shipments, Second now) {
  plan_again_ = !budget_.started();
  if (plan_again_) {
    budget_.start_from(plan->mean_rate);
    return false;
  }
  if (!plan->batches.found)
    batches_since_ = 0;
  else if (batches_since_ == 0)
    batches_since_ = now;
  schedule_.adopt(std::move(plan));
  shipments_at_plan_ = shipments;
  times_.made(now);
  return true;
}

void LaneLearning::clock_set_back(Second now) {
  renew_calendar(now);  // the one that is there may begin later
  forget_the_future(now);
  times_.clock_set_back(now);
  next_hour_ = std::min(next_hour_, (now / hour_s + 1) * hour_s);
}

/// Of what outlives a restart, too: the process before this one may have had the wrong time.
void LaneLearning::forget_the_future(Second now) {
  schedule_.clock_set_back(now);
  budget_.clock_set_back(now);
  batches_since_ = std::min(batches_since_, now);
}

// ------------------------------------------------------------------ what outlives a restart

bool LaneLearning::earlier_is_given() const {
  const std::vector<Wait>& waits = schedule_.waits();
  if (!given_.any || waits.size() < given_.earlier || waits.size() - given_.earlier > recent_waits_max) return false;
  return given_.earlier == 0 || waits[given_.earlier - 1] == given_.last;
}

std::optional<Lane::Lessons> LaneLearning::lessons() {
  AdaptiveState state = schedule_.state();
  Lane::Lessons lessons;
  if (!earlier_is_given()) {
    lessons.earlier = serialise(state);
    given_ = {.earlier = state.waits.size(),
              .last = state.waits.empty() ? Wait{} : state.waits.back(),
              .recent = {},
              .any = true};
  }
  state.waits.erase(state.waits.begin(), state.waits.begin() + static_cast<std::ptrdiff_t>(given_.earlier));
  lessons.recent = serialise(RecentLessons{.earlier_waits = given_.earlier,
                                           .state = std::move(state),
                                           .budget_stated = number_of(config_.budget),
                                           .budget = budget_.state(),
                                           .batches_since = batches_since_});
  if (lessons.recent == given_.recent) return std::nullopt;
  given_.recent = lessons.recent;
  return lessons;
}

bool LaneLearning::restore(std::string_view earlier, std::string_view recent, Second now) {
  std::optional<AdaptiveState> state = parse_adaptive_state(earlier);
  std::optional<RecentLessons> lessons = parse_recent_lessons(recent);
  if (!state) return false;
  if (lessons && lessons->earlier_waits == state->waits.size()) {
    state->waits.insert(state->waits.end(), lessons->state.waits.begin(), lessons->state.waits.end());
    lessons->state.waits = std::move(state->waits);
    *state = std::move(lessons->state);
    batches_since_ = lessons->batches_since;
    // What was owed to another budget is not owed to this one; its prices are a better start than none.
    Budget::State budget = budget_.state();
    if (lessons->budget_stated == number_of(config_.budget)) {
      budget = lessons->budget;
    } else {
      budget.started = lessons->budget.started;
      budget.prices = lessons->budget.prices;
    }
    budget_.restore(budget);
  }
  schedule_.restore(std::move(*state));
  forget_the_future(now);
  times_ = PlanTimes(now, now + restart_first_s + static_cast<Second>(schedule_.settings().seed % restart_spread_s));
  return true;
}

std::size_t LaneLearning::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + schedule_.waits().capacity() * sizeof(Wait) + given_.recent.capacity();
  const auto& plan = schedule_.plan();
  if (!plan) return bytes;
  bytes += sizeof(AdaptivePlan) + plan->counts.size() * sizeof(StatusCounts);
  for (const Expert& expert : plan->experts) bytes += expert.model.statuses.size() * sizeof(StatusRates);
  for (const StatusPlan& status : plan->statuses)
    bytes += sizeof(StatusPlan) + static_cast<std::size_t>(std::ranges::count_if(
                                      status.tables, [](const auto& table) { return table != nullptr; })) *
                                      sizeof(InspectionTable);
  return bytes;
}

}  // namespace remitod::scheduler
