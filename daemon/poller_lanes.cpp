// Who is asked at all: carriers and shipments come and go, resyncs mark, ops look.

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/log.h"
#include "daemon/poller.h"
#include "daemon/poller_carrier.h"

namespace remitod::daemon {

Poller::Poller(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, db::Executor& executor,
               RawKeeper& raw, Hooks hooks)
    : runtime_(runtime),
      transport_(transport),
      mapper_(mapper),
      executor_(executor),
      raw_(raw),
      hooks_(std::move(hooks)) {}

Poller::~Poller() = default;

void Poller::add_carrier(std::shared_ptr<CarrierAccess> access, scheduler::LaneConfig config, bool shadow) {
  auto carrier = std::make_unique<Carrier>(std::move(access), std::move(config));
  Carrier& added = *carrier;
  added.shadow = shadow;
  added.wake_alarm = runtime_.alarm([this, &added] { wake(added); });
  added.page_alarm = runtime_.alarm([this, &added] { ask_due_pages(added); });
  added.commit_alarm = runtime_.alarm([this, &added] {
    added.commit_paused = false;
    commit(added);
  });
  carriers_[added.name] = std::move(carrier);
}

void Poller::add_shipments(std::span<const db::OpenShipment> shipments) {
  for (const db::OpenShipment& shipment : shipments) add_shipment(shipment, Instant{});
}

void Poller::add_shipment(const db::OpenShipment& shipment, Instant last_asked) {
  Carrier* carrier = find(shipment.carrier);
  if (!carrier) {
    orphans_.insert(shipment.shipment_id);
    return;
  }
  if (!carrier->profile->can_track()) return;  // it tells of its own accord, or not at all
  const Instant now = runtime_.now();
  carrier->lane.add({shipment.shipment_id, shipment.remito, shipment.registered_at, last_asked, shipment.status,
                     shipment.status_since},
                    now);
  // Many come at once: the alarm gathers them.
  set_wake_alarm(*carrier, now);
}

void Poller::remove(std::string_view carrier_name, std::span<const std::int64_t> shipment_ids) {
  Carrier* carrier = find(carrier_name);
  if (!carrier) {
    for (const std::int64_t shipment_id : shipment_ids) orphans_.erase(shipment_id);
    return;
  }
  for (const std::int64_t shipment_id : shipment_ids) carrier->lane.remove(shipment_id);
  if (!shipment_ids.empty()) hooks_.resync_answered(shipment_ids);
}

std::size_t Poller::mark_resync(std::span<const db::ResyncScope> scope) {
  std::map<std::string_view, std::vector<std::int64_t>> by_carrier;
  for (const db::ResyncScope& one : scope) by_carrier[one.carrier].push_back(one.shipment_id);
  std::size_t found = 0;
  for (const auto& [name, shipment_ids] : by_carrier) {
    Carrier* carrier = find(name);
    if (!carrier) continue;
    found += carrier->lane.mark_resync(shipment_ids, runtime_.now());
    wake(*carrier);
  }
  return found;
}

std::size_t Poller::spare_requests(std::string_view carrier_name) {
  Carrier* carrier = find(carrier_name);
  // What waits for a login goes out together when that has ended: nothing more joins it.
  if (!carrier || carrier->access->is_entering()) return 0;
  const std::size_t spare = carrier->spare_requests(runtime_.now());
  keep_quotas(*carrier);
  return spare;
}

std::size_t Poller::spare_for_remitos(std::string_view carrier_name) {
  const std::size_t spare = spare_requests(carrier_name);
  return spare == 0 ? 0 : std::min(spare, find(carrier_name)->lane.spare_for_orders(runtime_.now()));
}

Instant Poller::orders_rest_until(std::string_view carrier_name) {
  const Carrier* carrier = find(carrier_name);
  return carrier ? std::max(carrier->lane.resting_until(), carrier->lane.orders_resting_until()) : Instant{};
}

std::size_t Poller::spare_for_cancels(std::string_view carrier_name) {
  const std::size_t spare = spare_for_remitos(carrier_name);
  return spare == 0 ? 0 : spare - std::min(spare, find(carrier_name)->reserved_for_remitos);
}

void Poller::reserve_requests(std::string_view carrier_name, std::size_t requests) {
  Carrier* carrier = find(carrier_name);
  if (carrier && std::exchange(carrier->reserved_for_remitos, requests) != requests) wake(*carrier);
}

void Poller::reserve_for_cancels(std::string_view carrier_name, std::size_t requests) {
  Carrier* carrier = find(carrier_name);
  if (carrier && std::exchange(carrier->reserved_for_cancels, requests) != requests) wake(*carrier);
}

void Poller::reserve_for_feed(std::string_view carrier_name, std::size_t requests) {
  Carrier* carrier = find(carrier_name);
  if (carrier && std::exchange(carrier->reserved_for_feed, requests) != requests) wake(*carrier);
}

std::optional<Instant> Poller::feed_waits_until(std::string_view carrier_name) {
  constexpr std::chrono::seconds look_again{1};
  const Instant now = runtime_.now();
  const std::size_t spare = spare_requests(carrier_name);
  const Carrier* carrier = find(carrier_name);
  if (!carrier) return now + look_again;
  const scheduler::LaneStatus lane = carrier->lane.status(now);
  const bool polls_may_go = lane.hold.kind != scheduler::Hold::Kind::quota;
  if (polls_may_go && spare > carrier->reserved(now) - carrier->reserved_for_feed) return std::nullopt;
  return std::max({now + look_again, lane.resting_until, lane.hold.until.value_or(now)});
}

void Poller::request_sent(std::string_view carrier_name, scheduler::Lane::Purpose purpose) {
  Carrier* carrier = find(carrier_name);
  if (!carrier) return;
  carrier->lane.spend_request(runtime_.now(), purpose);
  ++carrier->others_under_way;
}

void Poller::request_answered(std::string_view carrier_name) {
  Carrier* carrier = find(carrier_name);
  if (!carrier) return;
  --carrier->others_under_way;
  wake(*carrier);
}

void Poller::order_judged(std::string_view carrier_name, const scheduler::BatchOutcome& outcome, std::uint64_t trial) {
  Carrier* carrier = find(carrier_name);
  if (!carrier) return;
  const Instant before = carrier->lane.orders_resting_until();
  carrier->lane.order_judged(outcome, trial, runtime_.now());
  note_orders_rest(*carrier, before);
}

OrderHooks Poller::order_hooks() {
  return {[this](std::string_view name) -> std::uint64_t {
            Carrier* carrier = find(name);
            if (!carrier) return 0;
            ++carrier->others_under_way;
            return carrier->lane.order_sent(runtime_.now());
          },
          [this](std::string_view name) { request_answered(name); },
          [this](std::string_view name, const scheduler::BatchOutcome& outcome, std::uint64_t trial) {
            order_judged(name, outcome, trial);
          },
          [this](std::string_view name, std::uint64_t trial) {
            if (Carrier* carrier = find(name)) carrier->lane.trial_ended(trial);
          }};
}

void Poller::note_orders_rest(const Carrier& carrier, Instant before) {
  const Instant rest = carrier.lane.orders_resting_until();
  if (rest == before) return;
  log(rest == Instant{} ? Level::info : Level::warning, "orders_rest",
      {{"carrier", carrier.name}, {"resting_until", rest == Instant{} ? std::string{} : to_iso8601(rest)}});
}

void Poller::login_failed(std::string_view carrier_name) {
  if (Carrier* carrier = find(carrier_name)) wake(*carrier);
}

void Poller::stop() {
  stopping_ = true;
  for (const auto& [name, carrier] : carriers_) {
    carrier->wake_alarm->cancel();
    ask_due_pages(*carrier);
  }
}

bool Poller::idle() const {
  return std::ranges::all_of(carriers_, [this](const auto& entry) {
    const Carrier& carrier = *entry.second;
    return carrier.waiting.empty() && carrier.committing.empty() && carrier.lane.in_flight() == 0;
  });
}

bool Poller::database_trouble() const {
  return std::ranges::any_of(carriers_, [](const auto& entry) { return entry.second->commit_backoff.count() != 0; });
}

std::vector<Poller::CarrierView> Poller::carriers() const {
  std::vector<CarrierView> views;
  for (const auto& [name, carrier] : carriers_) views.push_back(view_of(*carrier));
  return views;
}

std::optional<Poller::CarrierView> Poller::carrier(std::string_view carrier_name) const {
  const Carrier* carrier = find(carrier_name);
  return carrier ? std::optional(view_of(*carrier)) : std::nullopt;
}

Poller::CarrierView Poller::view_of(const Carrier& carrier) {
  return {*carrier.profile,
          carrier.lane,
          carrier.counters,
          *carrier.access,
          carrier.waiting.size() + carrier.committing.size(),
          carrier.rules()};
}

const scheduler::Lane* Poller::lane(std::string_view carrier_name) const {
  const Carrier* carrier = find(carrier_name);
  return carrier ? &carrier->lane : nullptr;
}

Poller::Carrier* Poller::find(std::string_view carrier_name) const {
  const auto found = carriers_.find(carrier_name);
  return found == carriers_.end() ? nullptr : found->second.get();
}

}  // namespace remitod::daemon
