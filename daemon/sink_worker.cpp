#include "daemon/sink_worker.h"

#include <algorithm>
#include <utility>

#include "daemon/log.h"
#include "daemon/sink_event.h"

namespace remitod::daemon {
namespace {

using std::chrono::seconds;

// On the wall's clock, all of them.
constexpr seconds lease_time{60};
constexpr seconds renewal{20};
constexpr seconds save_pause{1};  // so much is sent again after a kill -9
constexpr seconds database_retry{2};
constexpr seconds claim_retry{10};

/// So many letters without a row are held at once; what a slow receiver is behind by stays in the table.
constexpr std::size_t read_ahead = 1000;

}  // namespace

/// What one sync is to do.
struct SinkWorker::Plan {
  std::string sink, owner;
  std::optional<std::int64_t> fencing_token;  ///< absent: claim the sink first
  db::SinkChanges changes;
  std::int64_t revision = 0;
  std::int64_t last_seq = 0;
  std::size_t limit = 0;
  bool release = false;
  Instant now{}, lease_until{};
};

/// What it brought.
struct SinkWorker::Synced {
  db::SinkLease lease;
  std::int64_t dead_forgotten = 0;
  std::vector<db::SinkLetter> waiting;  ///< with a new lease, and after somebody changed letters
  std::vector<db::SinkLetter> next;
};

SinkWorker::SinkWorker(Runtime& runtime, db::Executor& executor, Settings settings,
                       std::unique_ptr<SinkChannel> channel)
    : runtime_(runtime),
      executor_(executor),
      settings_(std::move(settings)),
      channel_(std::move(channel)),
      wake_(runtime.alarm([this] { turn(); })) {}

void SinkWorker::start() {
  started_ = true;
  turn();
}

void SinkWorker::kick() {
  if (!started_) return;
  more_ = true;
  sync_at_ = Instant{};
  sync_again_ = syncing_;
  turn();
}

void SinkWorker::stop() {
  stopping_ = true;
  sync_at_ = Instant{};
  sync_again_ = syncing_;
  if (started_) turn();
}

// ------------------------------------------------------------------ when

void SinkWorker::turn() {
  const Instant now = runtime_.now();
  if (now < last_turn_) sync_at_ = Instant{};  // the clock was set back: the lease's moments are none any more
  last_turn_ = now;
  if (!syncing_ && sync_is_due(now)) sync(now);
  if (may_send(now))
    for (const std::int64_t seq : queue_->start(now)) send(seq);
  set_wake(now);
}

bool SinkWorker::may_send(Instant now) const {
  return queue_ && !stopping_ && !gone_ && !lease_.disabled_at && now < lease_until_;
}

bool SinkWorker::sync_is_due(Instant now) const {
  if (stopping_) return queue_ && queue_->in_flight() == 0 && now >= sync_at_;
  return now >= sync_at_ || (more_ && room() >= read_ahead / 2);
}

void SinkWorker::set_wake(Instant now) {
  std::optional<Instant> next;
  const bool waits_for_answers = stopping_ && (!queue_ || queue_->in_flight() != 0);
  if (!syncing_ && !waits_for_answers) next = sync_at_;
  if (may_send(now))
    if (const auto start = queue_->next_start()) next = std::min(next.value_or(*start), *start);
  if (next)
    wake_->set(std::max(*next, now));
  else
    wake_->cancel();
}

std::size_t SinkWorker::room() const {
  if (!queue_ || lease_.disabled_at) return 0;
  return std::min(read_ahead - std::min(read_ahead, queue_->without_row()),
                  db::sink_letters_max - std::min(db::sink_letters_max, queue_->size()));
}

// ------------------------------------------------------------------ sync

void SinkWorker::sync(Instant now) {
  syncing_ = true;
  const auto what = std::make_shared<const Plan>(plan(now));
  executor_.run<std::optional<Synced>>(
      [what](db::Session& session) { return carry_out(session, *what); },
      [this, what](db::DbResult<std::optional<Synced>> result) { synced(*what, std::move(result)); });
}

SinkWorker::Plan SinkWorker::plan(Instant now) {
  Plan plan{settings_.name, settings_.owner, {}, {}, 0, 0, read_ahead, false, now, runtime_.in(lease_time)};
  if (!queue_) return plan;
  // What could not be committed is tried again as it was; what came since waits for its turn.
  if (!unsaved_) unsaved_ = queue_->take_changes();
  unsaved_->disabled_why = gone_;
  plan.fencing_token = lease_.fencing_token;
  plan.changes = *unsaved_;
  plan.revision = lease_.revision;
  plan.last_seq = queue_->last_seq();
  plan.limit = room();
  plan.release = stopping_;
  return plan;
}

db::DbResult<std::optional<SinkWorker::Synced>> SinkWorker::carry_out(db::Session& session, const Plan& plan) {
  Synced synced;
  std::int64_t last_seq = plan.last_seq;
  if (plan.fencing_token) {
    auto saved = db::save_sink(session, plan.sink, *plan.fencing_token, plan.changes, plan.now, plan.lease_until);
    if (!saved) return std::unexpected(saved.error());
    if (!*saved) return std::nullopt;
    synced.lease = std::move((*saved)->lease);
    synced.dead_forgotten = (*saved)->dead_forgotten;
  } else {
    auto claimed = db::claim_sink(session, plan.sink, plan.owner, plan.now, plan.lease_until);
    if (!claimed) return std::unexpected(claimed.error());
    if (!*claimed) return std::nullopt;
    synced.lease = std::move(**claimed);
    last_seq = synced.lease.cursor_seq;
  }
  if (plan.release) {
    if (auto released = db::release_sink(session, plan.sink, *plan.fencing_token); !released)
      return std::unexpected(released.error());
    return synced;
  }
  if (!plan.fencing_token || synced.lease.revision != plan.revision) {
    auto waiting = db::load_waiting_letters(session, plan.sink);
    if (!waiting) return std::unexpected(waiting.error());
    synced.waiting = std::move(*waiting);
  }
  auto next = db::load_letters_after(session, plan.sink, last_seq, plan.limit);
  if (!next) return std::unexpected(next.error());
  synced.next = std::move(*next);
  return synced;
}

void SinkWorker::synced(const Plan& plan, db::DbResult<std::optional<Synced>> result) {
  const Instant now = runtime_.now();
  syncing_ = false;
  database_trouble_ = !result;
  if (!result) {
    log(Level::error, "sink_delayed", {{"sink", settings_.name}, {"error", result.error().message}});
    sync_at_ = runtime_.in(database_retry);
    more_ = false;  // nothing but time makes it better; every sync reads
  } else if (!*result || plan.release) {
    if (queue_ && !plan.release) log(Level::warning, "sink_lease_lost", {{"sink", settings_.name}});
    queue_.reset();
    told_.clear();
    unsaved_.reset();
    gone_.reset();
    sync_at_ = runtime_.in(claim_retry);
  } else {
    lease_until_ = plan.lease_until;
    more_ = (*result)->next.size() == plan.limit || sync_again_;
    if (plan.changes.disabled_why) gone_.reset();
    unsaved_.reset();
    take_up(std::move(**result), now);
    sync_at_ = std::exchange(sync_again_, false) ? now : runtime_.in(queue_->changed() ? save_pause : renewal);
  }
  turn();
}

void SinkWorker::take_up(Synced synced, Instant now) {
  lease_ = std::move(synced.lease);
  if (!queue_) {
    ++leases_;
    const auto seed = fingerprint(settings_.name) + static_cast<std::uint64_t>(lease_.fencing_token);
    queue_.emplace(settings_.queue, lease_.cursor_seq, seed);
    log(Level::info, "sink_claimed",
        {{"sink", settings_.name}, {"cursor_seq", lease_.cursor_seq}, {"waiting", synced.waiting.size()}});
  }
  if (synced.dead_forgotten != 0)
    log(Level::error, "dead_letters_forgotten", {{"sink", settings_.name}, {"letters", synced.dead_forgotten}});
  const auto add = [&](db::SinkLetter& letter) {
    const std::int64_t seq = letter.transition.seq;
    queue_->add({seq, order_key(letter.transition), letter.attempts, letter.next_try_at}, now);
    told_.insert_or_assign(seq, std::move(letter.transition));
  };
  for (db::SinkLetter& letter : synced.waiting) add(letter);
  for (db::SinkLetter& letter : synced.next) {
    if (letter.next_try_at)
      queue_->pass_over(letter.transition.seq);
    else
      add(letter);
  }
}

// ------------------------------------------------------------------ send

void SinkWorker::send(std::int64_t seq) {
  const db::ToldTransition& transition = told_.at(seq);
  channel_->send({event_id(transition), cloud_event(transition)}, [this, seq, lease = leases_](SinkOutcome outcome) {
    if (queue_ && lease == leases_) answered(seq, outcome);
  });
}

void SinkWorker::answered(std::int64_t seq, const SinkOutcome& outcome) {
  const Instant now = runtime_.now();
  switch (outcome.kind) {
    case SinkOutcome::Kind::delivered:
      queue_->delivered(seq, now);
      told_.erase(seq);
      ++counters_.delivered;
      counters_.failures_in_row = 0;
      counters_.last_delivered_at = now;
      break;
    case SinkOutcome::Kind::failed:
      failed(seq, outcome, now);
      break;
    case SinkOutcome::Kind::gone:
      queue_->put_back(seq, now);
      gone_ = outcome.why;
      log(Level::error, "sink_disabled", {{"sink", settings_.name}, {"why", outcome.why}});
      break;
  }
  sync_at_ = std::min(sync_at_, runtime_.in(save_pause));
  turn();
}

void SinkWorker::failed(std::int64_t seq, const SinkOutcome& outcome, Instant now) {
  const int attempt = queue_->attempts(seq) + 1;
  const bool dead = queue_->failed(seq, printable(outcome.why), outcome.retry_after, now) == SinkQueue::Failure::dead;
  ++counters_.failed;
  ++counters_.failures_in_row;
  counters_.last_error = outcome.why;
  counters_.last_failed_at = now;
  log(dead ? Level::error : Level::warning, dead ? "letter_dead" : "letter_failed",
      {{"sink", settings_.name}, {"seq", seq}, {"attempt", attempt}, {"error", outcome.why}});
  if (!dead) return;
  ++counters_.dead;
  told_.erase(seq);
}

}  // namespace remitod::daemon
