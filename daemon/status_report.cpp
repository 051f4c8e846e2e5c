#include "daemon/status_report.h"

#include <nlohmann/json.hpp>

namespace remitod::daemon {
namespace {

using nlohmann::json;

json moment(Instant at) {
  return at == Instant{} ? json(nullptr) : json(to_iso8601(at));
}
json moment(const std::optional<Instant>& at) {
  return at ? moment(*at) : json(nullptr);
}

json carrier_report(const Poller::CarrierView& carrier, Instant now) {
  const scheduler::LaneStatus lane = carrier.lane.status(now);
  const PollCounters& counters = carrier.counters;
  return {{"carrier", carrier.lane.config().carrier},
          {"title", carrier.profile.title()},
          {"shipments", lane.shipments},
          {"due", lane.due},
          {"in_flight", lane.in_flight},
          {"waiting_for_commit", carrier.waiting_for_commit},
          {"next_due", moment(lane.next_due)},
          {"breaker", scheduler::name(lane.breaker)},
          {"resting_until", moment(lane.resting_until)},
          {"failures_in_row", lane.failures_in_row},
          {"resync_left", lane.resync_left},
          {"requests", counters.requests},
          {"polls", counters.polls},
          {"unchanged", counters.unchanged},
          {"transitions", counters.transitions},
          {"failed_requests", counters.failed_requests},
          {"wrong_rows", counters.wrong_rows},
          {"missing", counters.missing},
          {"extra", counters.extra},
          {"unmapped", counters.unmapped},
          {"noise", counters.noise},
          {"too_old", counters.too_old},
          {"last_answer_at", moment(counters.last_answer_at)},
          {"last_error", counters.last_error},
          {"last_error_at", moment(counters.last_error_at)}};
}

json counts(const std::vector<db::CarrierCounts>& rows, const char* what) {
  json result = json::array();
  for (const db::CarrierCounts& row : rows)
    result.push_back({{"carrier", row.carrier}, {what, row.status}, {"count", row.shipments}});
  return result;
}

json transition_report(const db::Transition& transition) {
  const auto status = status_from(transition.to);
  return {{"seq", transition.seq == 0 ? json(nullptr) : json(transition.seq)},
          {"from", transition.from},
          {"to", transition.to},
          {"label", status ? label(*status) : ""},
          {"reason", transition.reason},
          {"attempt", transition.attempt},
          {"text", transition.text},
          {"occurred_at", moment(transition.occurred_at)},
          {"detected_at", moment(transition.detected_at)},
          {"inferred", transition.inferred},
          {"late", transition.late},
          {"correction", transition.correction}};
}

json event_report(const db::KnownEvent& known) {
  const TrackingEvent& event = known.event;
  return {{"code", event.code},
          {"text", event.text},
          {"status", name(event.status)},
          {"reason", name(event.reason)},
          {"occurred_at", event.occurred_at ? json(to_iso8601(event.occurred_at->at)) : json(nullptr)},
          {"date_only", event.occurred_at && event.occurred_at->date_only},
          {"place", event.place},
          {"detected_at", moment(known.detected_at)},
          {"baseline", known.baseline}};
}

json shipment_report(const Poller& poller, const db::ShipmentView& view) {
  json result = {{"carrier", view.shipment.carrier},
                 {"remito", view.shipment.remito},
                 {"cycle", view.cycle},
                 {"shipment_id", view.shipment.shipment_id},
                 {"order_number", view.order_number},
                 {"parcel_group", view.parcel_group},
                 {"status", view.status},
                 {"reason", view.reason},
                 {"attempts_failed", view.attempts_failed},
                 {"baseline", view.baseline},
                 {"registered_at", moment(view.shipment.registered_at)},
                 {"ended_at", moment(view.ended_at)},
                 {"last_asked", nullptr},
                 {"next_due", nullptr}};
  if (const auto status = status_from(view.status)) result["label"] = label(*status);
  if (const scheduler::Lane* lane = poller.lane(view.shipment.carrier))
    if (const auto slot = lane->find(view.shipment.shipment_id)) {
      result["last_asked"] = moment(lane->last_asked(*slot));
      result["next_due"] = moment(lane->next_due(*slot));
    }
  for (const db::KnownEvent& event : view.events) result["events"].push_back(event_report(event));
  for (const db::Transition& transition : view.transitions)
    result["transitions"].push_back(transition_report(transition));
  return result;
}

// What a person should look at, first things first.
json trouble(const StatusSources& sources, const db::Overview* overview) {
  json result = json::array();
  if (sources.database_trouble || !overview)
    result.push_back("the database does not answer: polling pauses until it does");
  for (const Poller::CarrierView& carrier : sources.poller.carriers())
    if (carrier.lane.breaker() != scheduler::BreakerState::closed)
      result.push_back("carrier " + carrier.lane.config().carrier + " fails: " + carrier.counters.last_error);
  if (overview)
    for (const db::CarrierCounts& row : overview->requests)
      if (row.status == "unknown" && row.shipments != 0)
        result.push_back(std::to_string(row.shipments) + " remito request(s) of carrier " + row.carrier +
                         " ended without a clear answer: ask the carrier whether the shipment exists");
  if (sources.poller.orphans() != 0)
    result.push_back(std::to_string(sources.poller.orphans()) + " shipment(s) of carriers that are not configured");
  return result;
}

}  // namespace

std::string status_report(const StatusSources& sources, const db::Overview* overview) {
  json degraded = trouble(sources, overview);
  json result = {
      {"version", REMITOD_VERSION},
      {"now", moment(sources.now)},
      {"started_at", moment(sources.started_at)},
      {"ok", degraded.empty()},
      {"degraded", std::move(degraded)},
      {"database",
       {{"engine", sources.engine}, {"ok", !sources.database_trouble && overview}, {"statements", sources.statements}}},
      {"carriers", json::array()},
      {"resyncs_under_way", sources.resync.under_way()}};
  for (const Poller::CarrierView& carrier : sources.poller.carriers())
    result["carriers"].push_back(carrier_report(carrier, sources.now));
  const RemitoCounters& remitos = sources.worker.counters();
  result["remitos"] = {{"granted", remitos.granted},
                       {"refused", remitos.refused},
                       {"unknown", remitos.unknown},
                       {"unsent", remitos.unsent}};
  if (!overview) return result.dump(-1, ' ', false, json::error_handler_t::replace);
  result["open_shipments"] = counts(overview->open_shipments, "status");
  result["requests"] = counts(overview->requests, "state");
  result["oldest_pending_request"] = moment(overview->oldest_pending_request);
  result["transitions"] = {{"last_seq", overview->last_seq}, {"without_seq", overview->transitions_without_seq}};
  result["unmapped"] = json::array();
  for (const db::UnmappedCode& code : overview->unmapped)
    result["unmapped"].push_back({{"carrier", code.carrier},
                                  {"code", code.code},
                                  {"text", code.text},
                                  {"seen", code.seen},
                                  {"last_seen", moment(code.last_seen)}});
  return result.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string shipments_report(const Poller& poller, const std::vector<db::ShipmentView>& shipments,
                             const std::vector<db::RequestView>& requests) {
  json result = {{"shipments", json::array()}, {"requests", json::array()}};
  for (const db::ShipmentView& view : shipments) result["shipments"].push_back(shipment_report(poller, view));
  for (const db::RequestView& view : requests)
    result["requests"].push_back({{"request_id", view.request_id},
                                  {"request_key", view.request_key},
                                  {"order_number", view.order_number},
                                  {"parcel_group", view.parcel_group},
                                  {"carrier", view.carrier},
                                  {"state", view.state},
                                  {"remito", view.remito},
                                  {"refusal_code", view.refusal_code},
                                  {"refusal_text", view.refusal_text},
                                  {"attempts", view.attempts},
                                  {"requested_at", moment(view.requested_at)},
                                  {"settled_at", moment(view.settled_at)}});
  return result.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace remitod::daemon
