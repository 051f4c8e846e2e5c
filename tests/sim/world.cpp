#include "tests/sim/world.h"

#include <algorithm>
#include <array>
#include <span>

#include "daemon/log.h"
#include "tests/sim/final_checks.h"

namespace remitod::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

// At least one rest of a breaker, an interval, and the longest pause between two tries of a letter.
constexpr hours calm_time{5};
constexpr std::chrono::milliseconds reload_pause{500};  // daemon/app.cpp's, on the wall's clock

double draw_time_scale(Dice dice) {
  constexpr std::array<double, 3> scales{5, 10, 20};
  return dice.pick(std::span<const double>(scales));
}

}  // namespace

World::World(const RunOptions& options)
    : options_(options),
      dice_(Dice(options.seed).fork("world")),
      plan_(draw_plan(dice_.fork("plan"))),
      time_scale_(draw_time_scale(dice_.fork("scale"))),
      wire_(plan_, dice_.fork("wire"), trace_, wire_hooks()),
      store_watch_(database_.session(), trace_),
      // On any day of the week, at any hour.
      start_(test::monday + minutes{dice_.fork("start").between(0, 7 * 24 * 60)}),
      now_(start_) {
  // A rule is broken where there is something to break it on.
  if (options.mutation != Mutation::none) plan_.orders.cancelled = std::max(plan_.orders.cancelled, 0.7);
  if (options.mutation == Mutation::date_plans_back) plan_.data.planned = 1;
  daemon::set_up_log("off");
}

RunResult World::run() {
  RunResult result;
  const Instant end_of_faults = start_ + days{options_.days};
  try {
    found_carriers();
    start_daemon();
    plan_host_faults();
    plan_wire_faults();
    plan_mutation();
    run_until(end_of_faults);
    end_faults();
    run_until(end_of_faults + calm_time);
    if (breaks_at_the_end(options_.mutation)) mutate();
    check_truth({database_.session(), wire_, daemon_->poller, unclear_, now_});
  } catch (const BrokenCheck& rule) {
    result.broken = {rule.check(), rule.what(), trace_.last_events()};
  } catch (const std::exception& error) {
    result.broken = {"no_exception", error.what(), trace_.last_events()};
  }
  result.plan = "time_scale=" + std::to_string(static_cast<int>(time_scale_)) + plan_.to_string();
  result.trace_hash = trace_.hash();
  result.events = trace_.events();
  result.shipments = read_shipments(database_.session()).size();
  result.requests = read_requests(database_.session()).size();
  result.transitions = read_transitions(database_.session()).size();
  return result;
}

void World::now_and_then(double times_a_day, Dice& dice, const std::function<void(Instant)>& schedule) {
  // The first minutes are without faults: what the sinks are to hear of begins there.
  const Instant first = start_ + minutes{10}, end = start_ + days{options_.days};
  double times = times_a_day * options_.days;
  for (; times >= 1 || dice.chance(times); --times) schedule(first + dice.time(minutes{0}, end - first));
}

void World::run_until(Instant end) {
  const auto next = [&] { return agenda_.empty() ? end : std::min(end, agenda_.begin()->first); };
  while (now_ < end || next() < end) {
    turn_daemon(next());
    if (!agenda_.empty() && agenda_.begin()->first <= now_ && agenda_.begin()->first < end) {
      const auto due = agenda_.extract(agenda_.begin());
      due.mapped()();
    }
  }
}

// Until then, or until the agenda has something that comes before it.
void World::turn_daemon(Instant until) {
  while (daemon_ && daemon_->runtime.turn(until)) {
    now_ = daemon_->runtime.true_now();
    if (crash_in_turns_ && (*crash_in_turns_)-- == 0) return crash(dice_.time(std::chrono::seconds{2}, minutes{5}));
    if (std::exchange(reload_done_, false)) return crash(reload_pause * static_cast<int>(time_scale_));
    if (!agenda_.empty() && agenda_.begin()->first < until) return;
  }
  now_ = std::max(now_, until);
  if (daemon_) daemon_->runtime.run_until(now_);
}

RunResult run_seed(const RunOptions& options) {
  return World(options).run();
}

}  // namespace remitod::sim
