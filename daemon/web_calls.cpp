#include "daemon/web_calls.h"

#include <nlohmann/json.hpp>

#include <utility>

#include "daemon/status_report.h"
#include "daemon/web_gate.h"
#include "db/gauges.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

// So many calls of the listener may be with the database, whose other works a merchant waits for.
constexpr std::size_t lookups_max = 16;
constexpr std::size_t answers_max = 20;  ///< of one shipment, the newest

WebAnswer ok(const json& body) {
  return {200, "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

std::string parameter(const WebRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string{} : found->second;
}

}  // namespace

void WebCalls::operator()(const WebRequest& request, const WebListener::Reply& reply) const {
  // That this is answered is what it says: the deciding thread goes round. A dead carrier or database is no hang.
  if (request.path == "/healthz") return reply({200, "text/plain", "ok\n"});
  if (request.path == "/readyz") return reply(readiness());
  // Whatever else is in the query: only the sampler reads the whole overview, seldom enough for the database.
  if (request.path == "/status" && !request.query.contains("target")) return reply(overview());
  if (request.path == "/metrics") return reply(metrics());
  if (request.path == "/activity") return reply(activity(request));
  if (!may_look_up(reply)) return;
  const WebListener::Reply counted = [lookups = lookups_, reply](WebAnswer answer) {
    --*lookups;
    reply(std::move(answer));
  };
  ++*lookups_;
  if (request.path == "/find") return find(request, counted);
  if (request.path == "/answers") return answers(request, counted);
  parts_.handlers(request, [counted](ControlAnswer answer) {
    counted({answer.status, "application/json", std::move(answer.body)});
  });
}

bool WebCalls::may_look_up(const WebListener::Reply& reply) const {
  if (*lookups_ < lookups_max) return true;
  WebAnswer answer = web_failure(503, "too many others are asking: try again in a moment");
  answer.headers.emplace_back("Retry-After", "1");
  reply(std::move(answer));
  return false;
}

WebAnswer WebCalls::readiness() const {
  std::vector<std::string> reasons = parts_.not_working();
  if (!parts_.sampler.database_answers() || parts_.handlers.database_trouble())
    reasons.emplace_back("the database does not answer");
  const json body{{"ready", reasons.empty()}, {"reasons", reasons}};
  return {reasons.empty() ? 200 : 503, "application/json", body.dump()};
}

WebAnswer WebCalls::overview() const {
  const auto& sample = parts_.sampler.last();
  StatusSources sources = parts_.handlers.sources();
  sources.database_trouble |= !parts_.sampler.database_answers();
  if (sample) sources.sampled_at = sample->at;
  return {200, "application/json", status_report(sources, sample ? &sample->rows : nullptr)};
}

WebAnswer WebCalls::metrics() const {
  const StatusSources sources = parts_.handlers.sources();
  auto families = parts_.metrics.collect({sources, parts_.sampler, parts_.executor, parts_.last_reload()});
  WebAnswer answer{200, metrics_content_type, ""};
  answer.spell = [families = std::move(families)] { return metrics_text(families); };
  return answer;
}

WebAnswer WebCalls::activity(const WebRequest& request) const {
  const std::string carrier = parameter(request, "target");
  if (!parts_.poller.lane(carrier)) return web_failure(404, "no carrier \"" + carrier + "\" is configured");
  json spans = json::array();
  for (const ActivityLog::Span& span : parts_.activity.of(carrier))
    spans.push_back({{"begins_at", to_iso8601(span.begins_at)},
                     {"requests", span.counts.requests},
                     {"polls", span.counts.polls},
                     {"failed_requests", span.counts.failed_requests},
                     {"transitions", span.counts.transitions}});
  const auto span_s = std::chrono::seconds(ActivityLog::span_length).count();
  return ok({{"carrier", carrier}, {"span_s", span_s}, {"spans", std::move(spans)}});
}

// Whoever looks has a number in hand and does not know of what: an order, or a remito of one carrier or several.
void WebCalls::find(const WebRequest& request, const WebListener::Reply& reply) const {
  struct Found {
    bool order = false;
    std::vector<std::string> carriers;
  };
  std::string text = parameter(request, "text");
  if (text.empty()) return reply(web_failure(400, "expected ?text=NUMBER"));
  std::vector<std::string> carriers;
  for (const Poller::CarrierView& carrier : parts_.poller.carriers()) carriers.push_back(carrier.lane.config().carrier);
  parts_.executor.run<Found>(
      [text, carriers = std::move(carriers)](db::Session& session) -> db::DbResult<Found> {
        auto shipments = db::view_shipments(session, {db::ResyncTarget::Kind::order, "", text});
        if (!shipments) return std::unexpected(shipments.error());
        auto requests = db::view_requests(session, text);
        if (!requests) return std::unexpected(requests.error());
        auto found = db::carriers_of_remito(session, carriers, text);
        if (!found) return std::unexpected(found.error());
        return Found{!shipments->empty() || !requests->empty(), std::move(*found)};
      },
      [reply, text](db::DbResult<Found> found) {
        if (!found) return reply(web_failure(503, "the database does not answer: " + found.error().message));
        json targets = json::array();
        if (found->order) targets.push_back("order:" + text);
        for (const std::string& carrier : found->carriers) targets.push_back(carrier + ":" + text);
        reply(ok({{"targets", std::move(targets)}}));
      });
}

void WebCalls::answers(const WebRequest& request, const WebListener::Reply& reply) const {
  const auto target = db::ResyncTarget::parse(parameter(request, "target"));
  if (!target || target->kind != db::ResyncTarget::Kind::shipment)
    return reply(web_failure(400, "expected ?target=CARRIER:REMITO"));
  using Answers = std::vector<db::KeptAnswer>;
  parts_.executor.run<Answers>(
      [target = *target](db::Session& session) {
        return db::kept_answers(session, target.carrier, target.value, answers_max);
      },
      [reply](db::DbResult<Answers> kept) {
        if (!kept) return reply(web_failure(503, "the database does not answer: " + kept.error().message));
        json answers = json::array();
        for (const db::KeptAnswer& answer : *kept)
          answers.push_back({{"kept_at", to_iso8601(answer.kept_at)},
                             {"operation", answer.operation},
                             {"why", answer.why},
                             {"http_status", answer.http_status},
                             {"content_type", answer.content_type},
                             {"body", answer.body}});
        reply(ok({{"answers", std::move(answers)}}));
      });
}

}  // namespace remitod::daemon
