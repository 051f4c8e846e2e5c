// A lane that learns: what it shows to its schedule, whom sentinels and sweeps ask, and what is told of the answers.

#include <algorithm>
#include <utility>

#include "scheduler/lane_impl.h"

namespace remitod::scheduler {
namespace {

/// Sentinels and sweeps wait for those before them, but not longer than this: where the limits let too little through,
/// somebody is always overdue.
constexpr Second round_max_s = hour_s;
/// A shipment that was registered this long before it was followed may have any history by then.
constexpr Second followed_late_s = 2 * day_s;

}  // namespace

// ------------------------------------------------------------------ shipments as the schedule sees them

OpenShipment Lane::Impl::open_shipment(Slot slot, Second now) const {
  const ShipmentRow& row = rows[slot];
  const Second entered = std::min(row.entered(), now);
  return {.shipment_id = row.shipment_id,
          .status = stage_of(row.status()),
          .entered = entered,
          .last_asked = std::max(std::min(row.asked, now), entered)};
}

std::vector<OpenShipment> Lane::Impl::open_shipments(Second now) const {
  std::vector<OpenShipment> open;
  open.reserve(index.size());
  rows.for_each([&](Slot slot, const ShipmentRow& row) {
    if (!row.leaving) open.push_back(open_shipment(slot, now));
  });
  return open;
}

bool Lane::Impl::may_ride(const DueHeap::Entry& entry, Second now) const {
  if (!learning) return entry.due <= later(now, slack());
  return entry.due <= now || learning->schedule().may_ride_from(open_shipment(entry.slot, now), entry.due) <= now;
}

// ------------------------------------------------------------------ sentinels and sweeps

bool Lane::Impl::round_under_way(Second now) const {
  if (round_at == 0 || later(round_at, round_max_s) <= now) return false;
  if (!heap.empty() && heap.first().due <= round_at) return true;
  return std::ranges::any_of(requests, [this](const Request& request) {
    return std::ranges::any_of(request.asked, [this](const DueHeap::Entry& asked) { return asked.due <= round_at; });
  });
}

void Lane::Impl::begin_rounds(Second now) {
  while (!round_under_way(now)) {
    const std::optional<Second> due = learning->schedule().next_round();
    if (!due || *due > now) return;
    if (const std::optional<Round> round = learning->schedule().take_round(now)) choose(*round, now);
  }
}

void Lane::Impl::choose(const Round& round, Second now) {
  std::vector<std::pair<double, Slot>> ranked;  // the best chance first
  heap.for_each([&](const DueHeap::Entry& entry) {
    const OpenShipment shipment = open_shipment(entry.slot, now);
    if (rows[entry.slot].asked >= now) return;
    const double chance = learning->schedule().chance(shipment, now);
    if (chance >= round.chance_min) ranked.emplace_back(-chance, entry.slot);
  });
  const std::size_t wanted = std::min(ranked.size(), round.shipments_max);
  std::ranges::partial_sort(ranked, ranked.begin() + static_cast<std::ptrdiff_t>(wanted));
  ranked.resize(wanted);
  for (const auto& [chance, slot] : ranked) heap.move(slot, std::min(heap.due(slot), now));
  if (wanted != 0) round_at = now;
}

std::optional<Second> Lane::Impl::next_round(Second now) const {
  if (!learning || round_under_way(now)) return std::nullopt;
  return learning->schedule().next_round();
}

// ------------------------------------------------------------------ what answers say

void Lane::saw(std::uint64_t batch_id, Slot slot, Status status, bool told) {
  Impl& lane = *impl_;
  const auto found = std::ranges::find(lane.requests, batch_id, &Impl::Request::id);
  require(found != lane.requests.end(), "what was seen is told before its request is finished");
  lane.row(slot);
  ShipmentRow& row = lane.rows[slot];
  const bool is_news = told && (row.asked != 0 || row.followed_after() < followed_late_s);
  if (lane.learning && is_news) lane.learning->saw(lane.open_shipment(slot, found->taken_at), found->taken_at);
  found->saw.push_back(slot);
  row.enter(status, found->taken_at);
}

void Lane::Impl::note_missed(Slot slot, const Request& request) {
  if (std::ranges::find(request.saw, slot) != request.saw.end()) return;
  learning->schedule().missed(open_shipment(slot, request.taken_at), request.taken_at);
}

// ------------------------------------------------------------------ learning

void Lane::Impl::start_learning(Second now) {
  learning = std::make_unique<LaneLearning>(config, seed, now);
  if (const std::optional<Lessons> lessons = std::exchange(unused, std::nullopt))
    learning->restore(lessons->earlier.value_or(""), lessons->recent, now);
}

// What was learned stays, whether it is followed or not.
void Lane::Impl::replace_schedule(Second now) {
  if (learning) {
    learning->lessons_lost();
    unused = learning->lessons();
    learning.reset();
  }
  round_at = 0;
  if (config.adaptive) start_learning(now);
}

bool Lane::wants_to_learn(Instant now) const {
  return impl_->learning && impl_->learning->wants_to_learn(to_second(now), impl_->index.size());
}

LearningInput Lane::learning_input(Instant now) {
  require(impl_->learning != nullptr, "an adaptive lane learns");
  const Second moment = to_second(impl_->advance(now));
  return impl_->learning->input(impl_->open_shipments(moment), moment);
}

void Lane::learned(std::shared_ptr<const AdaptivePlan> plan, Instant now) {
  if (!impl_->learning) return;
  const Second moment = to_second(impl_->advance(now));
  if (!impl_->learning->learned(std::move(plan), impl_->index.size(), moment)) return;
  impl_->heap.reschedule([&](const DueHeap::Entry& entry) {
    return entry.due <= moment ? entry.due : impl_->due_after(entry.slot, moment);
  });
}

std::shared_ptr<const AdaptivePlan> Lane::plan() const {
  return impl_->learning ? impl_->learning->schedule().plan() : nullptr;
}

std::optional<Lane::Lessons> Lane::lessons() {
  return impl_->learning ? impl_->learning->lessons() : std::nullopt;
}

void Lane::lessons_lost() {
  if (impl_->learning) impl_->learning->lessons_lost();
}

bool Lane::restore_lessons(std::string_view earlier, std::string_view recent, Instant now) {
  now = impl_->advance(now);
  if (impl_->learning) return impl_->learning->restore(earlier, recent, to_second(now));
  impl_->unused = Lessons{std::string(earlier), std::string(recent)};
  return true;
}

}  // namespace remitod::scheduler
