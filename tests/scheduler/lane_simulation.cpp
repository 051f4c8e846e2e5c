#include "tests/scheduler/lane_simulation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler::test {
namespace {

class Simulation {
 public:
  explicit Simulation(const SimulationPlan& plan)
      : plan_(plan), random_(plan.seed), lane_(std::make_unique<Lane>(plan.config, plan.seed)) {
    result_.faults_end = monday + plan.faulty;
    result_.end = result_.faults_end + plan.healthy;
    for (std::int64_t id = 1; id <= plan.shipments; ++id) add(id, {});
  }

  SimulationResult run() {
    while (now_ < result_.end) {
      if (now_ < result_.faults_end) trouble();
      take_all();
      advance();
    }
    for (const auto& [id, asked] : open_) {
      const std::optional<Slot> slot = lane_->find(id);
      if (!slot) {
        broken("a shipment was lost");
        continue;
      }
      result_.open[id] = lane_->last_asked(*slot);
    }
    for (auto& [sequence, flying] : in_flight_) finish_record(flying, result_.end);
    if (lane_->status(now_).resync_left != 0) broken("a mark was not answered");
    std::ranges::stable_sort(result_.requests, {}, &SeenRequest::sent);
    return std::move(result_);
  }

 private:
  struct Flying {
    Instant answered_at{};
    std::uint64_t batch_id = 0;
    BatchOutcome outcome;
    SeenRequest seen;
  };

  bool chance(int thousandths) { return below(1000) < static_cast<std::uint64_t>(thousandths); }
  std::uint64_t below(std::uint64_t count) { return random_() % count; }
  void broken(std::string what) { result_.broken.push_back(std::move(what)); }

  void add(std::int64_t id, Instant last_asked) {
    const std::string remito = "R" + std::to_string(id);
    lane_->add({.shipment_id = id, .remito = remito, .registered_at = monday, .last_asked = last_asked}, now_);
    open_[id] = last_asked;
  }

  void trouble() {
    if (chance(plan_.faults.resync)) mark_one();
    if (chance(plan_.faults.leaving)) move_one();
    if (chance(plan_.faults.silence)) now_ = std::min(now_ + std::chrono::seconds{below(3 * 3600)}, result_.faults_end);
    if (chance(plan_.faults.restart)) restart();
  }

  std::int64_t any_shipment() {
    return 1 +
           static_cast<std::int64_t>(below(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(plan_.shipments))));
  }

  void mark_one() {
    const std::int64_t id = any_shipment();
    if (lane_->mark_resync(std::vector<std::int64_t>{id}, now_) != open_.count(id)) {
      broken("mark_resync counts what it found");
    }
  }

  /// One leaves, or comes back.
  void move_one() {
    const std::int64_t id = any_shipment();
    if (open_.erase(id) != 0) {
      lane_->remove(id);
    } else {
      add(id, {});
    }
  }

  void restart() {
    const auto asked = Lane::restore(lane_->checkpoint());
    if (!asked) return broken("a lane reads its own checkpoint");
    std::map<std::int64_t, Instant> last_asked;
    for (const Lane::Asked& one : *asked) last_asked[one.shipment_id] = one.last_asked;
    for (auto& [sequence, flying] : in_flight_) {
      flying.outcome.kind = BatchOutcome::Kind::abandoned;  // nobody heard the answer
      finish_record(flying, now_);
    }
    in_flight_.clear();
    busy_.clear();
    ++process_;
    now_ += std::chrono::seconds{below(120)};
    lane_ = std::make_unique<Lane>(plan_.config, plan_.seed + static_cast<std::uint64_t>(process_));
    const std::map<std::int64_t, Instant> open = std::exchange(open_, {});
    for (const auto& [id, ignored] : open) add(id, last_asked.contains(id) ? last_asked[id] : Instant{});
  }

  BatchOutcome outcome() {
    const auto draw = static_cast<int>(below(1000));
    const FaultPlan& faults = plan_.faults;
    if (now_ >= result_.faults_end) return {};
    if (draw < faults.failed) return {BatchOutcome::Kind::failed, {}};
    if (draw < faults.failed + faults.throttled) {
      if (below(2) == 0) return {BatchOutcome::Kind::throttled, {}};
      return {BatchOutcome::Kind::throttled, std::chrono::seconds{below(1000)}};
    }
    if (draw < faults.failed + faults.throttled + faults.abandoned) return {BatchOutcome::Kind::abandoned, {}};
    return {};
  }

  void take_all() {
    while (const std::optional<Batch> batch = lane_->take(now_)) {
      Flying flying{.answered_at = now_ + std::chrono::milliseconds{below(
                                              1000 * static_cast<std::uint64_t>(plan_.faults.latency_max.count()) + 1)},
                    .batch_id = batch->id,
                    .outcome = outcome(),
                    .seen = {.sent = now_,
                             .finished = {},
                             .kind = {},
                             .probe = batch->probe,
                             .process = process_,
                             .shipments = {},
                             .by_hand = {}}};
      for (const Slot slot : batch->slots) {
        const std::int64_t id = lane_->shipment_id(slot);
        if (lane_->remito(slot) != "R" + std::to_string(id)) broken("a slot keeps its remito");
        // A shipment that left and came back while it was asked about may be asked about twice.
        if (!busy_.insert(slot).second) broken("a slot is in one request at a time");
        flying.seen.shipments.push_back(id);
        flying.seen.by_hand.push_back(lane_->resync_marked(slot));
      }
      slots_[batch->id] = batch->slots;
      in_flight_.emplace(std::pair{flying.answered_at, batch->id}, std::move(flying));
    }
    const std::optional<Instant> wake = lane_->next_wake(now_);
    if (wake && *wake <= now_) broken("next_wake is later than a take that gave nothing");
  }

  /// To the next thing that happens: an answer, or the moment the lane wants to be woken.
  void advance() {
    Instant next = now_ + std::chrono::minutes{10};
    if (const std::optional<Instant> wake = lane_->next_wake(now_)) next = std::min(next, *wake);
    if (!in_flight_.empty()) next = std::min(next, in_flight_.begin()->first.first);
    now_ = std::max(now_, next);
    while (!in_flight_.empty() && in_flight_.begin()->first.first <= now_) {
      Flying flying = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      for (const Slot slot : slots_[flying.batch_id]) busy_.erase(slot);
      slots_.erase(flying.batch_id);
      lane_->finish(flying.batch_id, flying.outcome, now_);
      finish_record(flying, now_);
    }
  }

  void finish_record(Flying& flying, Instant finished) {
    flying.seen.finished = finished;
    flying.seen.kind = flying.outcome.kind;
    result_.requests.push_back(std::move(flying.seen));
  }

  const SimulationPlan& plan_;
  std::mt19937_64 random_;
  Instant now_ = monday;
  int process_ = 0;
  std::unique_ptr<Lane> lane_;
  std::map<std::int64_t, Instant> open_;
  std::map<std::pair<Instant, std::uint64_t>, Flying> in_flight_;
  std::map<std::uint64_t, std::vector<Slot>> slots_;
  std::set<Slot> busy_;
  SimulationResult result_;
};

}  // namespace

SimulationResult simulate(const SimulationPlan& plan) {
  return Simulation(plan).run();
}

}  // namespace remitod::scheduler::test
