#include "tests/support/virtual_daemon.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "daemon/log.h"
#include "db/stores.h"

namespace remitod::test {

DecidingParts::DecidingParts(daemon::Runtime& runtime, carriers::HttpTransport& transport, daemon::Offload& mapper,
                             db::Executor& executor)
    : raw(runtime, executor),
      poller(runtime, transport, mapper, executor, raw,
             {[this] { outbox.kick(); },
              [this](std::span<const std::int64_t> shipment_ids) { resync.answered(shipment_ids); }}),
      feeds(runtime, transport, mapper, executor, raw, poller, [this] { outbox.kick(); }),
      sinks(runtime, executor, "virtual"),
      outbox(runtime, executor, [this] { sinks.kick(); }),
      worker(
          runtime, transport, mapper, executor, raw,
          {[this](std::string_view carrier) { return poller.spare_for_remitos(carrier); },
           [this](std::string_view carrier) { return poller.orders_rest_until(carrier); },
           [this](std::string_view carrier, std::size_t requests) { poller.reserve_requests(carrier, requests); },
           poller.order_hooks(), [this](const db::OpenShipment& shipment) { poller.add_shipment(shipment, Instant{}); },
           [this](std::string_view carrier, std::int64_t id) { poller.remove(carrier, std::span{&id, 1}); },
           [this] {
             outbox.kick();
             cancels.request_settled();
           }}),
      cancels(
          runtime, transport, mapper, executor, raw,
          {[this](std::string_view carrier) { return poller.spare_for_cancels(carrier); },
           [this](std::string_view carrier) { return poller.orders_rest_until(carrier); },
           [this](std::string_view carrier, std::size_t requests) { poller.reserve_for_cancels(carrier, requests); },
           poller.order_hooks(), [this](std::span<const db::ResyncScope> shipments) { poller.mark_resync(shipments); },
           [this] { outbox.kick(); }}),
      resync(runtime, executor, poller),
      reread(runtime, mapper, executor, [this] { outbox.kick(); }),
      intake(runtime, executor,
             {[this](std::span<const db::OpenShipment> shipments) { poller.add_shipments(shipments); },
              [this](const db::ResyncRequest& request, std::vector<db::ResyncScope> scope) {
                resync.begin(request, std::move(scope));
              },
              [this] {
                worker.wake();
                cancels.wake();
              }}),
      housekeeping(runtime, executor, poller, [this] { outbox.kick(); }),
      runtime_(runtime),
      transport_(transport) {
  daemon::set_up_log("off");  // days of lines
}

void DecidingParts::add_carrier(const std::string& name, const std::function<void(scheduler::LaneConfig&)>& change) {
  add_carrier(built_in_profile(name), change);
}

void DecidingParts::add_carrier(const std::shared_ptr<const carriers::Profile>& profile,
                                const std::function<void(scheduler::LaneConfig&)>& change, bool shadow) {
  const carriers::ProfileLimits& limits = profile->limits();
  scheduler::LaneConfig lane;
  lane.carrier = profile->name();
  lane.requests_per_second = limits.requests_per_second;
  lane.concurrency = limits.concurrency;
  lane.batch_max = limits.batch_max;
  if (change) change(lane);
  const auto access = std::make_shared<daemon::CarrierAccess>(
      runtime_, transport_, profile,
      daemon::CarrierAccess::Hooks{
          [this, name = lane.carrier] { poller.request_sent(name, scheduler::Lane::Purpose::polls); },
          [this, name = lane.carrier] { poller.request_answered(name); },
          [this, name = lane.carrier] { poller.login_failed(name); },
          [count = std::uint8_t{0}]() mutable { return carriers::Random{++count}; }});
  raw.add_carrier(access);
  worker.add_carrier(access, static_cast<std::size_t>(lane.concurrency));
  cancels.add_carrier(access);
  reread.add_carrier(profile, shadow);
  if (profile->can_feed()) feeds.add_carrier(access, shadow);
  poller.add_carrier(access, lane, shadow);
}

void DecidingParts::start(db::Session& session, const std::map<std::int64_t, Instant>& last_asked) {
  if (!db::mark_interrupted_requests(session, runtime_.now())) throw std::runtime_error("cannot mark");
  if (!db::mark_interrupted_cancels(session, runtime_.now())) throw std::runtime_error("cannot mark cancellations");
  const auto loaded = db::load_open_shipments(session, runtime_.now(), [&](const db::OpenShipment& shipment) {
    const auto asked = last_asked.find(shipment.shipment_id);
    poller.add_shipment(shipment, asked == last_asked.end() ? Instant{} : asked->second);
  });
  if (!loaded) throw std::runtime_error(loaded.error().message);
  resync.lanes_filled();
  housekeeping.lanes_filled();
  intake.start();
  feeds.start();
  outbox.kick();
}

void DecidingParts::begin_stop() {
  intake.stop();
  poller.stop();
  feeds.stop();
  worker.stop();
  cancels.stop();
  reread.stop();
}

bool DecidingParts::idle() const {
  return poller.idle() && feeds.idle() && worker.idle() && cancels.idle() && outbox.idle() && intake.idle() &&
         reread.idle();
}

VirtualDaemon::VirtualDaemon(VirtualDatabase& database, VirtualCarriers& carriers, Instant start)
    : VirtualMachine(database, carriers, start),
      DecidingParts(runtime, transport, mapper, executor),
      database_(database) {}

void VirtualDaemon::start(const std::map<std::int64_t, Instant>& last_asked) {
  DecidingParts::start(database_.session(), last_asked);
  runtime.run_queued();
}

bool VirtualDaemon::stop() {
  begin_stop();
  return runtime.run_until_true([this] { return idle(); }, runtime.now() + std::chrono::minutes{1});
}

void VirtualWorld::follow(const std::string& carrier, const std::string& remito, const std::string& order) {
  database.sql("insert into shipments (order_number, carrier, remito, registered_at) values ('" + order + "', '" +
               carrier + "', '" + remito + "', " + std::to_string(to_micros(daemon->runtime.now())) + ")");
}

void VirtualWorld::ask_remito(const std::string& carrier, const std::string& order, const std::string& payload,
                              const std::string& request_key) {
  database.sql("insert into remito_requests (request_key, order_number, carrier, payload) values ('" +
               (request_key.empty() ? "key-" + order : request_key) + "', '" + order + "', '" + carrier + "', '" +
               payload + "')");
}

std::vector<db::RawAnswer> VirtualWorld::raw_answers(const std::string& carrier) {
  return db::load_raw_answers(database.session(), carrier, 1000).value();
}

std::string VirtualWorld::told(const std::string& remito) {
  std::string result, step;
  database.session().query(
      "select from_status || '>' || to_status || case inferred when 1 then '~' else '' end from transitions "
      "where subject = 'shipment' and remito = :remito order by id",
      {{"remito", remito}}, {&step}, [&] { result += (result.empty() ? "" : " ") + step; });
  return result;
}

}  // namespace remitod::test
