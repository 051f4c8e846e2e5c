#include "daemon/data_control.h"

#include <nlohmann/json.hpp>

#include "daemon/control_body.h"
#include "daemon/log.h"
#include "db/erasure.h"
#include "db/shadow.h"
#include "db/stores.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t statuses_max = 200'000;
constexpr std::chrono::days compared_unless_stated{7};

ControlAnswer answer(const json& body) {
  return {200, body.dump(-1, ' ', false, json::error_handler_t::replace)};
}
ControlAnswer database_failure(const db::DbError& error) {
  return control_failure(503, "the database does not answer: " + error.message);
}

json erased_report(const std::string& order_number, const db::ErasedOrder& erased, bool dry_run) {
  return {{"order_number", order_number},
          {"dry_run", dry_run},
          {"requests", erased.requests},
          {"shipments", erased.shipments},
          {"events", erased.events},
          {"transitions", erased.transitions},
          {"raw_answers", erased.raw_answers},
          {"open_requests", erased.open_requests},
          {"open_shipments", erased.open_shipments}};
}

json statuses(const std::vector<db::SeenStatus>& seen) {
  json rows = json::array();
  for (const db::SeenStatus& one : seen)
    rows.push_back({{"remito", one.remito},
                    {"status", one.status},
                    {"occurred_at", one.occurred_at ? json(to_iso8601(*one.occurred_at)) : json(nullptr)},
                    {"seen_at", to_iso8601(one.seen_at)}});
  return rows;
}

}  // namespace

void erase_order(const Runtime& runtime, db::Executor& executor, const ControlRequest& request,
                 const ControlServer::Reply& reply) {
  const auto wanted = parse_control_body(request.body, {"order_number"}, {"dry_run"});
  if (!wanted) return reply(control_failure(400, wanted.error()));
  executor.run<db::ErasedOrder>(
      [wanted = *wanted, now = runtime.now()](db::Session& session) {
        return db::erase_order(session, wanted.text("order_number"), now, wanted.dry_run);
      },
      [reply, wanted = *wanted](const db::DbResult<db::ErasedOrder>& erased) {
        const std::string& order = wanted.text("order_number");
        if (!erased) return reply(database_failure(erased.error()));
        if (erased->known == 0) return reply(control_failure(404, "nothing is known of order " + order));
        if (!wanted.dry_run)
          log(Level::info, "order_erased",
              {{"order", order},
               {"requests", erased->requests},
               {"shipments", erased->shipments},
               {"open_requests", erased->open_requests},
               {"open_shipments", erased->open_shipments}});
        reply(answer(erased_report(order, *erased, wanted.dry_run)));
      });
}

void forget_shipment(const Runtime& runtime, db::Executor& executor, const ControlRequest& request,
                     const std::function<void(const std::string&, std::int64_t)>& forgotten,
                     const ControlServer::Reply& reply) {
  const auto wanted = parse_control_body(request.body, {"target"});
  if (!wanted) return reply(control_failure(400, wanted.error()));
  const auto target = db::ResyncTarget::parse(wanted->text("target"));
  if (!target || target->kind != db::ResyncTarget::Kind::shipment)
    return reply(control_failure(400, "expected CARRIER:REMITO"));
  using Forgotten = std::optional<db::ForgottenShipment>;
  executor.run<Forgotten>(
      [target = *target, now = runtime.now()](db::Session& session) {
        return db::forget_shipment(session, target.carrier, target.value, now);
      },
      [reply, forgotten, target = *target](const db::DbResult<Forgotten>& shipment) {
        if (!shipment) return reply(database_failure(shipment.error()));
        if (!*shipment) return reply(control_failure(404, "no open shipment " + target.to_string()));
        const db::ForgottenShipment& found = **shipment;
        log(Level::info, "shipment_forgotten",
            {{"carrier", target.carrier}, {"remito", target.value}, {"order", found.order_number}});
        forgotten(target.carrier, found.shipment_id);
        const auto status = status_from(found.status);
        reply(answer({{"carrier", target.carrier},
                      {"remito", target.value},
                      {"order_number", found.order_number},
                      {"shipment_id", found.shipment_id},
                      {"status", found.status},
                      {"label", status ? label(*status) : ""}}));
      });
}

void shadow_rows(const Runtime& runtime, const Poller& poller, db::Executor& executor, const ControlRequest& request,
                 const ControlServer::Reply& reply) {
  const auto carrier = request.query.find("carrier");
  const auto stated = request.query.find("since");
  const auto since = stated == request.query.end() ? std::optional(runtime.now() - compared_unless_stated)
                                                   : from_iso8601(stated->second);
  if (carrier == request.query.end() || carrier->second.empty())
    return reply(control_failure(400, "expected ?carrier=NAME"));
  if (!poller.lane(carrier->second))
    return reply(control_failure(400, "no carrier \"" + carrier->second + "\" is configured"));
  if (!since) return reply(control_failure(400, "since is no moment such as 2026-11-23T00:00:00Z"));
  using Rows = std::pair<std::vector<db::SeenStatus>, std::vector<db::SeenStatus>>;
  executor.run<Rows>(
      [carrier = carrier->second, since = *since](db::Session& session) -> db::DbResult<Rows> {
        auto ours = db::load_our_statuses(session, carrier, since, statuses_max);
        if (!ours) return std::unexpected(ours.error());
        auto theirs = db::load_legacy_statuses(session, carrier, since, statuses_max);
        if (!theirs) return std::unexpected(theirs.error());
        return Rows{std::move(*ours), std::move(*theirs)};
      },
      [reply, carrier = carrier->second, since = *since](const db::DbResult<Rows>& rows) {
        if (!rows) return reply(database_failure(rows.error()));
        reply(answer({{"carrier", carrier},
                      {"since", to_iso8601(since)},
                      {"all", std::max(rows->first.size(), rows->second.size()) < statuses_max},
                      {"ours", statuses(rows->first)},
                      {"theirs", statuses(rows->second)}}));
      });
}

}  // namespace remitod::daemon
