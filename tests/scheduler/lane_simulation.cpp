#include "tests/scheduler/lane_simulation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "scheduler/lane_learning.h"
#include "scheduler/phase.h"
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
      learn();  // before it asks: a new plan may want somebody asked at once
      take_all();
      create();
      begin_transaction();
      check_wake();
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
    if (plan_.marks_end && lane_->status(now_).resync_left != 0) broken("a mark was not answered");
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
    std::optional<Lane::Lessons> lessons = lane_->lessons();
    if (lessons && lessons->earlier) earlier_ = *lessons->earlier;
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
    // What was being written may be committed, though nobody heard of it.
    if (transaction_ && below(2) == 0) commit(transaction_->work);
    transaction_.reset();
    now_ += std::chrono::milliseconds{500 + below(120'000)};
    lane_ = std::make_unique<Lane>(plan_.config, random_());
    if (lessons && !lane_->restore_lessons(earlier_, lessons->recent, now_)) broken("a lane reads its own lessons");
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
      Flying flying{
          .answered_at = now_ + std::chrono::milliseconds{below(
                                    1000 * static_cast<std::uint64_t>(plan_.faults.latency_max.count()) + 1)},
          .batch_id = batch->id,
          .outcome = outcome(),
          .seen = {.sent = now_, .finished = {}, .kind = {}, .probe = batch->probe, .shipments = {}, .by_hand = {}}};
      for (const Slot slot : batch->slots) {
        const std::int64_t id = lane_->shipment_id(slot);
        if (lane_->remito(slot) != "R" + std::to_string(id)) broken("a slot keeps its remito");
        // A shipment that left and came back while it was asked about may be asked about twice.
        if (!busy_.insert(slot).second) broken("a slot is in one request at a time");
        flying.seen.shipments.push_back(id);
        flying.seen.by_hand.push_back(lane_->resync_marked(slot));
      }
      if (batch->slots.empty()) broken("a request asks about somebody");
      slots_[batch->id] = batch->slots;
      in_flight_.emplace(std::pair{flying.answered_at, batch->id}, std::move(flying));
    }
  }

  void check_wake() {
    const std::optional<Instant> wake = lane_->next_wake(now_);
    if (wake && *wake <= now_) broken("next_wake is later than a take that gave nothing");
  }

  /// A request of others, which is answered at once.
  void create() {
    if (!chance(plan_.faults.creates) || lane_->in_flight() >= static_cast<std::size_t>(plan_.config.concurrency))
      return;
    if (lane_->spare_requests(now_) == 0) return;
    if (lane_->spend_request(now_, Lane::Purpose::others) != now_)
      broken("where a request may go out there is room for it");
    result_.requests.push_back(
        {.sent = now_, .finished = now_, .kind = {}, .probe = false, .shipments = {}, .by_hand = {}});
  }

  // ---- the database

  struct Transaction {
    Instant ends{};
    QuotaWork work;
    bool committed = true, heard = true;
  };

  void begin_transaction() {
    if (transaction_) return;
    std::optional<QuotaWork> work = lane_->quota_work(now_);
    if (!work) return;
    transaction_ = {.ends = now_ + std::chrono::milliseconds{1 + below(50)}, .work = std::move(*work)};
    if (now_ < result_.faults_end && chance(plan_.faults.database)) {
      transaction_->committed = below(2) == 0;
      transaction_->heard = false;
    }
  }

  void end_transaction() {
    const Transaction done = std::move(*transaction_);
    transaction_.reset();
    const bool current = !done.committed || commit(done.work);
    if (!done.heard) return lane_->quota_failed(now_);
    if (!current) return lane_->quota_conflicted(now_);
    if (done.work.kind == QuotaWork::Kind::reserve) return lane_->quota_reserved();
    std::vector<QuotaRecord> records;
    for (const auto& [period, record] : database_) records.push_back(record);
    lane_->quota_loaded(records, now_);
  }

  /// False where another process has written since.
  bool commit(const QuotaWork& work) {
    for (const QuotaRecord& record : work.records) {
      if (record.revision != database_[record.period].revision) return false;
      database_[record.period] = record;
      ++database_[record.period].revision;
    }
    ++result_.writes;
    return true;
  }

  /// To the next thing that happens: an answer, or the moment the lane wants to be woken.
  void advance() {
    Instant next = now_ + std::chrono::minutes{10};
    if (const std::optional<Instant> wake = lane_->next_wake(now_)) next = std::min(next, *wake);
    if (!in_flight_.empty()) next = std::min(next, in_flight_.begin()->first.first);
    if (transaction_) next = std::min(next, transaction_->ends);
    now_ = std::max(now_, next);
    if (transaction_ && transaction_->ends <= now_) end_transaction();
    while (!in_flight_.empty() && in_flight_.begin()->first.first <= now_) {
      Flying flying = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      const std::vector<Slot> slots = std::move(slots_[flying.batch_id]);
      for (const Slot slot : slots) busy_.erase(slot);
      slots_.erase(flying.batch_id);
      if (flying.outcome.kind == BatchOutcome::Kind::answered)
        for (const Slot slot : slots) see(flying, slot);
      lane_->finish(flying.batch_id, flying.outcome, now_);
      finish_record(flying, now_);
    }
  }

  /// Seven minutes after each full hour the carrier publishes something of one shipment in six.
  void see(const Flying& flying, Slot slot) {
    const std::int64_t id = lane_->shipment_id(slot);
    const Second hour = (to_second(flying.seen.sent) - 420) / 3600;
    Second& seen = seen_.try_emplace(id, to_second(monday) / 3600).first->second;
    bool news = false;
    for (; seen < hour; ++seen) news = news || mix(static_cast<std::uint64_t>(id) ^ mix(seen)) % 6 == 0;
    if (news) lane_->saw(flying.batch_id, slot, Status::in_transit, true);
  }

  void learn() {
    if (now_ < learns_at_) return;
    for (int plans = 0; plans < 2 && lane_->wants_to_learn(now_); ++plans)
      lane_->learned(plan_of_batches(plan_.config.batch_max), now_);
    learns_at_ = now_ + 1h;
  }

  void finish_record(Flying& flying, Instant finished) {
    flying.seen.finished = finished;
    flying.seen.kind = flying.outcome.kind;
    result_.requests.push_back(std::move(flying.seen));
  }

  const SimulationPlan& plan_;
  std::mt19937_64 random_;
  Instant now_ = monday;
  std::unique_ptr<Lane> lane_;
  std::map<std::int64_t, Instant> open_;
  std::map<std::pair<Instant, std::uint64_t>, Flying> in_flight_;
  std::map<std::uint64_t, std::vector<Slot>> slots_;
  std::set<Slot> busy_;
  std::optional<Transaction> transaction_;
  std::map<QuotaPeriod, QuotaRecord> database_;
  std::map<std::int64_t, Second> seen_;  ///< of each shipment: hours whose publications were shown
  std::string earlier_;
  Instant learns_at_{};
  SimulationResult result_;
};

}  // namespace

// To learn it anew in each of a thousand runs would take hours.
std::shared_ptr<const AdaptivePlan> plan_of_batches(int batch_max) {
  static std::map<int, std::shared_ptr<const AdaptivePlan>> plans;
  auto& plan = plans[batch_max];
  if (plan) return plan;
  LearningInput input;
  input.batch_max = batch_max;
  input.now = to_second(monday);
  input.prices = {.poll = 30, .request = 5};
  // Each evening, at a moment that nobody can foretell: then it pays to look with a few.
  for (Second day = 1; day <= 40; ++day) {
    const Second out = input.now - day * day_s + 18 * hour_s + static_cast<Second>(mix(day) % (2 * hour_s));
    for (Second ship = 0; ship < 8; ++ship)
      input.waits.push_back({out - day_s + ship, out - 600, out + 60, stage_of(Status::in_transit)});
  }
  std::ranges::sort(input.waits, {}, &Wait::hi);
  for (std::int64_t ship = 0; ship < 30; ++ship)
    input.open.push_back({ship, stage_of(Status::in_transit), input.now - day_s, input.now});
  // Twice: which hypothesis is right shows itself on what comes after it was made.
  LearningInput first = input;
  first.waits.resize(input.waits.size() / 2);
  input.scored = first.waits.size();
  input.before = std::make_shared<const AdaptivePlan>(rebuild(first));
  plan = std::make_shared<const AdaptivePlan>(rebuild(input));
  return plan;
}

SimulationResult simulate(const SimulationPlan& plan) {
  return Simulation(plan).run();
}

}  // namespace remitod::scheduler::test
