#include "tests/scheduler/traced_lane.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "scheduler/adaptive_config.h"
#include "scheduler/adaptive_plan.h"
#include "scheduler/phase.h"

namespace remitod::scheduler::test {
namespace {

Status status_of(std::int32_t number) {
  static constexpr std::array statuses{Status::registered, Status::in_transit, Status::out_for_delivery,
                                       Status::attempt_failed, Status::exception};
  return statuses.at(static_cast<std::size_t>(number) % statuses.size());
}

struct Ship {
  std::int64_t id = 0;
  Second created = 0;
  std::vector<std::size_t> rows;  ///< by publication
  std::size_t seen = 0;
  Status status = Status::registered;
  Second since = 0, answered = 0;
  bool closed = false;
};

class Run {
 public:
  Run(const std::vector<TraceRow>& rows, const LaneRunPlan& plan) : rows_(rows), plan_(plan) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Ship& ship = ships_[rows[i].ship];
      ship.id = rows[i].ship;
      ship.created = ship.since = ship.answered = rows[i].created;
      ship.rows.push_back(i);
    }
    for (auto& [id, ship] : ships_) {
      std::ranges::stable_sort(ship.rows, {}, [&](std::size_t row) { return rows[row].published; });
      to_open_.emplace(ship.created, id);
      end_ = std::max(end_, later(rows[ship.rows.back()].published, 2 * day_s));
    }
    now_ = to_open_.begin()->first;
    make_lane();
  }

  LaneRun operator()() {
    std::size_t open = ships_.size();
    while (open != 0 && now_ < end_) {
      open_new();
      do_deeds();
      take_all();
      learn();
      now_ = std::max(now_, next_event());
      open -= answer();
    }
    for (auto& [id, ship] : ships_)
      if (!ship.closed && ship.created < now_) note_gap(ship, now_);
    return std::move(run_);
  }

 private:
  struct Flying {
    std::uint64_t batch = 0;
    Second sent = 0;
    std::vector<Slot> slots;
    bool fails = false;
  };

  Instant instant() const { return to_instant(now_); }

  void make_lane() { lane_ = std::make_unique<Lane>(plan_.config, plan_.seed); }

  void add(const Ship& ship, Second last_asked) {
    const std::string remito = "R" + std::to_string(ship.id);
    lane_->add({.shipment_id = ship.id,
                .remito = remito,
                .registered_at = to_instant(ship.created),
                .last_asked = last_asked == 0 ? Instant{} : to_instant(last_asked),
                .status = ship.status,
                .status_since = to_instant(ship.since)},
               instant());
  }

  void open_new() {
    for (; !to_open_.empty() && to_open_.begin()->first <= now_; to_open_.erase(to_open_.begin()))
      add(ships_[to_open_.begin()->second], 0);
  }

  void do_deeds() {
    for (; deeds_done_ < plan_.deeds.size() && plan_.deeds[deeds_done_].at <= now_; ++deeds_done_)
      plan_.deeds[deeds_done_].deed(*lane_, instant());
    if (restarts_done_ < plan_.restarts.size() && plan_.restarts[restarts_done_] <= now_) {
      ++restarts_done_;
      restart();
    }
    if (now_ >= next_checkpoint_) {
      next_checkpoint_ = now_ + 60;
      asked_ = lane_->checkpoint();
      if (auto lessons = lane_->lessons()) {
        if (lessons->earlier) earlier_ = *std::move(lessons->earlier);
        recent_ = std::move(lessons->recent);
      }
    }
  }

  void restart() {
    flying_.clear();
    make_lane();
    if (!recent_.empty()) lane_->restore_lessons(earlier_, recent_, instant());
    std::unordered_map<std::int64_t, Second> asked;
    const auto restored = Lane::restore(asked_);
    for (const Lane::Asked& one : restored.value()) asked[one.shipment_id] = to_second(one.last_asked);
    for (auto& [id, ship] : ships_)
      if (ship.created <= now_ && !ship.closed) add(ship, asked.contains(id) ? asked[id] : 0);
  }

  bool fails(std::uint64_t request) const {
    const bool outage = std::ranges::any_of(
        plan_.outages, [this](const LaneRunPlan::Outage& one) { return now_ >= one.from && now_ < one.to; });
    return outage || static_cast<double>(mix(plan_.seed ^ mix(request)) >> 11) * 0x1p-53 < plan_.failed_share;
  }

  void take_all() {
    while (const std::optional<Batch> batch = lane_->take(instant())) {
      ++requests_;
      for (const Slot slot : batch->slots) run_.polls.push_back({lane_->shipment_id(slot), now_, requests_});
      flying_.emplace(now_ + plan_.latency, Flying{batch->id, now_, batch->slots, fails(requests_)});
    }
  }

  void learn() {
    while (lane_->wants_to_learn(instant())) {
      lane_->learned(std::make_shared<const AdaptivePlan>(rebuild(lane_->learning_input(instant()))), instant());
      run_.plans.push_back(now_);
    }
  }

  Second next_event() const {
    Second next = next_checkpoint_;
    if (!to_open_.empty()) next = std::min(next, to_open_.begin()->first);
    if (deeds_done_ < plan_.deeds.size()) next = std::min(next, plan_.deeds[deeds_done_].at);
    if (!flying_.empty()) next = std::min(next, flying_.begin()->first);
    if (const auto wake = lane_->next_wake(instant()))
      next = std::min(next, to_second(*wake + std::chrono::microseconds{999'999}));
    return next;
  }

  void note_gap(const Ship& ship, Second until) {
    run_.longest_unanswered = std::max(run_.longest_unanswered, until - ship.answered);
  }

  /// How many shipments came to their end.
  std::size_t answer() {
    std::size_t closed = 0;
    while (!flying_.empty() && flying_.begin()->first <= now_) {
      const Flying flying = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      std::vector<std::int64_t> leaving;
      if (!flying.fails)
        for (const Slot slot : flying.slots)
          if (see(flying, slot)) leaving.push_back(lane_->shipment_id(slot));
      lane_->finish(flying.batch, {flying.fails ? BatchOutcome::Kind::failed : BatchOutcome::Kind::answered, {}},
                    instant());
      for (const std::int64_t id : leaving) lane_->remove(id);
      closed += leaving.size();
    }
    return closed;
  }

  /// The answer shows what was published when it was asked for. Whether the shipment is at its end.
  bool see(const Flying& flying, Slot slot) {
    Ship& ship = ships_.at(lane_->shipment_id(slot));
    note_gap(ship, flying.sent);
    ship.answered = flying.sent;
    const std::size_t before = ship.seen;
    for (; ship.seen < ship.rows.size() && rows_[ship.rows[ship.seen]].published <= flying.sent; ++ship.seen) {
      run_.detections.push_back({ship.rows[ship.seen], flying.sent});
      ship.closed = ship.closed || rows_[ship.rows[ship.seen]].final;
    }
    if (ship.seen == before) return false;
    ship.status = ship.closed ? Status::delivered : status_of(rows_[ship.rows[ship.seen - 1]].status);
    ship.since = flying.sent;
    lane_->saw(flying.batch, slot, ship.status, true);
    return ship.closed;
  }

  const std::vector<TraceRow>& rows_;
  const LaneRunPlan& plan_;
  std::map<std::int64_t, Ship> ships_;
  std::multimap<Second, std::int64_t> to_open_;
  std::multimap<Second, Flying> flying_;
  std::unique_ptr<Lane> lane_;
  LaneRun run_;
  Second now_ = 0, end_ = 0, next_checkpoint_ = 0;
  std::string asked_, earlier_, recent_;
  std::uint64_t requests_ = 0;
  std::size_t deeds_done_ = 0, restarts_done_ = 0;
};

}  // namespace

LaneRun run_lane(const std::vector<TraceRow>& rows, const LaneRunPlan& plan) {
  return Run(rows, plan)();
}

double mean_delay(const std::vector<TraceRow>& rows, const std::vector<Detection>& detections, Second from, Second to) {
  double sum = 0, count = 0;
  for (const Detection& detection : detections) {
    const Second published = rows[detection.row].published;
    if (published < from || published >= to) continue;
    sum += (detection.at - published) / 60.0;
    ++count;
  }
  return sum / count;
}

}  // namespace remitod::scheduler::test
