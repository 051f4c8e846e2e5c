// What goes wrong on the way of a poll: remitos that cannot be asked, carriers that fail, commits that do not happen.

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

#include "carriers/request.h"
#include "daemon/log.h"
#include "daemon/poller.h"
#include "daemon/poller_carrier.h"

namespace remitod::daemon {
namespace {

using scheduler::Batch;
using scheduler::BatchOutcome;
using scheduler::Slot;

constexpr std::chrono::seconds commit_retry_first{1};
constexpr std::chrono::seconds commit_retry_max{30};
// Of the imperfections of one answer, so many are logged one by one.
constexpr std::size_t lines_per_answer = 10;

}  // namespace

// ------------------------------------------------------------------ requests and answers

// Shipments whose remitos cannot stand in a request do not hold up those that would be asked with them. The lane takes
// them for asked with the rest; one stays in any case, to tell what is wrong.
void Poller::leave_out_unaskable(Carrier& carrier, Batch& batch, const carriers::Call& call) {
  std::vector<std::int64_t> given_up;
  for (std::size_t i = 0; i < batch.slots.size() && batch.slots.size() > 1;) {
    const Slot slot = batch.slots[i];
    const carriers::TrackItem item{carrier.lane.remito(slot), carrier.lane.registered_at(slot)};
    const auto alone = carriers::build_track(*carrier.profile, std::span{&item, 1}, call);
    if (alone) {
      ++i;
      continue;
    }
    note_failure(carrier, item.remito, 1, "request", alone.error().field + ": " + alone.error().message);
    if (carrier.lane.resync_marked(slot)) given_up.push_back(carrier.lane.shipment_id(slot));
    batch.slots.erase(batch.slots.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (!given_up.empty()) hooks_.resync_answered(given_up);
}

void Poller::failed(Carrier& carrier, const Batch& batch, std::string_view kind, std::string_view message,
                    BatchOutcome outcome) {
  note_failure(carrier, carrier.lane.remito(batch.slots.front()), batch.slots.size(), kind, message);
  finish(carrier, batch, outcome);
}

void Poller::note_breaker(const Carrier& carrier, scheduler::BreakerState before) {
  const scheduler::BreakerState state = carrier.lane.breaker();
  if (state == before) return;
  const Instant rest = carrier.lane.resting_until();
  log(state == scheduler::BreakerState::closed ? Level::info : Level::warning, "breaker",
      {{"carrier", carrier.name},
       {"state", scheduler::name(state)},
       {"resting_until", rest == Instant{} ? std::string{} : to_iso8601(rest)}});
}

void Poller::note_failure(Carrier& carrier, std::string_view remito, std::size_t shipments, std::string_view kind,
                          std::string_view message) {
  const std::string shown = carrier.access->redact(std::string(message));
  ++carrier.counters.failed_requests;
  ++carrier.counters.failures[std::string(kind)];
  carrier.counters.last_error = std::string(kind) + ": " + printable(shown);
  carrier.counters.last_error_at = runtime_.now();
  log(Level::warning, "poll_failed",
      {{"carrier", carrier.name}, {"remito", remito}, {"shipments", shipments}, {"kind", kind}, {"error", shown}});
}

std::optional<Poller::Imperfection> Poller::note_imperfections(Carrier& carrier, const carriers::TrackAnswer& track) {
  carrier.counters.wrong_rows += track.errors.size();
  carrier.counters.missing += track.missing.size();
  carrier.counters.extra += track.extra;
  for (const carriers::RowError& error : track.errors | std::views::take(lines_per_answer))
    log(Level::warning, "answer_row_left_out",
        {{"carrier", carrier.name}, {"remito", error.remito}, {"error", carrier.access->redact(error.message)}});
  for (const std::string& remito : track.missing | std::views::take(lines_per_answer))
    log(Level::warning, "answer_without_shipment", {{"carrier", carrier.name}, {"remito", remito}});
  if (track.extra != 0)
    log(Level::warning, "answer_with_strangers", {{"carrier", carrier.name}, {"shipments", track.extra}});
  if (!track.errors.empty()) return Imperfection{track.errors.front().remito, track.errors.front().message};
  if (!track.missing.empty()) return Imperfection{track.missing.front(), "shipments that were asked for are missing"};
  if (track.extra != 0) return Imperfection{"", "shipments that were not asked for"};
  return std::nullopt;
}

// As much of the body as the database keeps: many may wait.
db::RawAnswer Poller::raw_of(const Carrier& carrier, const Mapped& mapped, std::string remito, std::string why) {
  db::RawAnswer raw{.carrier = carrier.name,
                    .operation = "track",
                    .remito = std::move(remito),
                    .why = std::move(why),
                    .http_status = mapped.answer.status,
                    .content_type = mapped.answer.content_type,
                    .body = mapped.answer.body.substr(0, db::raw_body_bytes_max),
                    .page_ends = mapped.page_ends,
                    .whole = mapped.answer.body.size() <= db::raw_body_bytes_max};
  for (const Slot slot : mapped.batch.slots)
    raw.asked.push_back(
        {carrier.lane.shipment_id(slot), std::string(carrier.lane.remito(slot)), carrier.lane.registered_at(slot)});
  return raw;
}

// ------------------------------------------------------------------ commits

// The database did not take a commit. Trouble that passes: wait and try again; the lane pauses when enough
// reports wait. A report that it refuses: find it by going one by one, and leave it out.
void Poller::not_committed(Carrier& carrier, const db::DbError& error) {
  std::vector<Uncommitted> answers = std::exchange(carrier.committing, {});
  if (error.retryable()) {
    carrier.waiting.insert(carrier.waiting.begin(), std::make_move_iterator(answers.begin()),
                           std::make_move_iterator(answers.end()));
    carrier.commit_backoff = std::clamp(carrier.commit_backoff * 2, commit_retry_first, commit_retry_max);
    carrier.commit_paused = true;
    log(Level::error, "commit_delayed",
        {{"carrier", carrier.name},
         {"answers", carrier.waiting.size()},
         {"retry_in_s", carrier.commit_backoff.count()},
         {"error", error.message}});
    carrier.commit_alarm->set(runtime_.in(carrier.commit_backoff));
    return;
  }
  // What failed before may have been committed all the same.
  if (std::exchange(carrier.commit_backoff, std::chrono::seconds{0}).count() != 0) hooks_.transitions_written();
  leave_out_refused(carrier, std::move(answers), error);
  commit(carrier);
}

// A report that the database refuses is found by going one by one: first the answers, then the reports of the one that
// is refused.
void Poller::leave_out_refused(Carrier& carrier, std::vector<Uncommitted> answers, const db::DbError& error) {
  const std::size_t were = answers.size();
  if (were == 1 && answers.front().changed.size() > 1) answers = in_parts(std::move(answers.front()));
  if (answers.size() > 1) {
    carrier.one_by_one = std::max(carrier.one_by_one, were) + answers.size() - were;
    carrier.waiting.insert(carrier.waiting.begin(), std::make_move_iterator(answers.begin()),
                           std::make_move_iterator(answers.end()));
    return;
  }
  Uncommitted& answer = answers.front();
  const db::PolledReport& refused = answer.changed.front().polled;
  log(Level::error, "report_refused",
      {{"carrier", carrier.name},
       {"remito", refused.report.remito},
       {"shipment_id", refused.shipment_id},
       {"error", error.message}});
  carrier.one_by_one -= std::min<std::size_t>(carrier.one_by_one, 1);
  --carrier.reports_waiting;
  note_failure(carrier, refused.report.remito, 1, "database", error.message);
  answer.raw->answer.why = "the database refused the report of " + refused.report.remito + ": " + error.message;
  note_raw(answer, false, false);
  if (answer.last_part) finish(carrier, answer.batch, {BatchOutcome::Kind::answered, {}});
}

std::vector<Poller::Uncommitted> Poller::in_parts(Uncommitted answer) {
  std::vector<Uncommitted> parts;
  for (Uncommitted::Changed& changed : answer.changed) {
    parts.push_back({answer.batch, answer.body_fingerprint, {}, answer.raw, false, answer.imperfect});
    parts.back().changed.push_back(std::move(changed));
  }
  parts.back().last_part = answer.last_part;
  return parts;
}

}  // namespace remitod::daemon
