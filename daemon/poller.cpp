#include "daemon/poller.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
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

// One transaction takes at most this many reports, or those of one answer if they are more: enough to make its cost per
// report vanish, few enough to stay short.
constexpr std::size_t reports_per_commit = 500;
// A change waits so long for others to be committed with it: nothing beside the minutes between polls, and much to the
// database.
constexpr std::chrono::milliseconds gathering{50};
// No further poll begins while so many reports wait for their commit.
constexpr std::size_t reports_waiting_max = 2 * reports_per_commit;
// So small an answer is mapped at once, unless the profile's expressions may cost the square of its length: it takes
// tens of microseconds, as much as to hand it to another thread and back.
constexpr std::size_t mapped_here_bytes_max = 4'096;

// A new revision of the profile reads everything anew: the lane's fingerprints have it folded in. Zero means "none" to
// the lane.
std::uint64_t fold_revision(std::uint64_t fingerprint, std::uint64_t revision) {
  return fingerprint ^ (revision * 0x9e3779b97f4a7c15ULL);  // is its own inverse
}
std::uint64_t with_revision(std::uint64_t fingerprint, std::uint64_t revision) {
  return std::max<std::uint64_t>(fold_revision(fingerprint, revision), 1);
}

// What was read when so many of its events lay in the future. Fewer do when one's time has come: then it is not the
// same any more, though the carrier says the same.
std::uint64_t with_ahead(std::uint64_t read_fingerprint, std::size_t events_ahead) {
  return with_revision(read_fingerprint, events_ahead);
}

// Nearly all requests ask about one shipment.
using TrackItems = boost::container::small_vector<carriers::TrackItem, 1>;

TrackItems items_of(const scheduler::Lane& lane, const Batch& batch) {
  TrackItems items;
  items.reserve(batch.slots.size());
  for (const Slot slot : batch.slots) items.push_back({lane.remito(slot), lane.registered_at(slot)});
  return items;
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

// Also comes about inside of itself, where what it sends cannot be sent (send, failed, finish): as deep as the rate
// lets go at once.
void Poller::wake(Carrier& carrier) {
  if (stopping_ || carrier.reports_waiting >= reports_waiting_max) return;
  const Instant now = runtime_.now();
  while (!carrier.access->is_entering() && carrier.spare_requests(now) > carrier.reserved(now)) {
    std::optional<Batch> batch = carrier.lane.take(now);
    if (!batch || !send(carrier, std::move(*batch))) break;
  }
  keep_learning(carrier);
  set_wake_alarm(carrier, now);
}

void Poller::set_wake_alarm(Carrier& carrier, Instant now) {
  const bool is_at_rest = stopping_ || carrier.access->is_entering();  // the end of a login wakes
  const std::size_t spare = carrier.spare_requests(now);
  if (!is_at_rest && spare <= carrier.reserved(now)) carrier.lane.held_up(now);
  keep_quotas(carrier);
  const std::optional<Instant> next = is_at_rest ? std::nullopt : carrier.lane.next_wake(now);
  // What could go out now but is left to others waits until these are answered (request_answered()) or want less
  // (reserve_requests()); both wake.
  if (next && (*next > now || spare > carrier.reserved(now)))
    carrier.wake_alarm->set(*next);
  else
    carrier.wake_alarm->cancel();
}

bool Poller::send(Carrier& carrier, Batch batch) {
  if (!carrier.access->wants_login()) return send_in({}, carrier, std::move(batch));
  send_after_login(carrier, std::move(batch));
  return true;
}

bool Poller::send_in(const SessionPointer& session, Carrier& carrier, Batch batch) {
  const carriers::Call call = carrier.call(session, runtime_.now());
  const auto build = [&] { return carriers::build_track(*carrier.profile, items_of(carrier.lane, batch), call); };
  auto request = build();
  if (!request && batch.slots.size() > 1) {
    leave_out_unaskable(carrier, batch, call);
    request = build();
  }
  if (!request) {
    // A remito that cannot stand in a request: tried again at its next turn, and said so each time.
    failed(carrier, batch, "request", request.error().field + ": " + request.error().message,
           {BatchOutcome::Kind::unaskable, {}});
    return false;
  }
  request->known.fingerprint = known_fingerprint(carrier, batch);
  submit(carrier, {std::move(batch), session, carrier.has_pages ? std::make_unique<Asking::Pages>() : nullptr},
         std::move(*request));
  return true;
}

void Poller::submit(Carrier& carrier, Asking asking, carriers::HttpRequest request) {
  ++carrier.counters.requests;
  if (asking.pages) {
    asking.pages->last.url = request.url;
    asking.pages->last.options = request.options;
  }
  transport_.submit(std::move(request), [this, &carrier, asking = std::move(asking)](FetchResult result) mutable {
    answered(carrier, std::move(asking), std::move(result));
  });
}

void Poller::answered(Carrier& carrier, Asking asking, FetchResult result) {
  const Batch& batch = asking.batch;
  if (!result) {
    const bool ours = result.error().kind == carriers::FetchError::Kind::stopped;
    if (ours) return finish(carrier, batch, {BatchOutcome::Kind::abandoned, {}});
    return failed(carrier, batch, carriers::name(result.error().kind), result.error().message,
                  {BatchOutcome::Kind::failed, {}});
  }
  carrier.counters.last_answer_at = runtime_.now();
  if (logs(Level::debug))
    log(Level::debug, "poll_answered",
        {{"carrier", carrier.name},
         {"remito", carrier.lane.remito(batch.slots.front())},
         {"shipments", batch.slots.size()},
         {"http_status", result->status},
         {"known", result->known}});
  if (result->known) {
    ++carrier.counters.polls;
    ++carrier.counters.unchanged;
    return finish(carrier, batch, {BatchOutcome::Kind::answered, {}});
  }
  if (asking.pages)
    map_pages(carrier, std::move(asking), std::move(*result));
  else
    map(carrier, std::move(asking), std::move(*result));
}

// Of the body that a request for one shipment brought last, if all that it said is committed. None for a shipment that
// was marked by hand: its answer is to be read again. None of a first page: the others may say something new.
std::uint64_t Poller::known_fingerprint(const Carrier& carrier, const Batch& batch) {
  if (batch.slots.size() != 1 || carrier.has_pages || carrier.lane.resync_marked(batch.slots.front())) return 0;
  const std::uint64_t folded = carrier.lane.body_fingerprint(batch.slots.front()).bits();
  return folded == 0 ? 0 : fold_revision(folded, carrier.profile->revision());
}

void Poller::map(Carrier& carrier, Asking asking, HttpAnswer answer) {
  Batch& batch = asking.batch;
  if (batch.slots.size() == 1 && answer.body.size() <= mapped_here_bytes_max && !carrier.profile->track_is_costly()) {
    auto track = carriers::map_track(*carrier.profile, answer, items_of(carrier.lane, batch));
    return mapped(carrier, {std::move(batch), std::move(asking.session), std::move(answer), std::move(track)});
  }
  AskedShipments asked(carrier.lane, batch);
  mapper_.run(carrier.name,
              [this, &carrier, profile = carrier.profile, asked = std::move(asked), asking = std::move(asking),
               answer = std::move(answer)]() mutable -> Runtime::Task {
                auto track = carriers::map_track(*profile, answer, asked.items());
                return [this, &carrier,
                        result = Mapped{std::move(asking.batch), std::move(asking.session), std::move(answer),
                                        std::move(track)}]() mutable { mapped(carrier, std::move(result)); };
              });
}

void Poller::mapped(Carrier& carrier, Mapped mapped) {
  ++carrier.counters.mapped;
  const Batch& batch = mapped.batch;
  if (!mapped.track) {
    const CarrierTrouble& trouble = mapped.track.error();
    // Asked again when its turn comes: after a login, which many that are refused now will share.
    if (trouble.kind == CarrierTrouble::Kind::auth && carrier.access->refused(mapped.session))
      return finish(carrier, batch, {BatchOutcome::Kind::abandoned, {}});
    const bool throttled = trouble.kind == CarrierTrouble::Kind::throttled || mapped.answer.retry_after.has_value();
    raw_.keep(raw_of(carrier, mapped,
                     batch.slots.size() == 1 ? std::string(carrier.lane.remito(batch.slots.front())) : "",
                     trouble.message));
    return failed(carrier, batch, carriers::name(trouble.kind), trouble.message,
                  {throttled ? BatchOutcome::Kind::throttled : BatchOutcome::Kind::failed, mapped.answer.retry_after});
  }
  const std::optional<Imperfection> imperfection = note_imperfections(carrier, *mapped.track);
  carrier.counters.polls += batch.slots.size();

  const std::uint64_t revision = carrier.profile->revision();
  Uncommitted answer{batch, with_revision(mapped.answer.fingerprint, revision), {}, nullptr, true};
  const Instant now = runtime_.now();
  bool any_unmapped = false, any_ahead = false;
  SlotFinder slots(carrier.lane, batch);
  for (Report& report : mapped.track->reports) {
    const Slot* const slot = slots.find(report.remito);
    if (!slot) continue;  // map_track promises only what was asked for
    const std::uint64_t read = with_revision(remitod::fingerprint(report), revision);
    const std::size_t ahead = db::events_ahead(report, now);
    any_ahead = any_ahead || ahead != 0;
    if (with_ahead(read, ahead) == carrier.lane.read_fingerprint(*slot) && !carrier.lane.resync_marked(*slot)) {
      ++carrier.counters.unchanged;
      continue;
    }
    any_unmapped = any_unmapped || has_unmapped(report);
    answer.changed.push_back({*slot, read, {carrier.lane.shipment_id(*slot), std::move(report)}});
  }
  if (answer.changed.empty()) {
    if (imperfection) raw_.keep(raw_of(carrier, mapped, imperfection->remito, imperfection->why));
    // The envelope holds a clock or the like. Its bytes are remembered all the same: they may come again.
    if (batch.slots.size() == 1 && mapped.track->errors.empty() && !mapped.track->reports.empty() && !any_ahead)
      carrier.lane.set_fingerprints(batch.slots.front(), answer.body_fingerprint,
                                    carrier.lane.read_fingerprint(batch.slots.front()));
    return finish(carrier, batch, {BatchOutcome::Kind::answered, {}});
  }
  // What was left out is looked at again next time.
  if (!mapped.track->errors.empty() || any_ahead) answer.body_fingerprint = 0;
  answer.imperfect = imperfection.has_value();
  const std::string about = imperfection              ? imperfection->remito
                            : batch.slots.size() == 1 ? answer.changed.front().polled.report.remito
                                                      : "";
  const std::string why = imperfection   ? imperfection->why
                          : any_unmapped ? "a code that the profile does not know"
                                         : "something new";
  answer.raw = std::make_shared<Uncommitted::Raw>(raw_of(carrier, mapped, about, why));
  wait_for_commit(carrier, std::move(answer));
}

// The place on the wire is free again; the shipments are not asked anew before finish().
void Poller::wait_for_commit(Carrier& carrier, Uncommitted answer) {
  carrier.lane.answer_received(answer.batch.id, runtime_.now());
  carrier.reports_waiting += answer.changed.size();
  carrier.waiting.push_back(std::move(answer));
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
  for (const Uncommitted& answer : carrier.waiting) {
    if (taken != 0 && (carrier.one_by_one != 0 || reports->size() + answer.changed.size() > reports_per_commit)) break;
    for (const Uncommitted::Changed& changed : answer.changed) reports->push_back(changed.polled);
    ++taken;
  }
  const auto end = carrier.waiting.begin() + static_cast<std::ptrdiff_t>(taken);
  carrier.committing.assign(std::make_move_iterator(carrier.waiting.begin()), std::make_move_iterator(end));
  carrier.waiting.erase(carrier.waiting.begin(), end);
  const Instant now = runtime_.now();
  for (Uncommitted& answer : carrier.committing) answer.committed_at = now;
  executor_.run<std::vector<db::AppliedReport>>(
      [reports, rules = carrier.rules(), now](db::Session& session) {
        return db::apply_reports(session, rules, *reports, now);
      },
      [this, &carrier](db::DbResult<std::vector<db::AppliedReport>> result) { committed(carrier, std::move(result)); });
}

void Poller::committed(Carrier& carrier, db::DbResult<std::vector<db::AppliedReport>> result) {
  if (!result) return not_committed(carrier, result.error());
  // What failed before may have been committed all the same, and has nothing left to write now.
  const bool failed_before = std::exchange(carrier.commit_backoff, std::chrono::seconds{0}).count() != 0;
  std::vector<Uncommitted> answers = std::exchange(carrier.committing, {});
  carrier.one_by_one -= std::min(carrier.one_by_one, answers.size());
  std::size_t transitions = 0;
  for (const db::AppliedReport& applied : *result) transitions += applied.transitions;
  carrier.counters.transitions += transitions;
  std::size_t first = 0;
  for (Uncommitted& answer : answers) {
    settle(carrier, answer, std::span{*result}.subspan(first, answer.changed.size()));
    first += answer.changed.size();
  }
  if (transitions != 0 || failed_before) hooks_.transitions_written();
  commit(carrier);
  wake(carrier);
}

// ------------------------------------------------------------------ what belongs to the steps

void Poller::settle(Carrier& carrier, Uncommitted& answer, std::span<const db::AppliedReport> applied) {
  carrier.reports_waiting -= answer.changed.size();
  std::vector<std::int64_t> leaving;
  bool any_new = false, new_unmapped = false;
  for (std::size_t i = 0; i < answer.changed.size(); ++i) {
    const Uncommitted::Changed& changed = answer.changed[i];
    const bool alone = answer.batch.slots.size() == 1;
    // As the commit saw it: the clock may have been set since the answer was read.
    const std::size_t ahead = db::events_ahead(changed.polled.report, answer.committed_at);
    carrier.lane.set_fingerprints(changed.slot, alone && ahead == 0 ? answer.body_fingerprint : 0,
                                  with_ahead(changed.read_fingerprint, ahead));
    carrier.counters.too_old += applied[i].too_old;
    carrier.counters.ahead += applied[i].ahead;
    carrier.counters.noise += applied[i].noise;
    carrier.counters.over_limit += applied[i].over_limit;
    carrier.counters.unmapped += applied[i].unmapped.size();
    any_new = any_new || applied[i].new_events + applied[i].updated_events + applied[i].transitions != 0;
    const std::string& remito = changed.polled.report.remito;
    for (const TrackingEvent& event : applied[i].unmapped) {
      new_unmapped = true;
      log(Level::warning, "unmapped_code",
          {{"carrier", carrier.name},
           {"remito", remito},
           {"code", carrier.access->redact(event.code)},
           {"text", carrier.access->redact(event.text)}});
    }
    if (applied[i].ahead != 0)
      log(Level::warning, "events_ahead",
          {{"carrier", carrier.name}, {"remito", remito}, {"events_left_out", applied[i].ahead}});
    // Of an earlier use of the number; or an import states as registered_at a time after all that has happened.
    if (applied[i].too_old != 0 && applied[i].too_old == changed.polled.report.events.size())
      log(Level::warning, "events_too_old",
          {{"carrier", carrier.name}, {"remito", remito}, {"events_left_out", applied[i].too_old}});
    if (applied[i].over_limit != 0)
      log(Level::warning, "history_too_long",
          {{"carrier", carrier.name}, {"remito", remito}, {"events_left_out", applied[i].over_limit}});
    if (applied[i].transitions != 0 || applied[i].status != carrier.lane.status(changed.slot))
      carrier.lane.saw(answer.batch.id, changed.slot, applied[i].status, applied[i].transitions != 0);
    if (applied[i].leaves_lane) leaving.push_back(changed.polled.shipment_id);
  }
  note_raw(answer, any_new, !new_unmapped && !answer.imperfect);
  if (answer.last_part) finish(carrier, answer.batch, {BatchOutcome::Kind::answered, {}});
  remove(carrier.name, leaving);
}

// Kept once, when it is known of all parts what became of them.
void Poller::note_raw(const Uncommitted& answer, bool tells_news, bool is_understood) {
  Uncommitted::Raw& raw = *answer.raw;
  raw.tells_news = raw.tells_news || tells_news;
  raw.is_understood = raw.is_understood && is_understood;
  if (!answer.last_part || (!raw.tells_news && raw.is_understood)) return;
  raw.answer.received_at = answer.committed_at;
  if (raw.is_understood)
    raw_.keep_changed(std::move(raw.answer));
  else
    raw_.keep(std::move(raw.answer), raw.tells_news);
}

void Poller::finish(Carrier& carrier, const Batch& batch, const BatchOutcome& outcome) {
  std::vector<std::int64_t> marked;
  const bool was_its_turn =
      outcome.kind == BatchOutcome::Kind::answered || outcome.kind == BatchOutcome::Kind::unaskable;
  if (batch.resync && was_its_turn)
    for (const Slot slot : batch.slots)
      if (carrier.lane.resync_marked(slot)) marked.push_back(carrier.lane.shipment_id(slot));
  const scheduler::BreakerState before = carrier.lane.breaker();
  carrier.lane.finish(batch.id, outcome, runtime_.now());
  note_breaker(carrier, before);
  // A mark that came while the request was under way stays: that shipment is asked once more.
  std::erase_if(marked, [&](std::int64_t shipment_id) {
    const auto slot = carrier.lane.find(shipment_id);
    return slot && carrier.lane.resync_marked(*slot);
  });
  if (!marked.empty()) hooks_.resync_answered(marked);
  wake(carrier);
}

}  // namespace remitod::daemon
