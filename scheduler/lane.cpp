#include "scheduler/lane.h"

#include <algorithm>
#include <utility>

#include "scheduler/checkpoint.h"
#include "scheduler/lane_impl.h"

namespace remitod::scheduler {
namespace {

using std::chrono::seconds;

void check(const LaneConfig& config) {
  require(config.interval >= seconds{1} && config.interval <= std::chrono::days{365}, "1 s <= interval <= 1 year");
  require(!config.adaptive || config.interval == seconds{3600}, "an adaptive lane catches up within an hour");
  require(config.requests_per_second > 0, "requests_per_second > 0");
  for (const auto& quota : {config.requests_per_minute, config.requests_per_hour, config.requests_per_day})
    require(quota.value_or(1) >= 1, "requests per minute, hour and day >= 1");
  require(config.concurrency >= 1 && config.batch_max >= 1, "concurrency and batch_max >= 1");
  require(config.failures_to_open >= 1, "failures_to_open >= 1");
  require(config.backoff_first >= seconds{0} && config.backoff_max >= seconds{0}, "back-off >= 0");
}

}  // namespace

// ------------------------------------------------------------------ shipments

Lane::Lane(LaneConfig config, std::uint64_t seed) {
  check(config);
  impl_ = std::make_unique<Impl>(std::move(config), seed);
}
Lane::~Lane() = default;
Lane::Lane(Lane&&) noexcept = default;
Lane& Lane::operator=(Lane&&) noexcept = default;

Slot Lane::add(const LaneShipment& shipment, Instant now) {
  const Second moment = to_second(impl_->advance(now));
  if (const std::optional<Slot> known = impl_->index.find(shipment.shipment_id)) return *known;
  const Slot slot = impl_->rows.insert(shipment.shipment_id, shipment.remito);
  ShipmentRow& row = impl_->rows[slot];
  row.asked = shipment.last_asked == Instant{} ? 0 : to_second(shipment.last_asked);
  impl_->newest_asked = std::max(impl_->newest_asked, row.asked);
  const auto day = std::chrono::floor<std::chrono::days>(shipment.registered_at).time_since_epoch().count();
  row.registered_day = static_cast<std::uint16_t>(std::clamp<std::int64_t>(day, 0, 0xffff));
  const Second entered = shipment.status_since == Instant{} ? moment : to_second(shipment.status_since);
  row.enter(shipment.status, entered);
  impl_->index.insert(slot);
  impl_->heap.push(slot, impl_->due_on_entry(slot, entered, moment));
  impl_->fit_grid(moment);
  return slot;
}

void Lane::remove(std::int64_t shipment_id) {
  const std::optional<Slot> slot = impl_->index.find(shipment_id);
  if (!slot) return;
  impl_->index.erase(*slot);
  ShipmentRow& row = impl_->rows[*slot];
  if (row.resync) --impl_->resync_left;
  if (!row.queued()) {
    row.leaving = true;
    return;
  }
  impl_->heap.erase(*slot);
  impl_->rows.erase(*slot);
  if (impl_->latest) impl_->fit_grid(to_second(*impl_->latest));
}

std::optional<Slot> Lane::find(std::int64_t shipment_id) const {
  return impl_->index.find(shipment_id);
}

std::int64_t Lane::shipment_id(Slot slot) const {
  return impl_->row(slot).shipment_id;
}

std::string_view Lane::remito(Slot slot) const {
  impl_->row(slot);
  return impl_->rows.remito(slot);
}

Instant Lane::registered_at(Slot slot) const {
  return std::chrono::sys_days{std::chrono::days{impl_->row(slot).registered_day}};
}

Instant Lane::last_asked(Slot slot) const {
  return to_instant(impl_->row(slot).asked);
}

Instant Lane::next_due(Slot slot) const {
  if (impl_->row(slot).queued()) return to_instant(impl_->heap.due(slot));
  for (const Impl::Request& request : impl_->requests) {
    const auto asked = std::ranges::find(request.asked, slot, &DueHeap::Entry::slot);
    if (asked != request.asked.end()) return to_instant(asked->due);
  }
  return Instant{};
}

Status Lane::status(Slot slot) const {
  return impl_->row(slot).status();
}

Instant Lane::status_since(Slot slot) const {
  return to_instant(impl_->row(slot).entered());
}

Fingerprint Lane::body_fingerprint(Slot slot) const {
  return impl_->row(slot).body();
}

Fingerprint Lane::read_fingerprint(Slot slot) const {
  return impl_->row(slot).read();
}

void Lane::set_fingerprints(Slot slot, Fingerprint body, Fingerprint read) {
  impl_->row(slot);
  impl_->rows[slot].set_fingerprints(body, read);
}

// ------------------------------------------------------------------ asking

std::optional<Batch> Lane::take(Instant now) {
  Impl& lane = *impl_;
  now = lane.advance(now);
  const Second moment = to_second(now);
  if (lane.learning) lane.learning->count_hours(moment, lane.index.size());
  const Breaker::Permission permission = lane.breaker.permission(now);
  if (permission == Breaker::Permission::none || !lane.limits.is_open(now)) return std::nullopt;
  if (permission == Breaker::Permission::request) lane.note_service(now);
  if (lane.learning) lane.begin_rounds(moment);
  if (lane.full() || lane.heap.empty() || lane.heap.first().due > moment) return std::nullopt;
  if (!lane.limits.take(now)) return std::nullopt;

  const bool probe = permission == Breaker::Permission::probe;
  if (probe) lane.breaker.probe_sent();
  Batch batch{.id = ++lane.last_batch_id, .slots = {}, .resync = false, .probe = probe};
  Impl::Request request{.id = batch.id, .taken_at = moment, .probe = probe, .on_wire = true, .asked = {}, .saw = {}};
  const auto batch_max = static_cast<std::size_t>(lane.config.batch_max);
  while (batch.slots.size() < batch_max && !lane.heap.empty() && lane.may_ride(lane.heap.first(), moment)) {
    const DueHeap::Entry entry = lane.heap.pop();
    batch.resync = batch.resync || lane.rows[entry.slot].resync;
    batch.slots.push_back(entry.slot);
    request.asked.push_back(entry);
  }
  lane.requests.push_back(std::move(request));
  ++lane.on_wire;
  if (lane.learning && !batch.resync) lane.learning->request_sent(batch.slots.size());
  return batch;
}

std::optional<Instant> Lane::next_wake(Instant now) const {
  const Impl& lane = *impl_;
  if (lane.was_set_back(now)) return now;  // take() makes a new plan
  if (lane.latest) now = std::max(now, *lane.latest);
  if (lane.full() || lane.heap.empty() || lane.breaker.state() == BreakerState::half_open) return std::nullopt;
  Second due = lane.heap.first().due;
  if (const std::optional<Second> round = lane.next_round(to_second(now))) due = std::min(due, *round);
  return lane.limits.next(now, std::max(to_instant(due), lane.breaker.resting_until()));
}

void Lane::finish(std::uint64_t batch_id, const BatchOutcome& outcome, Instant now) {
  Impl& lane = *impl_;
  now = lane.advance(now);
  const auto found = std::ranges::find(lane.requests, batch_id, &Impl::Request::id);
  if (found == lane.requests.end()) return;
  if (lane.full()) lane.served_at = now;
  const Impl::Request request = std::move(*found);
  if (found != lane.requests.end() - 1) *found = std::move(lane.requests.back());
  lane.requests.pop_back();
  if (request.on_wire) --lane.on_wire;

  const std::optional<Breaker::Rest> wanted = rest_wanted(outcome);
  switch (outcome.kind) {
    case BatchOutcome::Kind::answered:
      lane.breaker.answered(request.probe);
      break;
    case BatchOutcome::Kind::failed:
      lane.breaker.failed(request.probe, wanted, now, lane.jitter);
      break;
    case BatchOutcome::Kind::throttled:
      lane.breaker.throttled(request.probe, wanted, now, lane.jitter);
      break;
    case BatchOutcome::Kind::unaskable:
    case BatchOutcome::Kind::abandoned:
      lane.breaker.abandoned(request.probe);
      break;
  }
  for (const DueHeap::Entry& asked : request.asked) lane.settle(asked, request, outcome.kind, to_second(now));
}

void Lane::answer_received(std::uint64_t batch_id, Instant now) {
  Impl& lane = *impl_;
  const auto found = std::ranges::find(lane.requests, batch_id, &Impl::Request::id);
  if (found == lane.requests.end() || !found->on_wire) return;
  if (lane.full()) lane.served_at = lane.advance(now);
  found->on_wire = false;
  --lane.on_wire;
}

void Lane::Impl::settle(const DueHeap::Entry& asked, const Request& request, BatchOutcome::Kind kind, Second now) {
  ShipmentRow& row = rows[asked.slot];
  if (row.leaving) return rows.erase(asked.slot);
  switch (kind) {
    case BatchOutcome::Kind::answered:
    case BatchOutcome::Kind::unaskable:
      if (learning && kind == BatchOutcome::Kind::answered) note_missed(asked.slot, request);
      row.asked = request.taken_at;
      // One that is tried after a rest ends no silence that note_service() has not seen yet.
      if (!request.probe || !came_overdue) newest_asked = std::max(newest_asked, row.asked);
      if (row.resync && !row.resync_again) {
        row.resync = false;
        --resync_left;
      }
      row.resync_again = false;
      return heap.push(asked.slot, row.resync ? 0 : due_after(asked.slot, request.taken_at));
    case BatchOutcome::Kind::failed:
      row.resync_again = false;
      return heap.push(asked.slot, retry_at(row, now));
    case BatchOutcome::Kind::throttled:
    case BatchOutcome::Kind::abandoned: {
      row.resync_again = false;
      // When it was due, unless the clock was set back since. A throttled probe goes behind all who are due by now: it
      // may be that shipment alone which the carrier does not want to be asked for.
      const bool lets_others_try = kind == BatchOutcome::Kind::throttled && request.probe;
      const Second due = lets_others_try ? now : std::min(asked.due, later(now, slack()));
      return heap.push(asked.slot, row.resync && !lets_others_try ? 0 : due);
    }
  }
}

std::size_t Lane::mark_resync(std::span<const std::int64_t> shipment_ids, Instant now) {
  impl_->advance(now);
  std::size_t found = 0;
  for (const std::int64_t shipment_id : shipment_ids) {
    const std::optional<Slot> slot = impl_->index.find(shipment_id);
    if (!slot) continue;
    ++found;
    impl_->mark(*slot);
  }
  return found;
}

void Lane::Impl::mark(Slot slot) {
  ShipmentRow& row = rows[slot];
  if (!row.resync) ++resync_left;
  row.resync = true;
  if (row.queued()) {
    heap.move(slot, 0);
  } else {
    row.resync_again = true;
  }
}

bool Lane::resync_marked(Slot slot) const {
  return impl_->row(slot).resync;
}

// ------------------------------------------------------------------ the lane as a whole

BreakerState Lane::breaker() const {
  return impl_->breaker.state();
}

Instant Lane::resting_until() const {
  return impl_->breaker.resting_until();
}

std::size_t Lane::in_flight() const {
  return impl_->on_wire;
}

std::size_t Lane::spare_requests(Instant now) {
  now = impl_->advance(now);
  if (impl_->breaker.permission(now) == Breaker::Permission::none) return 0;
  return impl_->limits.spare(now);
}

void Lane::held_up(Instant now) {
  Impl& lane = *impl_;
  now = lane.advance(now);
  // While lanes fill after a start, only take() knows all that was missed.
  if (lane.came_overdue || !lane.limits.is_open(now)) return;
  if (lane.breaker.permission(now) == Breaker::Permission::request) lane.note_service(now);
}

Instant Lane::spend_request(Instant now, Purpose purpose) {
  now = impl_->advance(now);
  if (impl_->learning && purpose == Purpose::polls) impl_->learning->further_request_sent();
  return impl_->limits.spend(now);
}

Lane::Wishes Lane::wishes() const {
  return {impl_->breaker.wished_until(), impl_->orders.wished_until()};
}

void Lane::restore_wishes(const Wishes& wishes, Instant now) {
  now = impl_->advance(now);
  impl_->breaker.resume(wishes.polls, now);
  impl_->orders.resume(wishes.orders, now);
}

Instant Lane::spend_again(Instant now) {
  return impl_->limits.spend_rate(impl_->advance(now));
}

void Lane::sent_late(Instant taken, Instant now) {
  impl_->limits.sent_late(taken, impl_->advance(now));
}

void Lane::planned_sent(Instant planned, Instant now) {
  impl_->limits.quotas().sent_late(planned, impl_->advance(now));
}

std::optional<QuotaWork> Lane::quota_work(Instant now) {
  return impl_->limits.quotas().work(impl_->advance(now));
}

void Lane::quota_loaded(std::span<const QuotaRecord> records, Instant now) {
  impl_->limits.quotas().loaded(records, impl_->advance(now));
}

void Lane::quota_reserved() {
  impl_->limits.quotas().reserved();
}

void Lane::quota_conflicted(Instant now) {
  impl_->limits.quotas().conflicted(impl_->advance(now));
}

void Lane::quota_failed(Instant now) {
  impl_->limits.quotas().failed(impl_->advance(now));
}

LaneStatus Lane::status(Instant now) const {
  const Impl& lane = *impl_;
  LaneStatus status;
  status.shipments = lane.index.size();
  status.due = lane.heap.count_due(to_second(now));
  status.in_flight = lane.on_wire;
  status.breaker = lane.breaker.state();
  if (lane.breaker.resting_until() > now) status.resting_until = lane.breaker.resting_until();
  status.failures_in_row = lane.breaker.failures_in_row();
  if (!lane.heap.empty()) status.next_due = lane.heap.first().due == 0 ? now : to_instant(lane.heap.first().due);
  status.resync_left = lane.resync_left;
  status.hold = lane.limits.hold(now);
  status.quotas = lane.limits.quotas().left(now);
  if (lane.learning) {
    const Budget::Period lately = lane.learning->budget().spent_lately();
    const bool allows_any = lane.learning->config().budget.target_delay.has_value();
    status.budget = {lately.requests, allows_any ? std::nullopt : std::optional(lately.requests_allowed)};
  }
  return status;
}

const LaneConfig& Lane::config() const {
  return impl_->config;
}

void Lane::reconfigure(LaneConfig config) {
  check(config);
  Impl& lane = *impl_;
  const bool other_schedule = config.adaptive != lane.config.adaptive;
  const bool other_interval = config.interval != lane.config.interval || other_schedule;
  lane.config = std::move(config);
  lane.limits.reconfigure(lane.config, lane.latest.value_or(Instant{}));
  lane.breaker.reconfigure(lane.config);
  lane.orders.reconfigure(lane.config);
  if (other_interval) lane.grid = lane.grid_wanted(1);
  if (!lane.latest) return;
  if (other_schedule) lane.replace_schedule(to_second(*lane.latest));
  if (other_interval)
    lane.plan_anew(to_second(*lane.latest));
  else
    lane.fit_grid(to_second(*lane.latest));
}

std::size_t Lane::size() const {
  return impl_->index.size();
}

std::size_t Lane::memory_bytes() const {
  std::size_t bytes = sizeof(Impl) + impl_->rows.memory_bytes() + impl_->index.memory_bytes() +
                      impl_->heap.memory_bytes() + impl_->requests.capacity() * sizeof(Impl::Request);
  for (const Impl::Request& request : impl_->requests) bytes += request.asked.capacity() * sizeof(DueHeap::Entry);
  if (impl_->learning) bytes += impl_->learning->memory_bytes();
  return bytes;
}

std::string Lane::checkpoint() const {
  std::vector<AskedAt> entries;
  entries.reserve(impl_->index.size());
  impl_->rows.for_each([&](Slot, const ShipmentRow& row) {
    if (row.asked != 0 && !row.leaving) entries.push_back({row.shipment_id, row.asked});
  });
  return encode_checkpoint(std::move(entries));
}

std::optional<std::vector<Lane::Asked>> Lane::restore(std::string_view checkpoint) {
  return decode_checkpoint(checkpoint);
}

}  // namespace remitod::scheduler
