#include "daemon/poller.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

#include "carriers/mapping.h"
#include "carriers/request.h"
#include "daemon/log.h"
#include "daemon/poller_carrier.h"

namespace remitod::daemon {
namespace {

using carriers::CarrierTrouble;
using carriers::FetchResult;
using carriers::HttpAnswer;
using scheduler::Batch;
using scheduler::BatchOutcome;
using scheduler::Slot;

// One transaction takes at most this many reports: enough to make its cost per report vanish, few enough to stay short.
constexpr std::size_t reports_per_commit = 500;
// A change waits so long for others to be committed with it: nothing beside the minutes between polls, and much to the
// database.
constexpr std::chrono::milliseconds gathering{50};
// No further request goes out while so many reports wait for their commit.
constexpr std::size_t reports_waiting_max = 2 * reports_per_commit;
constexpr std::chrono::seconds commit_retry_first{1};
constexpr std::chrono::seconds commit_retry_max{30};
// Of the imperfections of one answer, so many are logged one by one.
constexpr std::size_t lines_per_answer = 10;

// Zero means "none" to the lane, and a new revision of the profile reads everything anew.
std::uint64_t with_revision(std::uint64_t fingerprint, std::uint64_t revision) {
  const std::uint64_t folded = fingerprint ^ (revision * 0x9e3779b97f4a7c15ULL);
  return folded == 0 ? 1 : folded;
}

// Finds the shipment of a report. Carriers mostly answer in the order in which they were asked.
class SlotFinder {
 public:
  SlotFinder(const scheduler::Lane& lane, const Batch& batch) : lane_(lane), batch_(batch) {}
  const Slot* find(std::string_view remito) {
    for (std::size_t tried = 0; tried < batch_.slots.size(); ++tried) {
      const Slot& slot = batch_.slots[next_];
      next_ = (next_ + 1) % batch_.slots.size();
      if (lane_.remito(slot) == remito) return &slot;
    }
    return nullptr;
  }

 private:
  const scheduler::Lane& lane_;
  const Batch& batch_;
  std::size_t next_ = 0;
};

bool has_unmapped(const Report& report) {
  return std::ranges::any_of(report.events,
                             [](const TrackingEvent& event) { return event.status == Status::unmapped; });
}

}  // namespace

// ------------------------------------------------------------------ the steps of a poll

void Poller::wake(Carrier& carrier) {
  if (stopping_ || carrier.reports_waiting >= reports_waiting_max) return;
  const Instant now = runtime_.now();
  while (carrier.spare_requests(now) > carrier.reserved) {
    std::optional<Batch> batch = carrier.lane.take(now);
    if (!batch || !send(carrier, std::move(*batch))) break;
  }
  set_wake_alarm(carrier, now);
}

void Poller::set_wake_alarm(Carrier& carrier, Instant now) {
  const std::optional<Instant> next = stopping_ ? std::nullopt : carrier.lane.next_wake(now);
  // What could go out now but is left to others waits for their request_sent(), request_answered() or
  // reserve_requests().
  if (next && (*next > now || carrier.spare_requests(now) > carrier.reserved))
    carrier.wake_alarm->set(*next);
  else
    carrier.wake_alarm->cancel();
}

bool Poller::send(Carrier& carrier, Batch batch) {
  const auto build = [&] {
    std::vector<carriers::TrackItem> items;
    items.reserve(batch.slots.size());
    for (const Slot slot : batch.slots) items.push_back({carrier.lane.remito(slot), carrier.lane.registered_at(slot)});
    return carriers::build_track(*carrier.profile, items, runtime_.now());
  };
  auto request = build();
  if (!request && batch.slots.size() > 1) {
    leave_out_unaskable(carrier, batch);
    request = build();
  }
  if (!request) {
    // A remito that cannot stand in a request: asked again at its next turn, and said so each time.
    failed(carrier, batch, "request", request.error().field + ": " + request.error().message,
           {BatchOutcome::Kind::answered, {}});
    return false;
  }
  ++carrier.counters.requests;
  transport_.submit(std::move(*request), [this, &carrier, batch = std::move(batch)](FetchResult result) mutable {
    answered(carrier, std::move(batch), std::move(result));
  });
  return true;
}

// Shipments whose remitos cannot stand in a request do not hold up those that would be asked with them. The lane takes
// them for asked with the rest; one stays in any case, to tell what is wrong.
void Poller::leave_out_unaskable(Carrier& carrier, Batch& batch) {
  std::vector<std::int64_t> given_up;
  for (std::size_t i = 0; i < batch.slots.size() && batch.slots.size() > 1;) {
    const Slot slot = batch.slots[i];
    const carriers::TrackItem item{carrier.lane.remito(slot), carrier.lane.registered_at(slot)};
    const auto alone = carriers::build_track(*carrier.profile, std::span{&item, 1}, runtime_.now());
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

void Poller::answered(Carrier& carrier, Batch batch, FetchResult result) {
  if (!result) {
    const bool ours = result.error().kind == carriers::FetchError::Kind::stopped;
    if (ours) return finish(carrier, batch, {BatchOutcome::Kind::abandoned, {}});
    return failed(carrier, batch, carriers::name(result.error().kind), result.error().message,
                  {BatchOutcome::Kind::failed, {}});
  }
  carrier.counters.last_answer_at = runtime_.now();
  if (batch.slots.size() == 1 && result->status == 200 && !carrier.lane.resync_marked(batch.slots.front()) &&
      carrier.lane.body_fingerprint(batch.slots.front()) ==
          with_revision(result->fingerprint, carrier.profile->revision())) {
    ++carrier.counters.polls;
    ++carrier.counters.unchanged;
    return finish(carrier, batch, {BatchOutcome::Kind::answered, {}});
  }
  map(carrier, std::move(batch), std::move(*result));
}

void Poller::map(Carrier& carrier, Batch batch, HttpAnswer answer) {
  struct Asked {
    std::string remito;
    Instant registered_at;
  };
  std::vector<Asked> asked;  // copies: the lane lives on while another thread maps
  asked.reserve(batch.slots.size());
  for (const Slot slot : batch.slots)
    asked.push_back({std::string(carrier.lane.remito(slot)), carrier.lane.registered_at(slot)});
  mapper_.run([this, &carrier, profile = carrier.profile, batch = std::move(batch), answer = std::move(answer),
               asked = std::move(asked)]() mutable -> Runtime::Task {
    std::vector<carriers::TrackItem> items;
    items.reserve(asked.size());
    for (const Asked& one : asked) items.push_back({one.remito, one.registered_at});
    auto track = carriers::map_track(*profile, answer, items);
    return [this, &carrier, result = Mapped{std::move(batch), std::move(answer), std::move(track)}]() mutable {
      mapped(carrier, std::move(result));
    };
  });
}

void Poller::mapped(Carrier& carrier, Mapped mapped) {
  const Batch& batch = mapped.batch;
  if (!mapped.track) {
    const CarrierTrouble& trouble = mapped.track.error();
    const bool throttled = trouble.kind == CarrierTrouble::Kind::throttled || mapped.answer.retry_after.has_value();
    raw_.keep({carrier.name, "track",
               batch.slots.size() == 1 ? std::string(carrier.lane.remito(batch.slots.front())) : "", trouble.message,
               mapped.answer.status, mapped.answer.content_type, std::move(mapped.answer.body)});
    return failed(carrier, batch, carriers::name(trouble.kind), trouble.message,
                  {throttled ? BatchOutcome::Kind::throttled : BatchOutcome::Kind::failed, mapped.answer.retry_after});
  }
  note_imperfections(carrier, mapped);
  carrier.counters.polls += batch.slots.size();

  const std::uint64_t revision = carrier.profile->revision();
  Answered answer{batch, with_revision(mapped.answer.fingerprint, revision), {}, nullptr, true};
  bool any_unmapped = false;
  SlotFinder slots(carrier.lane, batch);
  for (Report& report : mapped.track->reports) {
    const Slot* const slot = slots.find(report.remito);
    if (!slot) continue;  // map_track promises only what was asked for
    const std::uint64_t read = with_revision(remitod::fingerprint(report), revision);
    if (read == carrier.lane.read_fingerprint(*slot) && !carrier.lane.resync_marked(*slot)) {
      ++carrier.counters.unchanged;
      continue;
    }
    any_unmapped = any_unmapped || has_unmapped(report);
    answer.changed.push_back({*slot, read, {carrier.lane.shipment_id(*slot), std::move(report)}});
  }
  if (answer.changed.empty()) {
    // The envelope holds a clock or the like. Its bytes are remembered all the same: they may come again.
    if (batch.slots.size() == 1 && mapped.track->errors.empty() && !mapped.track->reports.empty())
      carrier.lane.set_fingerprints(batch.slots.front(), answer.body_fingerprint,
                                    carrier.lane.read_fingerprint(batch.slots.front()));
    return finish(carrier, batch, {BatchOutcome::Kind::answered, {}});
  }
  if (!mapped.track->errors.empty()) answer.body_fingerprint = 0;  // what was left out is looked at again next time
  if (any_unmapped)
    answer.raw = std::make_shared<const db::RawAnswer>(
        db::RawAnswer{carrier.name, "track", batch.slots.size() == 1 ? answer.changed.front().polled.report.remito : "",
                      "a code that the profile does not know", mapped.answer.status, mapped.answer.content_type,
                      std::move(mapped.answer.body)});
  carrier.reports_waiting += answer.changed.size();
  carrier.waiting.push_back(std::move(answer));
  carrier.lane.answer_received(batch.id, runtime_.now());
  if (carrier.reports_waiting >= reports_per_commit)
    commit(carrier);
  else if (carrier.waiting.size() == 1 && carrier.committing.empty() && !carrier.commit_paused)
    carrier.commit_alarm->set(runtime_.in(gathering));
  wake(carrier);
}

void Poller::commit(Carrier& carrier) {
  if (!carrier.committing.empty() || carrier.waiting.empty() || carrier.commit_paused) return;
  auto reports = std::make_shared<std::vector<db::PolledReport>>();
  std::size_t taken = 0;
  for (const Answered& answer : carrier.waiting) {
    if (taken != 0 && (carrier.one_by_one != 0 || reports->size() + answer.changed.size() > reports_per_commit)) break;
    for (const Answered::Changed& changed : answer.changed) reports->push_back(changed.polled);
    ++taken;
  }
  const auto end = carrier.waiting.begin() + static_cast<std::ptrdiff_t>(taken);
  carrier.committing.assign(std::make_move_iterator(carrier.waiting.begin()), std::make_move_iterator(end));
  carrier.waiting.erase(carrier.waiting.begin(), end);
  executor_.run<std::vector<db::AppliedReport>>(
      [reports, rules = carrier.rules(), now = runtime_.now()](db::Session& session) {
        return db::apply_reports(session, rules, *reports, now);
      },
      [this, &carrier](db::DbResult<std::vector<db::AppliedReport>> result) { committed(carrier, std::move(result)); });
}

void Poller::committed(Carrier& carrier, db::DbResult<std::vector<db::AppliedReport>> result) {
  if (!result) return give_up_on(carrier, result.error());
  carrier.commit_backoff = {};
  std::vector<Answered> answers = std::exchange(carrier.committing, {});
  carrier.one_by_one -= std::min(carrier.one_by_one, answers.size());
  std::size_t transitions = 0;
  for (const db::AppliedReport& applied : *result) transitions += applied.transitions;
  carrier.counters.transitions += transitions;
  std::size_t first = 0;
  for (Answered& answer : answers) {
    settle(carrier, answer, std::span{*result}.subspan(first, answer.changed.size()));
    first += answer.changed.size();
  }
  if (transitions != 0) hooks_.transitions_written();
  commit(carrier);
  wake(carrier);
}

// ------------------------------------------------------------------ what belongs to the steps

void Poller::settle(Carrier& carrier, Answered& answer, std::span<const db::AppliedReport> applied) {
  carrier.reports_waiting -= answer.changed.size();
  std::vector<std::int64_t> leaving;
  bool new_unmapped = false;
  for (std::size_t i = 0; i < answer.changed.size(); ++i) {
    const Answered::Changed& changed = answer.changed[i];
    const bool alone = answer.batch.slots.size() == 1;
    carrier.lane.set_fingerprints(changed.slot, alone ? answer.body_fingerprint : 0, changed.read_fingerprint);
    carrier.counters.too_old += applied[i].too_old;
    carrier.counters.noise += applied[i].noise;
    carrier.counters.unmapped += applied[i].unmapped;
    if (applied[i].unmapped != 0) {
      new_unmapped = true;
      for (const TrackingEvent& event : changed.polled.report.events)
        if (event.status == Status::unmapped)
          log(Level::warning, "unmapped_code",
              {{"carrier", carrier.name},
               {"remito", changed.polled.report.remito},
               {"code", event.code},
               {"text", event.text}});
    }
    if (applied[i].leaves_lane) leaving.push_back(changed.polled.shipment_id);
  }
  if (new_unmapped && answer.raw) raw_.keep(*answer.raw);
  if (answer.last_part) finish(carrier, answer.batch, {BatchOutcome::Kind::answered, {}});
  remove(carrier.name, leaving);
}

// The database did not take a commit. Trouble that passes: wait and try the same again; the lane pauses when enough
// reports wait. A report that it refuses: find it by going one by one, and leave it out.
void Poller::give_up_on(Carrier& carrier, const db::DbError& error) {
  std::vector<Answered> answers = std::exchange(carrier.committing, {});
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
  leave_out_refused(carrier, std::move(answers), error);
  commit(carrier);
}

// A report that the database refuses is found by going one by one: first the answers, then the reports of the one that
// is refused.
void Poller::leave_out_refused(Carrier& carrier, std::vector<Answered> answers, const db::DbError& error) {
  if (answers.size() == 1 && answers.front().changed.size() > 1) answers = in_parts(std::move(answers.front()));
  if (answers.size() > 1) {
    carrier.one_by_one = std::max(carrier.one_by_one, answers.size());
    carrier.waiting.insert(carrier.waiting.begin(), std::make_move_iterator(answers.begin()),
                           std::make_move_iterator(answers.end()));
    return;
  }
  const Answered& answer = answers.front();
  const db::PolledReport& refused = answer.changed.front().polled;
  log(Level::error, "report_refused",
      {{"carrier", carrier.name},
       {"remito", refused.report.remito},
       {"shipment_id", refused.shipment_id},
       {"error", error.message}});
  carrier.one_by_one -= std::min<std::size_t>(carrier.one_by_one, 1);
  --carrier.reports_waiting;
  note_failure(carrier, refused.report.remito, 1, "database", error.message);
  if (answer.last_part) finish(carrier, answer.batch, {BatchOutcome::Kind::answered, {}});
}

std::vector<Poller::Answered> Poller::in_parts(Answered answer) {
  std::vector<Answered> parts;
  for (Answered::Changed& changed : answer.changed) {
    parts.push_back({answer.batch, answer.body_fingerprint, {}, answer.raw, false});
    parts.back().changed.push_back(std::move(changed));
  }
  parts.back().last_part = answer.last_part;
  return parts;
}

void Poller::finish(Carrier& carrier, const Batch& batch, const BatchOutcome& outcome) {
  std::vector<std::int64_t> marked;
  if (batch.resync && outcome.kind == BatchOutcome::Kind::answered)
    for (const Slot slot : batch.slots)
      if (carrier.lane.resync_marked(slot)) marked.push_back(carrier.lane.shipment_id(slot));
  carrier.lane.finish(batch.id, outcome, runtime_.now());
  // A mark that came while the request was under way stays: that shipment is asked once more.
  std::erase_if(marked, [&](std::int64_t shipment_id) {
    const auto slot = carrier.lane.find(shipment_id);
    return slot && carrier.lane.resync_marked(*slot);
  });
  if (!marked.empty()) hooks_.resync_answered(marked);
  wake(carrier);
}

void Poller::note_failure(Carrier& carrier, std::string_view remito, std::size_t shipments, std::string_view kind,
                          std::string_view message) {
  ++carrier.counters.failed_requests;
  carrier.counters.last_error = std::string(kind) + ": " + printable(message);
  carrier.counters.last_error_at = runtime_.now();
  log(Level::warning, "poll_failed",
      {{"carrier", carrier.name}, {"remito", remito}, {"shipments", shipments}, {"kind", kind}, {"error", message}});
}

void Poller::failed(Carrier& carrier, const Batch& batch, std::string_view kind, std::string_view message,
                    BatchOutcome outcome) {
  note_failure(carrier, carrier.lane.remito(batch.slots.front()), batch.slots.size(), kind, message);
  const scheduler::BreakerState before = carrier.lane.breaker();
  finish(carrier, batch, outcome);
  if (carrier.lane.breaker() != before)
    log(Level::warning, "breaker",
        {{"carrier", carrier.name},
         {"state", scheduler::name(carrier.lane.breaker())},
         {"resting_until", to_iso8601(carrier.lane.resting_until())}});
}

void Poller::note_imperfections(Carrier& carrier, const Mapped& mapped) {
  const carriers::TrackAnswer& track = *mapped.track;
  carrier.counters.wrong_rows += track.errors.size();
  carrier.counters.missing += track.missing.size();
  carrier.counters.extra += track.extra;
  if (track.errors.empty() && track.missing.empty() && track.extra == 0) return;
  for (const carriers::RowError& error : track.errors | std::views::take(lines_per_answer))
    log(Level::warning, "answer_row_left_out",
        {{"carrier", carrier.name}, {"remito", error.remito}, {"error", error.message}});
  for (const std::string& remito : track.missing | std::views::take(lines_per_answer))
    log(Level::warning, "answer_without_shipment", {{"carrier", carrier.name}, {"remito", remito}});
  if (track.extra != 0)
    log(Level::warning, "answer_with_strangers", {{"carrier", carrier.name}, {"shipments", track.extra}});
  const std::string why = !track.errors.empty()    ? track.errors.front().message
                          : !track.missing.empty() ? "shipments that were asked for are missing"
                                                   : "shipments that were not asked for";
  const std::string remito = !track.errors.empty()    ? track.errors.front().remito
                             : !track.missing.empty() ? track.missing.front()
                                                      : "";
  raw_.keep({carrier.name, "track", remito, why, mapped.answer.status, mapped.answer.content_type, mapped.answer.body});
}

}  // namespace remitod::daemon
