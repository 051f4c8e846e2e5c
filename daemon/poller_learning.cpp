// Carriers with an adaptive schedule learn beside the deciding thread, one of them at a time: what a thousand carriers
// have to learn then costs a part of one core, and no poll waits for it.

#include <memory>
#include <utility>
#include <vector>

#include "daemon/poller.h"
#include "daemon/poller_carrier.h"
#include "scheduler/adaptive_config.h"
#include "scheduler/adaptive_plan.h"

namespace remitod::daemon {
namespace {

using scheduler::AdaptivePlan;
using Plans = std::vector<std::shared_ptr<const AdaptivePlan>>;

/// What all carriers together have counted, for one that is hardly known; what ops said of it stands in its place.
scheduler::Population population_for(const scheduler::AdaptiveConfig& carrier, const Plans& plans) {
  scheduler::Population population;
  if (carrier.hints.empty())
    for (const auto& plan : plans) scheduler::add_to_population(population, plan->counts);
  return scheduler::with_hints(std::move(population), carrier.hints);
}

}  // namespace

std::optional<scheduler::Lane::Lessons> Poller::lessons(std::string_view carrier_name) {
  Carrier* carrier = find(carrier_name);
  return carrier ? carrier->lane.lessons() : std::nullopt;
}

void Poller::lessons_lost(std::string_view carrier_name) {
  if (Carrier* carrier = find(carrier_name)) carrier->lane.lessons_lost();
}

bool Poller::restore_lessons(std::string_view carrier_name, const scheduler::Lane::Lessons& lessons) {
  Carrier* carrier = find(carrier_name);
  return !carrier || carrier->lane.restore_lessons(lessons.earlier.value_or(""), lessons.recent, runtime_.now());
}

void Poller::restore_wishes(std::string_view carrier_name, const scheduler::Lane::Wishes& wishes, Instant saved_at) {
  Carrier* carrier = find(carrier_name);
  if (!carrier) return;
  const Instant now = runtime_.now();
  const auto set_back = std::max(saved_at - now, Instant::duration{0});  // the clock, since then
  carrier->lane.restore_wishes({wishes.polls - set_back, wishes.orders - set_back}, now);
  if (carrier->lane.breaker() != scheduler::BreakerState::closed)
    carrier->counters.last_error = "it has asked to be left alone (Retry-After)";
  note_breaker(*carrier, scheduler::BreakerState::closed);
  note_orders_rest(*carrier, Instant{});
}

void Poller::keep_learning(Carrier& carrier) {
  if (stopping_ || carrier.is_learning || !carrier.lane.wants_to_learn(runtime_.now())) return;
  carrier.is_learning = true;
  learners_.push_back(&carrier);
  if (learners_.size() == 1) learn_next();
}

void Poller::learn_next() {
  if (stopping_ || learners_.empty()) return;
  Carrier& carrier = *learners_.front();
  Plans plans;
  for (const auto& [name, other] : carriers_)
    if (auto plan = other->lane.plan()) plans.push_back(std::move(plan));
  mapper_.run("adaptive schedules",
              [this, &carrier, input = carrier.lane.learning_input(runtime_.now()), plans = std::move(plans),
               config = carrier.lane.config().adaptive]() mutable -> Runtime::Task {
                input.population = population_for(*config, plans);
                auto plan = std::make_shared<const AdaptivePlan>(scheduler::rebuild(input));
                return [this, &carrier, plan = std::move(plan)]() mutable { learned(carrier, std::move(plan)); };
              });
}

void Poller::learned(Carrier& carrier, std::shared_ptr<const AdaptivePlan> plan) {
  carrier.lane.learned(std::move(plan), runtime_.now());
  carrier.is_learning = false;
  learners_.pop_front();
  learn_next();  // before this one can ask for another turn
  wake(carrier);
}

}  // namespace remitod::daemon
