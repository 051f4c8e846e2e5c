#include "scheduler/backtest.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

#include "scheduler/adaptive_schedule.h"
#include "scheduler/breaker.h"
#include "scheduler/budget.h"
#include "scheduler/lane.h"
#include "scheduler/limits.h"
#include "scheduler/phase.h"

namespace remitod::scheduler {
namespace {

constexpr Second never = ~Second{0};
/// The first plan is made after most of a day, of so many waits at least.
constexpr Second cold_s = 18 * hour_s;
constexpr std::size_t waits_min = 5;
/// Plans are made daily, in the first week twice a day, and when there is a quarter more to learn from or the price has
/// moved by a tenth.
constexpr Second young_s = 7 * day_s;
constexpr Second rebuild_min_s = 6 * hour_s;
constexpr double price_moved = 0.1, waits_grown = 0.25;
/// Who was not answered is asked again after so long, up to twice that: each at its own moment.
constexpr Second retry_s = 300;
/// Rounds that one moment may bring: a sentinel, the confirmation, a sweep, and the end of the batch.
constexpr int rounds_max = 4;
/// A rate that nobody reaches.
constexpr double unlimited = 1e6;

struct Ship {
  std::size_t carrier = 0;
  std::vector<std::size_t> rows;  ///< by publication
  std::size_t seen = 0;
  OpenShipment open;
  Second due = never;
};

struct Due {
  Second at = 0;
  std::size_t ship = 0;
  auto operator<=>(const Due&) const = default;
};

struct Carrier {
  AdaptiveSchedule schedule;
  Limits limits;
  Breaker breaker;
  Jitter jitter;
  Second held_until = 0;                                             ///< limits or the breaker let nothing out before
  std::priority_queue<Due, std::vector<Due>, std::greater<>> queue;  ///< what does not agree with Ship::due is stale
  std::set<std::size_t> open;
  Second next_rebuild = 0;
};

class Simulation {
 public:
  Simulation(const std::vector<TraceRow>& rows, const BacktestOptions& options);
  Backtest run();

 private:
  Second next_event() const;
  void open_new();
  void count_hour();
  void learn(Carrier& carrier);
  void serve(Carrier& carrier);
  void send_due(Carrier& carrier);
  bool may_send(Carrier& carrier);
  std::vector<std::size_t> next_request(Carrier& carrier);
  void ask(Carrier& carrier, std::span<const std::size_t> ships);
  bool is_answered() const;
  void answer(Carrier& carrier, std::size_t ship);
  void join(Carrier& carrier, const Round& round);
  void plan(Carrier& carrier, std::size_t ship);
  void put(Carrier& carrier, std::size_t ship, Second due);
  bool is_due(const Carrier& carrier, const Due& due) const {
    return ships_[due.ship].due == due.at && carrier.open.contains(due.ship);
  }
  bool adaptive() const { return options_.schedule.mode == Mode::adaptive; }
  StatusNumber number_of(std::int32_t status);

  const std::vector<TraceRow>& rows_;
  BacktestOptions options_;
  std::vector<Ship> ships_;  ///< by creation
  std::vector<Carrier> carriers_;
  std::map<std::int32_t, StatusNumber> status_numbers_;
  Budget budget_;
  Backtest result_;
  std::size_t opened_ = 0;
  Second start_ = 0, now_ = 0, end_ = 0, next_hour_ = 0;
  std::uint64_t requests_ = 0;
};

Simulation::Simulation(const std::vector<TraceRow>& rows, const BacktestOptions& options)
    : rows_(rows), options_(options), budget_(options.schedule.budget, options.batch_max, 0) {
  const auto max_interval = static_cast<Second>(options.schedule.max_interval.count());
  std::map<std::int64_t, std::size_t> carriers;
  for (const TraceRow& row : rows) carriers.try_emplace(row.carrier, 0);
  for (std::size_t number = 0; auto& carrier : carriers) carrier.second = number++;
  std::unordered_map<std::int64_t, std::size_t> index;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto [at, fresh] = index.try_emplace(rows[i].ship, ships_.size());
    if (fresh)
      ships_.push_back({.carrier = carriers[rows[i].carrier],
                        .rows = {},
                        .open = {rows[i].ship, 0, rows[i].created, rows[i].created}});
    ships_[at->second].rows.push_back(i);
    end_ = std::max(end_, later(rows[i].published, max_interval + day_s));
  }
  for (Ship& ship : ships_)
    std::ranges::stable_sort(ship.rows, {}, [&](std::size_t row) { return rows[row].published; });
  std::ranges::sort(ships_, {}, [](const Ship& ship) { return std::pair{ship.open.entered, ship.open.shipment_id}; });
  start_ = now_ = ships_.empty() ? 0 : ships_.front().open.entered;
  next_hour_ = (now_ / hour_s + 1) * hour_s;
  budget_ = Budget(options.schedule.budget, options.batch_max, now_);
  LaneConfig allowed;
  allowed.requests_per_second = unlimited;
  allowed.requests_per_minute = options.requests_per_minute;
  for (const auto& [carrier, number] : carriers) {
    const std::uint64_t seed = mix(options.seed) ^ mix(static_cast<std::uint64_t>(carrier));
    carriers_.push_back({.schedule = AdaptiveSchedule({.calendar = options.calendar,
                                                       .batch_max = options.batch_max,
                                                       .max_interval = max_interval,
                                                       .cold_interval = std::min(budget_.even_interval(), max_interval),
                                                       .seed = seed},
                                                      now_),
                         .limits = Limits(allowed),
                         .breaker = Breaker(allowed),
                         .jitter = Jitter(seed),
                         .queue = {},
                         .open = {},
                         .next_rebuild = start_ + cold_s});
  }
}

Second Simulation::next_event() const {
  Second next = next_hour_;
  if (opened_ < ships_.size()) next = std::min(next, ships_[opened_].open.entered);
  for (const Carrier& carrier : carriers_) {
    if (carrier.open.empty()) continue;
    Second due = carrier.queue.empty() ? never : carrier.queue.top().at;
    if (const auto round = carrier.schedule.next_round()) due = std::min(due, *round);
    next = std::min(next, std::max(due, carrier.held_until));
  }
  return std::max(next, now_);
}

void Simulation::put(Carrier& carrier, std::size_t ship, Second due) {
  ships_[ship].due = due;
  carrier.queue.push({due, ship});
}

void Simulation::plan(Carrier& carrier, std::size_t index) {
  const Ship& ship = ships_[index];
  switch (options_.schedule.mode) {
    case Mode::hourly:
      return put(carrier, index, (now_ / hour_s + 1) * hour_s);
    case Mode::fixed:
      return put(carrier, index, PhaseGrid(budget_.even_interval()).next_point(now_, ship.open.shipment_id));
    case Mode::adaptive:
      return put(carrier, index, carrier.schedule.next_poll(ship.open, now_));
  }
}

void Simulation::open_new() {
  for (; opened_ < ships_.size() && ships_[opened_].open.entered <= now_; ++opened_) {
    Carrier& carrier = carriers_[ships_[opened_].carrier];
    carrier.open.insert(opened_);
    plan(carrier, opened_);
  }
}

// ------------------------------------------------------------------ budget and learning

void Simulation::count_hour() {
  if (now_ < next_hour_) return;
  next_hour_ += hour_s;
  if (!adaptive()) return;
  double polls = 0, requests = 0;
  for (const Carrier& carrier : carriers_) {
    polls += static_cast<double>(carrier.open.size());
    requests += std::ceil(static_cast<double>(carrier.open.size()) / options_.batch_max);
  }
  budget_.add_hourly(polls, requests);
  budget_.adjust(now_);
  for (Carrier& carrier : carriers_) {
    const auto& plan = carrier.schedule.plan();
    const bool moved = plan && now_ >= plan->built_at + rebuild_min_s &&
                       std::abs(std::log(budget_.prices().poll / plan->prices.poll)) > price_moved;
    const bool grew = plan && static_cast<double>(carrier.schedule.waits_since_plan()) >=
                                  std::max(double{waits_min}, waits_grown * static_cast<double>(plan->waits));
    const bool known = plan || carrier.schedule.waits_since_plan() >= waits_min;
    if (known && (moved || grew || now_ >= carrier.next_rebuild)) learn(carrier);
  }
}

void Simulation::learn(Carrier& carrier) {
  carrier.next_rebuild = now_ + (now_ < start_ + young_s ? day_s / 2 : day_s);
  std::vector<OpenShipment> open;
  for (const std::size_t ship : carrier.open) open.push_back(ships_[ship].open);
  Population population;
  for (const Carrier& other : carriers_)
    if (other.schedule.plan()) add_to_population(population, other.schedule.plan()->counts);
  const auto rebuilt = [&] {
    return std::make_shared<const AdaptivePlan>(
        rebuild(carrier.schedule.learning_input(open, population, budget_.prices(), now_)));
  };
  auto plan_made = rebuilt();
  if (!budget_.started()) {
    budget_.start_from(plan_made->mean_rate);
    plan_made = rebuilt();
  }
  carrier.schedule.adopt(std::move(plan_made));
  for (const std::size_t ship : carrier.open) plan(carrier, ship);
}

// ------------------------------------------------------------------ asking

StatusNumber Simulation::number_of(std::int32_t status) {
  // Numbered as they are seen; 0 is a shipment of which nothing was seen yet.
  const std::size_t next = std::min(status_numbers_.size() + 1, statuses_max - 1);
  return status_numbers_.try_emplace(status, static_cast<StatusNumber>(next)).first->second;
}

void Simulation::answer(Carrier& carrier, std::size_t index) {
  Ship& ship = ships_[index];
  const std::size_t before = ship.seen;
  bool closed = false;
  for (; ship.seen < ship.rows.size() && rows_[ship.rows[ship.seen]].published <= now_; ++ship.seen) {
    result_.detections.push_back({ship.rows[ship.seen], now_});
    closed |= rows_[ship.rows[ship.seen]].final;
  }
  if (ship.seen == before) {
    if (adaptive()) carrier.schedule.missed(ship.open, now_);
  } else {
    if (adaptive()) carrier.schedule.saw(ship.open, now_);
    ship.open.status = number_of(rows_[ship.rows[ship.seen - 1]].status);
    ship.open.entered = now_;
  }
  ship.open.last_asked = now_;
  if (closed)
    carrier.open.erase(index);
  else
    plan(carrier, index);
}

bool Simulation::is_answered() const {
  const auto silent = [&](const Outage& outage) { return now_ >= outage.from && now_ < outage.to; };
  if (std::ranges::any_of(options_.outages, silent)) return false;
  const double dice = static_cast<double>(mix(options_.seed ^ mix(requests_)) >> 11) * 0x1p-53;
  return dice >= options_.failed_share;
}

void Simulation::ask(Carrier& carrier, std::span<const std::size_t> ships) {
  ++requests_;
  budget_.add_used(static_cast<double>(ships.size()), 1);
  for (const std::size_t ship : ships) result_.polls.push_back({ships_[ship].open.shipment_id, now_, requests_});
  const bool probe = carrier.breaker.permission(to_instant(now_)) == Breaker::Permission::probe;
  if (probe) carrier.breaker.probe_sent();
  if (is_answered()) {
    carrier.breaker.answered(probe);
    for (const std::size_t ship : ships) answer(carrier, ship);
    return;
  }
  carrier.breaker.failed(probe, std::nullopt, to_instant(now_), carrier.jitter);
  for (const std::size_t ship : ships) {
    const std::uint64_t dice = mix(options_.seed ^ mix(requests_) ^ static_cast<std::uint64_t>(ship));
    put(carrier, ship, now_ + retry_s + static_cast<Second>(dice % retry_s));
  }
}

/// Who is due, the most overdue first; and who may ride along where there is room.
std::vector<std::size_t> Simulation::next_request(Carrier& carrier) {
  std::vector<std::size_t> ships;
  while (ships.size() < static_cast<std::size_t>(options_.batch_max) && !carrier.queue.empty()) {
    const Due due = carrier.queue.top();
    if (is_due(carrier, due)) {
      const bool rides =
          adaptive() && !ships.empty() && carrier.schedule.may_ride_from(ships_[due.ship].open, due.at) <= now_;
      if (due.at > now_ && !rides) break;
      ships.push_back(due.ship);
      ships_[due.ship].due = never;
    }
    carrier.queue.pop();
  }
  return ships;
}

/// Whether a request may go out now; if not, `held_until` says when.
bool Simulation::may_send(Carrier& carrier) {
  const Instant now = to_instant(now_);
  const auto when = [](Instant instant) { return to_second(std::chrono::ceil<std::chrono::seconds>(instant)); };
  if (carrier.breaker.permission(now) == Breaker::Permission::none)
    carrier.held_until = when(carrier.breaker.resting_until());
  else if (const auto next = carrier.limits.next(now, now); next && *next > now)
    carrier.held_until = when(*next);
  return carrier.held_until <= now_;
}

void Simulation::send_due(Carrier& carrier) {
  while (may_send(carrier)) {
    const std::vector<std::size_t> ships = next_request(carrier);
    if (ships.empty()) return;
    carrier.limits.take(to_instant(now_));
    ask(carrier, ships);
  }
}

/// Those whom a round asks are due now.
void Simulation::join(Carrier& carrier, const Round& round) {
  std::vector<std::pair<double, std::size_t>> ranked;
  for (const std::size_t ship : carrier.open) {
    if (ships_[ship].open.last_asked >= now_) continue;
    const double chance = carrier.schedule.chance(ships_[ship].open, now_);
    if (chance >= round.chance_min) ranked.emplace_back(-chance, ship);
  }
  std::ranges::sort(ranked);
  ranked.resize(std::min(ranked.size(), round.shipments_max));
  for (const auto& [chance, ship] : ranked)
    if (ships_[ship].due > now_) put(carrier, ship, now_);
}

void Simulation::serve(Carrier& carrier) {
  send_due(carrier);
  if (!adaptive()) return;
  for (int i = 0; i < rounds_max && !carrier.open.empty() && carrier.held_until <= now_; ++i) {
    const auto due = carrier.schedule.next_round();
    if (!due || *due > now_) return;
    if (const auto round = carrier.schedule.take_round(now_)) join(carrier, *round);
    send_due(carrier);
  }
}

Backtest Simulation::run() {
  for (bool open = !ships_.empty(); open && now_ < end_;) {
    now_ = next_event();
    open_new();
    open = opened_ < ships_.size();
    for (Carrier& carrier : carriers_) {
      serve(carrier);
      open |= !carrier.open.empty();
    }
    count_hour();
  }
  return std::move(result_);
}

}  // namespace

Backtest run_backtest(const std::vector<TraceRow>& rows, const BacktestOptions& options) {
  return Simulation(rows, options).run();
}

}  // namespace remitod::scheduler
