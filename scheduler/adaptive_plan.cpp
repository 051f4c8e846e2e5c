#include "scheduler/adaptive_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

namespace remitod::scheduler {
namespace {

/// A wait counts half as much in the scores 140 waits later.
constexpr double score_kept = 0.995;
/// The usual carrier is the simplest story, and it errs least where little is known: another one has to be better by
/// this.
constexpr double other_better_by = 4;
/// Ages keep within three octaves of the usual rate of their status.
constexpr long age_levels = 6;

std::array<Expert, hypotheses> beginners(std::span<const double> scores) {
  std::array<Expert, hypotheses> experts{
      Expert{.settings = {.half_life_days = 21, .population_events = 0.3}, .model = {}},
      Expert{.settings = {.half_life_days = 21, .population_events = 60, .carrier_events = 15, .status_events = 7},
             .model = {}},
      Expert{.settings = {.half_life_days = 4, .population_events = 1}, .model = {}}};
  for (std::size_t i = 0; i < std::min(experts.size(), scores.size()); ++i) experts[i].score = scores[i];
  return experts;
}

Second age_of(const OpenShipment& shipment, Second at) {
  return at - std::min(shipment.entered, at);
}

/// Scores each expert by what happened since the rebuild before, then learns from it.
void learn(const LearningInput& input, AdaptivePlan& plan) {
  std::vector<Wait> all = input.waits;
  for (const OpenShipment& shipment : input.open)
    all.push_back({shipment.entered, std::max(shipment.entered, shipment.last_asked), 0, shipment.status});
  plan.experts = input.before ? input.before->experts : beginners(input.scores);
  const std::span fresh = std::span(input.waits).subspan(std::min(input.scored, input.waits.size()));
  PublicationEvidence evidence;
  double half_life_days = 0;  // of the evidence: two experts share it
  for (std::size_t i = 0; i < hypotheses; ++i) {
    Expert& expert = plan.experts[i];
    if (!expert.model.empty())
      for (const Wait& wait : fresh)
        expert.score = expert.score * score_kept + log_likelihood(expert.model, input.calendar, wait);
    if (std::exchange(half_life_days, expert.settings.half_life_days) != expert.settings.half_life_days)
      evidence = gather_evidence(all, input.calendar, input.now, half_life_days);
    Fit fit = fit_publications(evidence, expert.settings, input.population, expert.model);
    expert.model = std::move(fit.model);
    if (i == static_cast<std::size_t>(Hypothesis::own)) plan.counts = std::move(fit.counts);
  }
  const double usual = plan.score_of(Hypothesis::usual);
  plan.best = Hypothesis::usual;
  for (const Hypothesis other : {Hypothesis::own, Hypothesis::changed})
    if (plan.score_of(other) > std::max(plan.score_of(plan.best), usual + other_better_by)) plan.best = other;
}

/// Sets which level each age of a status is at; its usual rate, which is returned, is the geometric mean over the ages.
double set_levels(const StatusRates& rates, StatusPlan& plan) {
  double log_sum = 0;
  for (const float rate : rates.by_age) log_sum += std::log(double{rate});
  const double usual = std::exp(log_sum / age_bins);
  for (std::size_t age = 0; age < age_bins; ++age) {
    const long off = std::lround(2 * std::log2(double{rates.by_age[age]} / usual));
    plan.level[age] = static_cast<std::uint8_t>(long{usual_level} + std::clamp(off, -age_levels, age_levels));
  }
  return usual;
}

/// The mean over the week of V, by status and level.
using Costs = std::vector<std::array<double, levels>>;

/// Makes the tables that the ages use once their levels are lowered by `lowered`, and no others.
Costs make_tables(double price, std::size_t lowered, AdaptivePlan& plan) {
  const PublicationModel& model = plan.model();
  Costs costs(model.statuses.size());
  plan.statuses.clear();
  plan.statuses.resize(model.statuses.size());
  std::vector<float> per_step(steps_per_week);
  for (std::size_t status = 0; status < model.statuses.size(); ++status) {
    const StatusRates& rates = model.statuses[status];
    StatusPlan& status_plan = plan.statuses[status];
    const double usual = set_levels(rates, status_plan);
    for (std::uint8_t& level : status_plan.level) {
      level -= static_cast<std::uint8_t>(std::min<std::size_t>(level, lowered));
      if (status_plan.tables[level]) continue;
      const auto scale = static_cast<float>(usual * std::exp2((level - double{usual_level}) / 2));
      for (std::size_t i = 0; i < steps_per_week; ++i) per_step[i] = scale * rates.by_slot[slot_class_of_step(i)];
      const Inspection solved = solve_inspection(per_step, price);
      status_plan.tables[level] = std::make_unique<const InspectionTable>(solved.table);
      costs[status][level] = std::reduce(solved.cost.begin(), solved.cost.end(), 0.0) / steps_per_week;
    }
  }
  return costs;
}

/// What the open shipments cost a minute, delay and polls, if each is asked by its own table: rate · V.
double table_cost(const LearningInput& input, const AdaptivePlan& plan, const Costs& costs) {
  double sum = 0;
  for (const OpenShipment& shipment : input.open) {
    const std::size_t status = std::min<std::size_t>(shipment.status, plan.statuses.size() - 1);
    const std::size_t age = age_bin(age_of(shipment, input.now));
    sum += double{plan.model().statuses[status].by_age[age]} * costs[status][plan.statuses[status].level[age]];
  }
  return sum;
}

}  // namespace

const InspectionTable& AdaptivePlan::table(const OpenShipment& shipment, Second at) const {
  const StatusPlan& status = statuses[std::min<std::size_t>(shipment.status, statuses.size() - 1)];
  return *status.tables[status.level[age_bin(age_of(shipment, at))]];
}

AdaptivePlan rebuild(const LearningInput& input) {
  AdaptivePlan plan;
  plan.prices = input.prices;
  plan.waits = input.waits.size();
  plan.built_at = input.now;
  learn(input, plan);
  const Costs costs = make_tables(input.prices.poll, 0, plan);

  std::vector<Candidate> candidates;
  for (const OpenShipment& shipment : input.open) {
    candidates.push_back({shipment.status, shipment.entered});
    plan.mean_rate += double{plan.model().of(shipment.status).by_age[age_bin(age_of(shipment, input.now))]};
  }
  plan.mean_rate /= static_cast<double>(std::max<std::size_t>(1, input.open.size()));
  plan.batches = find_batch_regime({.waits = input.waits,
                                    .open = candidates,
                                    .model = plan.model(),
                                    .calendar = input.calendar,
                                    .now = input.now,
                                    .prices = input.prices,
                                    .batch_max = input.batch_max,
                                    .table_cost_a_minute = table_cost(input, plan, costs)});
  // Under sentinels the sweeps of batches find nearly everything: only the stragglers' rate is left.
  if (plan.batches.found) make_tables(input.prices.poll, plan.batches.straggler_levels, plan);
  return plan;
}

}  // namespace remitod::scheduler
