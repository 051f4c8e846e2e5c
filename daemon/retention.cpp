#include "daemon/retention.h"

#include <utility>

#include "daemon/log.h"

namespace remitod::daemon {
namespace {

constexpr std::size_t rows_at_once = 1000;
constexpr std::size_t orders_at_once = 10;
constexpr std::chrono::milliseconds pause{100};
constexpr std::chrono::minutes after_start{5};  // a start has enough to do
constexpr std::chrono::minutes database_retry{5};

// Both were found right when the configuration was read.
scheduler::OpenHours open_hours(const RetentionConfig& config) {
  return {*scheduler::Calendar::make(config.zone, {}), {*scheduler::HoursRule::parse(config.hours)}, {}};
}

// One transaction: what goes, and what is remembered of that.
db::DbResult<std::size_t> take(db::Session& session, const db::RetentionStep& step, const db::RetentionLimits& limits,
                               Instant now, bool begins) {
  auto rows = step.remove(session, limits, now, rows_at_once);
  if (!rows) return rows;
  if (const auto noted = db::note_removed(session, step.name, *rows, begins); !noted)
    return std::unexpected(noted.error());
  if (*rows == rows_at_once) return rows;
  if (const auto noted = db::note_done(session, step, now); !noted) return std::unexpected(noted.error());
  return rows;
}

}  // namespace

Retention::Retention(Runtime& runtime, db::Executor& executor, const RetentionConfig& config,
                     std::vector<std::string> sinks)
    : runtime_(runtime),
      executor_(executor),
      config_(config),
      sinks_(std::move(sinks)),
      hours_(open_hours(config)),
      alarm_(runtime.alarm([this] { in_round_ ? work() : begin(); })) {}

void Retention::start() {
  if (const auto open = hours_.next_open(runtime_.in(after_start))) alarm_->set(*open);
}

void Retention::stop() {
  stopping_ = true;
  alarm_->cancel();
}

db::RetentionLimits Retention::limits(Instant now) const {
  return {.payloads = now - config_.payloads,
          .raw_answers = now - config_.raw_answers,
          .tracking_events = now - config_.tracking_events,
          .transitions = now - config_.transitions,
          .requests = now - config_.requests,
          .resyncs = now - config_.resyncs,
          .sink_letters = now - config_.sink_letters,
          .shipments = now - config_.shipments,
          .legacy_statuses = now - config_.legacy_statuses,
          .erasures = now - config_.erasures,
          .unmapped_codes = now - config_.unmapped_codes,
          .sinks = sinks_};
}

void Retention::begin() {
  in_round_ = true;
  step_ = 0;
  step_begins_ = true;
  round_ = Round{runtime_.now(), std::nullopt, {}, 0};
  work();
}

void Retention::work() {
  const Instant now = runtime_.now();
  if (stopping_) return;
  if (!hours_.at(now).open) return end();
  if (step_ == db::retention_steps().size()) return erase_waiting_orders();
  working_ = true;
  executor_.run<std::size_t>([&step = db::retention_steps()[step_], limits = limits(now), now, begins = step_begins_](
                                 db::Session& session) { return take(session, step, limits, now, begins); },
                             [this](const db::DbResult<std::size_t>& rows) {
                               working_ = false;
                               rows ? removed(*rows) : failed(rows.error().message);
                             });
}

void Retention::removed(std::size_t rows) {
  if (rows != 0) round_->removed[std::string(db::retention_steps()[step_].name)] += rows;
  step_begins_ = rows < rows_at_once;
  if (step_begins_) ++step_;
  if (!stopping_) alarm_->set(runtime_.in(pause));
}

// What of an order was open when its data was to be erased may have ended since.
void Retention::erase_waiting_orders() {
  working_ = true;
  executor_.run<std::size_t>(
      [now = runtime_.now()](db::Session& session) -> db::DbResult<std::size_t> {
        const auto orders = db::unfinished_erasures(session, orders_at_once);
        if (!orders) return std::unexpected(orders.error());
        for (const std::string& order : *orders)
          if (const auto erased = db::erase_order(session, order, now, false); !erased)
            return std::unexpected(erased.error());
        return orders->size();
      },
      [this](const db::DbResult<std::size_t>& orders) {
        working_ = false;
        if (!orders) return failed(orders.error().message);
        round_->orders_erased += *orders;
        if (*orders < orders_at_once) return end();
        if (!stopping_) alarm_->set(runtime_.in(pause));
      });
}

void Retention::failed(const std::string& error) {
  log(Level::warning, "retention_delayed", {{"error", error}});
  if (!stopping_) alarm_->set(runtime_.in(database_retry));
}

void Retention::end() {
  const Instant now = runtime_.now();
  in_round_ = false;
  round_->ended_at = now;
  std::string removed;
  for (const auto& [name, rows] : round_->removed)
    removed += (removed.empty() ? "" : ", ") + name + " " + std::to_string(rows);
  log(Level::info, "retention_done",
      {{"removed", removed.empty() ? "nothing" : removed},
       {"orders_erased", round_->orders_erased},
       {"all", step_ == db::retention_steps().size()}});
  const scheduler::OpenHours::Span span = hours_.at(now);
  if (const auto next = hours_.next_open(span.open ? span.until : now); next && !stopping_) alarm_->set(*next);
}

}  // namespace remitod::daemon
