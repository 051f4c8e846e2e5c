#include "tests/support/virtual_daemon.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "daemon/log.h"
#include "db/stores.h"

namespace remitod::test {

VirtualDaemon::VirtualDaemon(VirtualDatabase& database, VirtualCarriers& carriers, Instant start)
    : runtime(start),
      executor(runtime, database),
      mapper(runtime),
      transport(runtime, carriers),
      raw(runtime, executor),
      poller(runtime, transport, mapper, executor, raw,
             {[this] { outbox.kick(); },
              [this](std::span<const std::int64_t> shipment_ids) { resync.answered(shipment_ids); }}),
      outbox(runtime, executor),
      worker(runtime, transport, mapper, executor, raw,
             {[this](std::string_view carrier) { return poller.spare_requests(carrier); },
              [this](std::string_view carrier, std::size_t requests) { poller.reserve_requests(carrier, requests); },
              [this](std::string_view carrier) { poller.request_sent(carrier); },
              [this](std::string_view carrier) { poller.request_answered(carrier); },
              [this](const db::OpenShipment& shipment) { poller.add_shipment(shipment, Instant{}); },
              [this] { outbox.kick(); }}),
      resync(runtime, executor, poller),
      intake(runtime, executor,
             {[this](std::span<const db::OpenShipment> shipments) { poller.add_shipments(shipments); },
              [this](const db::ResyncRequest& request, std::vector<db::ResyncScope> scope) {
                resync.begin(request, std::move(scope));
              },
              [this] { worker.wake(); }}),
      database_(database) {
  daemon::set_up_log("off");  // days of lines
}

void VirtualDaemon::add_carrier(const std::string& name, const std::function<void(scheduler::LaneConfig&)>& change) {
  const auto profile = built_in_profile(name);
  const carriers::ProfileLimits& limits = profile->limits();
  scheduler::LaneConfig lane;
  lane.carrier = name;
  lane.requests_per_second = limits.requests_per_second;
  lane.concurrency = limits.concurrency;
  lane.batch_max = limits.batch_max;
  if (change) change(lane);
  worker.add_carrier(profile, static_cast<std::size_t>(lane.concurrency));
  poller.add_carrier(profile, lane);
}

void VirtualDaemon::start(const std::map<std::int64_t, Instant>& last_asked) {
  db::Session& session = database_.session();
  if (!db::mark_interrupted_requests(session, runtime.now())) throw std::runtime_error("cannot mark");
  const auto loaded = db::load_open_shipments(session, runtime.now(), [&](const db::OpenShipment& shipment) {
    const auto asked = last_asked.find(shipment.shipment_id);
    poller.add_shipment(shipment, asked == last_asked.end() ? Instant{} : asked->second);
  });
  if (!loaded) throw std::runtime_error(loaded.error().message);
  intake.start();
  outbox.kick();
  runtime.run_queued();
}

bool VirtualDaemon::stop() {
  intake.stop();
  poller.stop();
  worker.stop();
  return runtime.run_until_true([this] { return poller.idle() && worker.idle() && outbox.idle() && intake.idle(); },
                                runtime.now() + std::chrono::minutes{1});
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
