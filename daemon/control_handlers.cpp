#include "daemon/control_handlers.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <memory>
#include <utility>

#include "daemon/data_control.h"
#include "daemon/explain_report.h"
#include "daemon/remito_control.h"
#include "daemon/reread_control.h"
#include "daemon/shallow_json.h"
#include "daemon/sink_control.h"
#include "db/resync_record.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds database_patience{3};

ControlAnswer failure(int status, std::string_view message) {
  return {status, json{{"error", message}}.dump(-1, ' ', false, json::error_handler_t::replace)};
}
ControlAnswer database_failure(const db::DbError& error) {
  return failure(503, "the database does not answer: " + error.message);
}

struct Wanted {
  db::ResyncTarget target;
  std::optional<Instant> since;
  bool dry_run = false;
};

std::expected<Wanted, std::string> parse_resync(const std::string& body) {
  const json wanted = parse_shallow_json(body);
  if (!wanted.is_object() || !wanted.contains("target") || !wanted["target"].is_string())
    return std::unexpected("expected {\"target\": \"all|CARRIER|CARRIER:REMITO|order:N\"}");
  Wanted result;
  for (const auto& [key, value] : wanted.items()) {
    if (key == "target") {
      const auto target = db::ResyncTarget::parse(value.get<std::string>());
      if (!target) return std::unexpected("the target is none of all, CARRIER, CARRIER:REMITO, order:N");
      result.target = *target;
    } else if (key == "since") {
      result.since = value.is_string() ? from_iso8601(value.get<std::string>()) : std::nullopt;
      if (!result.since) return std::unexpected("since is no moment such as 2026-11-23T00:00:00Z");
    } else if (key == "dry_run") {
      if (!value.is_boolean()) return std::unexpected("dry_run is neither true nor false");
      result.dry_run = value.get<bool>();
    } else {
      // Not passed over: a dry_run that is spelt wrong would ask the carriers.
      return std::unexpected("unknown key " + key);
    }
  }
  return result;
}

/// Of a resync that this process does not know, or not yet: a daemon before it may have ended it.
void recorded_progress(db::Executor& executor, std::int64_t resync_id, const ControlServer::Reply& reply) {
  using Record = std::optional<db::ResyncRecord>;
  executor.run<Record>(
      [resync_id](db::Session& session) { return db::find_resync_record(session, resync_id); },
      [resync_id, reply](const db::DbResult<Record>& record) {
        if (!record) return reply(database_failure(record.error()));
        if (!*record) return reply(failure(404, "there is no resync " + std::to_string(resync_id)));
        const db::ResyncRecord& found = **record;
        json progress{
            {"resync_id", resync_id},     {"target", found.target},
            {"finished", found.finished}, {"shipments", found.finished ? json(found.shipments) : json(nullptr)},
            {"done", found.shipments},    {"error", found.error}};
        reply({200, progress.dump(-1, ' ', false, json::error_handler_t::replace)});
      });
}

}  // namespace

void ControlHandlers::operator()(const ControlRequest& request, const ControlServer::Reply& reply) const {
  const auto target = request.query.find("target");
  if (request.path == "/status" && request.method == "GET")
    return target == request.query.end() ? status(reply) : shipments(target->second, reply);
  if (request.path == "/explain" && request.method == "GET")
    return explain(target == request.query.end() ? "" : target->second, reply);
  if (request.path == "/resync" && request.method == "POST") return resync(request, reply);
  if (request.path == "/resync" && request.method == "GET") return resync_progress(request, reply);
  if (request.path == "/try" && request.method == "POST") return try_carrier(request, reply);
  if (request.path == "/settle" && request.method == "POST") return settle_request(parts_->worker, request, reply);
  if (request.path == "/requests" && request.method == "POST")
    return insert_requests(parts_->executor, parts_->intake, parts_->runtime.now(), request, reply);
  if (request.path == "/requests/view" && request.method == "POST")
    return view_requests(parts_->executor, request, reply);
  if (request.path == "/reread" && request.method == "POST") return begin_reread(parts_->reread, request, reply);
  if (request.path == "/reread" && request.method == "GET") return reread_progress(parts_->reread, request, reply);
  if (request.path == "/erase" && request.method == "POST")
    return erase_order(parts_->runtime, parts_->executor, request, reply);
  if (request.path == "/forget" && request.method == "POST") return forget(request, reply);
  if (request.path == "/shadow" && request.method == "GET")
    return shadow_rows(parts_->runtime, parts_->poller, parts_->executor, request, reply);
  if (request.path == "/replay" && request.method == "POST") return replay_letters(parts_->sinks, request, reply);
  if (request.path == "/sinks/enable" && request.method == "POST") return enable_sink(parts_->sinks, request, reply);
  reply(failure(404, "no such call: " + request.method + " " + request.path));
}

bool ControlHandlers::database_trouble() const {
  return parts_->poller.database_trouble() || parts_->worker.database_trouble() || parts_->outbox.database_trouble() ||
         parts_->intake.database_trouble() || parts_->sinks.database_trouble();
}

StatusSources ControlHandlers::sources() const {
  StatusSources sources{
      parts_->poller,     parts_->worker,        parts_->outbox, parts_->resync,     parts_->sinks,
      parts_->started_at, parts_->runtime.now(), parts_->engine, database_trouble(), parts_->executor.statements()};
  sources.listener_trouble = parts_->listener_trouble();
  sources.files_trouble = parts_->files_trouble();
  return sources;
}

void ControlHandlers::status(const ControlServer::Reply& reply) const {
  std::erase_if(readers_->waiting, [](const auto& reader) { return !reader->reply; });
  const auto reader = std::make_shared<StatusReader>(reply);
  // Whoever asks how we are is not kept waiting by a database that hangs: that it does is the answer.
  ControlHandlers handlers = *this;
  handlers.readers_.reset();  // which holds the alarm
  reader->patience = parts_->runtime.alarm([handlers, asked = std::weak_ptr(reader)] {
    if (const auto still_there = asked.lock()) handlers.answer_status(*still_there, nullptr);
  });
  reader->patience->set(parts_->runtime.in(database_patience));
  readers_->waiting.push_back(reader);
  if (!readers_->reading) read_status();
}

void ControlHandlers::answer_status(StatusReader& reader, const StatusRows* rows) const {
  if (const auto reply = std::exchange(reader.reply, {})) reply({200, status_report(sources(), rows)});
}

// One reading at a time, for all who asked before it began: those who ask again and again while the database hangs
// leave no works behind, which everybody else would wait for when it is back.
void ControlHandlers::read_status() const {
  readers_->reading = true;
  parts_->executor.run<StatusRows>(read_status_rows, [handlers = *this, asked = std::exchange(readers_->waiting, {})](
                                                         const db::DbResult<StatusRows>& rows) {
    for (const auto& reader : asked) handlers.answer_status(*reader, rows ? &*rows : nullptr);
    handlers.readers_->reading = false;
    if (!handlers.readers_->waiting.empty()) handlers.read_status();
  });
}

void ControlHandlers::shipments(const std::string& text, const ControlServer::Reply& reply) const {
  const auto target = db::ResyncTarget::parse(text);
  using Kind = db::ResyncTarget::Kind;
  if (!target || target->kind == Kind::all) return reply(failure(400, "expected CARRIER:REMITO or order:N"));
  if (target->kind == Kind::carrier)
    return reply(failure(400, "expected CARRIER:REMITO or order:N, not a whole carrier"));
  using Found = std::pair<std::vector<db::ShipmentView>, std::vector<db::RequestView>>;
  parts_->executor.run<Found>(
      [target = *target](db::Session& session) -> db::DbResult<Found> {
        auto shipments = db::view_shipments(session, target);
        if (!shipments) return std::unexpected(shipments.error());
        const std::string order = target.kind == Kind::order ? target.value
                                  : shipments->empty()       ? std::string{}
                                                             : shipments->front().order_number;
        std::vector<db::RequestView> requests;
        if (!order.empty()) {
          auto found = db::view_requests(session, order);
          if (!found) return std::unexpected(found.error());
          requests = std::move(*found);
        }
        return Found{std::move(*shipments), std::move(requests)};
      },
      [parts = parts_, reply, text](db::DbResult<Found> found) {
        if (!found) return reply(database_failure(found.error()));
        if (found->first.empty() && found->second.empty()) return reply(failure(404, "nothing is known of " + text));
        reply({200, shipments_report(parts->poller, found->first, found->second)});
      });
}

void ControlHandlers::explain(const std::string& text, const ControlServer::Reply& reply) const {
  const auto target = db::ResyncTarget::parse(text);
  using Kind = db::ResyncTarget::Kind;
  if (!target || (target->kind != Kind::carrier && target->kind != Kind::shipment))
    return reply(failure(400, "expected CARRIER or CARRIER:REMITO"));
  const auto carrier = parts_->poller.carrier(target->carrier);
  if (!carrier) return reply(failure(400, "no carrier \"" + target->carrier + "\" is configured"));
  if (target->kind == Kind::carrier) return reply({200, explain_carrier_report(*carrier, parts_->runtime.now())});
  using Found = std::vector<db::ShipmentView>;
  parts_->executor.run<Found>(
      [target = *target](db::Session& session) { return db::view_shipments(session, target); },
      [parts = parts_, reply, text, name = target->carrier](const db::DbResult<Found>& found) {
        if (!found) return reply(database_failure(found.error()));
        if (found->empty()) return reply(failure(404, "nothing is known of " + text));
        reply({200, explain_shipments_report(*parts->poller.carrier(name), *found, parts->runtime.now())});
      });
}

void ControlHandlers::resync(const ControlRequest& request, const ControlServer::Reply& reply) const {
  auto wanted = parse_resync(request.body);
  if (!wanted) return reply(failure(400, wanted.error()));
  const bool known = wanted->target.carrier.empty() || parts_->poller.lane(wanted->target.carrier);
  if (!known) return reply(failure(400, "no carrier \"" + wanted->target.carrier + "\" is configured"));
  struct Begun {
    std::int64_t resync_id = 0;
    std::vector<db::ResyncScope> scope;
    std::string missing;
  };
  parts_->executor.run<Begun>(
      [wanted = *wanted, now = parts_->runtime.now()](db::Session& session) -> db::DbResult<Begun> {
        auto scope = db::find_resync_scope(session, wanted.target, wanted.since);
        if (!scope) return std::unexpected(scope.error());
        auto missing = db::find_missing_target(session, wanted.target, *scope);
        if (!missing) return std::unexpected(missing.error());
        Begun begun{0, std::move(*scope), std::move(*missing)};
        if (wanted.dry_run || begun.scope.empty()) return begun;
        auto inserted = db::insert_resync_request(session, wanted.target, wanted.since, now);
        if (!inserted) return std::unexpected(inserted.error());
        begun.resync_id = *inserted;
        return begun;
      },
      [parts = parts_, reply, wanted = *wanted](db::DbResult<Begun> begun) {
        if (!begun) return reply(database_failure(begun.error()));
        if (!begun->missing.empty()) return reply(failure(404, begun->missing));
        json carriers = json::object();
        for (const db::ResyncScope& one : begun->scope) carriers[one.carrier] = carriers.value(one.carrier, 0) + 1;
        parts->intake.wake();
        reply({200, json{{"resync_id", begun->resync_id == 0 ? json(nullptr) : json(begun->resync_id)},
                         {"target", wanted.target.to_string()},
                         {"shipments", begun->scope.size()},
                         {"carriers", std::move(carriers)},
                         {"dry_run", wanted.dry_run}}
                        .dump()});
      });
}

void ControlHandlers::forget(const ControlRequest& request, const ControlServer::Reply& reply) const {
  const auto out_of_its_lane = [parts = parts_](const std::string& carrier, std::int64_t shipment_id) {
    parts->poller.remove(carrier, std::vector{shipment_id});
  };
  forget_shipment(parts_->runtime, parts_->executor, request, out_of_its_lane, reply);
}

void ControlHandlers::try_carrier(const ControlRequest& request, const ControlServer::Reply& reply) const {
  const json wanted = parse_shallow_json(request.body);
  const bool well_formed = wanted.is_object() && wanted.size() == 2 && wanted.value("carrier", json()).is_string() &&
                           wanted.value("remito", json()).is_string();
  if (!well_formed) return reply(failure(400, R"(expected {"carrier": "NAME", "remito": "..."})"));
  const auto carrier = wanted["carrier"].get<std::string>();
  if (!parts_->trials.profile(carrier)) return reply(failure(400, "no carrier \"" + carrier + "\" is configured"));
  parts_->trials.track(carrier, wanted["remito"].get<std::string>(),
                       [reply](std::string trial) { reply({200, std::move(trial)}); });
}

void ControlHandlers::resync_progress(const ControlRequest& request, const ControlServer::Reply& reply) const {
  std::int64_t resync_id = 0;
  const auto id = request.query.find("id");
  if (id != request.query.end()) std::from_chars(id->second.data(), id->second.data() + id->second.size(), resync_id);
  const auto progress = parts_->resync.progress(resync_id);
  if (!progress) return recorded_progress(parts_->executor, resync_id, reply);
  json resting = json::array();
  for (const std::string& carrier : progress->carriers)
    if (const scheduler::Lane* lane = parts_->poller.lane(carrier);
        lane && lane->resting_until() > parts_->runtime.now())
      resting.push_back(json{{"carrier", carrier}, {"until", to_iso8601(lane->resting_until())}});
  reply({200, json{{"resync_id", progress->resync_id},
                   {"target", progress->target},
                   {"shipments", progress->shipments},
                   {"done", progress->done},
                   {"finished", progress->finished},
                   {"error", progress->error},
                   {"waiting_for", progress->carriers},
                   {"resting", std::move(resting)}}
                  .dump(-1, ' ', false, json::error_handler_t::replace)});
}

}  // namespace remitod::daemon
