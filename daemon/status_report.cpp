#include "daemon/status_report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "daemon/remito_control.h"
#include "daemon/sink_control.h"
#include "daemon/sink_event.h"
#include "daemon/suggested_rule.h"

namespace remitod::daemon {
namespace {

// So soon a carrier that asked to be left alone is asked again that nobody has to know.
constexpr std::chrono::minutes short_rest{1};

using nlohmann::json;

json moment(Instant at) {
  return at == Instant{} ? json(nullptr) : json(to_iso8601(at));
}
json moment(const std::optional<Instant>& at) {
  return at ? moment(*at) : json(nullptr);
}

// Of the last day; null where the schedule has none.
json budget_report(const std::optional<scheduler::LaneStatus::BudgetOfDay>& budget) {
  if (!budget) return nullptr;
  json result = {
      {"requests_used", std::llround(budget->used)}, {"requests_allowed", nullptr}, {"requests_left", nullptr}};
  if (budget->allowed) {
    result["requests_allowed"] = std::llround(*budget->allowed);
    result["requests_left"] = std::llround(*budget->allowed - budget->used);
  }
  return result;
}

json quotas_report(const std::vector<scheduler::QuotaLeft>& quotas) {
  json result = json::array();
  for (const scheduler::QuotaLeft& quota : quotas)
    result.push_back({{"period", scheduler::name(quota.period)},
                      {"requests_max", quota.requests_max},
                      {"requests_left", quota.left}});
  return result;
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
          {"hold", lane.hold.kind == scheduler::Hold::Kind::none ? "" : scheduler::name(lane.hold.kind)},
          {"hold_until", moment(lane.hold.until)},
          {"failures_in_row", lane.failures_in_row},
          {"resync_left", lane.resync_left},
          {"budget", budget_report(lane.budget)},
          {"quotas", quotas_report(lane.quotas)},
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
          {"ahead", counters.ahead},
          {"over_limit", counters.over_limit},
          {"last_answer_at", moment(counters.last_answer_at)},
          {"login_trouble", carrier.access.login_trouble()},
          {"last_error", counters.last_error},
          {"last_error_at", moment(counters.last_error_at)}};
}

std::string_view shipment_label(std::string_view word) {
  const auto status = status_from(word);
  return status ? label(*status) : "";
}

json counts(const std::vector<db::CarrierCounts>& rows, const char* what,
            std::string_view (*label_of)(std::string_view)) {
  json result = json::array();
  for (const db::CarrierCounts& row : rows)
    result.push_back(
        {{"carrier", row.carrier}, {what, row.status}, {"label", label_of(row.status)}, {"count", row.shipments}});
  return result;
}

std::string_view reason_label(std::string_view word) {
  const auto reason = reason_from(word);
  return reason ? label(*reason) : "";
}

json transition_report(const db::Transition& transition) {
  return {{"seq", transition.seq == 0 ? json(nullptr) : json(transition.seq)},
          {"from", transition.from},
          {"from_label", transition_label(transition.from)},
          {"to", transition.to},
          {"label", transition_label(transition.to)},
          {"reason", transition.reason},
          {"reason_label", reason_label(transition.reason)},
          {"attempt", transition.attempt},
          {"text", transition.text},
          {"occurred_at", moment(transition.occurred_at)},
          {"detected_at", moment(transition.detected_at)},
          {"inferred", transition.inferred},
          {"late", transition.late},
          {"correction", transition.correction},
          {"backfill", transition.backfill},
          {"shadow", transition.shadow}};
}

json event_report(const db::KnownEvent& known) {
  const TrackingEvent& event = known.event;
  return {{"code", event.code},
          {"text", event.text},
          {"status", name(event.status)},
          {"label", label(event.status)},
          {"reason", name(event.reason)},
          {"reason_label", label(event.reason)},
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
                 {"reason_label", reason_label(view.reason)},
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

/// Nothing while it may still be a moment's trouble. Polls may know nothing of it: there may be none to make.
std::optional<Trouble> unsent_trouble(const std::string& carrier,
                                      const std::vector<db::Overview::UnsentRequest>& requests, Instant now) {
  constexpr std::chrono::minutes patience{2};
  std::int64_t count = 0;
  Instant since{};
  std::string why;
  for (const db::Overview::UnsentRequest& request : requests) {
    if (request.carrier != carrier) continue;
    if (++count == 1) since = request.accepted_at;
    if (why.empty()) why = request.refusal_text;
  }
  if (count == 0 || now - since < patience) return std::nullopt;
  std::string text = "carrier " + carrier + ": " + std::to_string(count) + " request(s) for remitos not sent since " +
                     to_iso8601(since) + (why.empty() ? "" : ": " + why);
  return Trouble{"remitos_unsent", carrier, std::move(why), count, std::move(text)};
}

/// Mostly what the carrier tells of the shipment decides soon.
std::optional<Trouble> open_cancels_trouble(const db::Overview::OpenCancels& open, Instant now) {
  constexpr std::chrono::minutes patience{15};
  if (now - open.accepted_at < patience) return std::nullopt;
  std::string text = "carrier " + open.carrier + ": " + std::to_string(open.count) +
                     " cancellation(s) without an end since " + to_iso8601(open.accepted_at) +
                     (open.refusal_text.empty() ? "" : ": " + open.refusal_text);
  return Trouble{"cancels_open", open.carrier, open.refusal_text, open.count, std::move(text)};
}

// What a person should look at, first things first.
std::vector<Trouble> find_trouble(const StatusSources& sources, const StatusRows* rows) {
  std::vector<Trouble> found;
  // A merchant waits for each of these, and only a person can help.
  if (rows) {
    for (const db::RequestView& request : rows->overview.needs_operator)
      found.push_back(
          {"needs_operator", request.carrier, request.refusal_text, request.request_id, settle_hint(request)});
    for (const db::CancelForPeople& cancel : rows->cancels)
      found.push_back({"cancel", cancel.carrier, cancel.refusal_text, 1,
                       "has carrier " + cancel.carrier + " cancelled " + cancel.remito + " (order " +
                           cancel.order_number + ")? Ask it; another row in cancel_requests asks it again. " +
                           cancel.refusal_text});
  }
  if (sources.database_trouble || !rows)
    found.push_back({"database", "", "", 0, "the database does not answer: polling pauses until it does"});
  for (const Poller::CarrierView& carrier : sources.poller.carriers()) {
    const std::string& name = carrier.lane.config().carrier;
    const std::string& error = carrier.counters.last_error;
    if (const std::string login = carrier.access.login_trouble(); !login.empty())
      found.push_back({"login", name, login, 0, "carrier " + name + " does not let us in: " + login});
    else if (carrier.lane.status(sources.now).is_failing())
      found.push_back({"carrier", name, error, 0, "carrier " + name + " fails: " + error});
    if (const Instant rest = carrier.lane.orders_resting_until(); rest > sources.now + short_rest)
      found.push_back(
          {"orders_rest", name, to_iso8601(rest), 0,
           "carrier " + name + " takes no requests for remitos or cancellations until " + to_iso8601(rest)});
    if (!rows) continue;
    if (auto unsent = unsent_trouble(name, rows->overview.unsent, sources.now)) found.push_back(*std::move(unsent));
  }
  if (rows)
    for (const db::Overview::OpenCancels& open : rows->overview.open_cancels)
      if (auto trouble = open_cancels_trouble(open, sources.now)) found.push_back(*std::move(trouble));
  std::ranges::copy(sources.files_trouble, std::back_inserter(found));
  std::ranges::move(sinks_trouble(sources.sinks, rows ? &rows->sinks : nullptr), std::back_inserter(found));
  if (const auto orphans = static_cast<std::int64_t>(sources.poller.orphans()); orphans != 0)
    found.push_back(
        {"orphans", "", "", orphans, std::to_string(orphans) + " shipment(s) of carriers that are not configured"});
  if (sources.listener_trouble) found.push_back(*sources.listener_trouble);
  return found;
}

json trouble_report(const Trouble& trouble) {
  return {{"kind", trouble.kind},
          {"subject", trouble.subject},
          {"why", trouble.why},
          {"count", trouble.count},
          {"text", trouble.text}};
}

json unmapped_report(const db::UnmappedCode& code) {
  return {{"carrier", code.carrier},
          {"code", code.code},
          {"text", code.text},
          {"seen", code.seen},
          {"last_seen", moment(code.last_seen)},
          {"rule", suggested_rule(code.code, code.text)}};
}

}  // namespace

db::DbResult<StatusRows> read_status_rows(db::Session& session) {
  auto overview = db::overview(session);
  if (!overview) return std::unexpected(overview.error());
  auto sinks = db::view_sinks(session);
  if (!sinks) return std::unexpected(sinks.error());
  auto cancels = db::cancels_for_people(session);
  if (!cancels) return std::unexpected(cancels.error());
  auto open_requests = db::open_requests(session);
  if (!open_requests) return std::unexpected(open_requests.error());
  auto retention = db::retention_results(session);
  if (!retention) return std::unexpected(retention.error());
  return StatusRows{std::move(*overview), std::move(*cancels), std::move(*sinks), std::move(*open_requests),
                    std::move(*retention)};
}

std::string status_report(const StatusSources& sources, const StatusRows* rows) {
  const db::Overview* overview = rows ? &rows->overview : nullptr;
  const std::vector<Trouble> trouble = find_trouble(sources, rows);
  json degraded = json::array(), troubles = json::array();
  for (const Trouble& one : trouble) {
    degraded.push_back(one.text);
    troubles.push_back(trouble_report(one));
  }
  json result = {
      {"version", REMITOD_VERSION},
      {"now", moment(sources.now)},
      {"sampled_at", moment(sources.sampled_at)},
      {"started_at", moment(sources.started_at)},
      {"ok", trouble.empty()},
      {"degraded", std::move(degraded)},
      {"trouble", std::move(troubles)},
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
                       {"unsent", remitos.unsent},
                       {"adopted", remitos.adopted},
                       {"resent", remitos.resent},
                       {"needs_operator", remitos.needs_operator}};
  result["sinks"] = sinks_report(sources.sinks, rows ? &rows->sinks : nullptr, overview ? overview->last_seq : 0);
  if (!overview) return result.dump(-1, ' ', false, json::error_handler_t::replace);
  result["open_shipments"] = counts(overview->open_shipments, "status", shipment_label);
  result["requests"] = counts(overview->requests, "state", request_label);
  result["needs_operator"] = json::array();
  for (const db::RequestView& request : overview->needs_operator)
    result["needs_operator"].push_back(request_report(request));
  result["oldest_pending_request"] = moment(overview->oldest_pending_request);
  result["transitions"] = {{"last_seq", overview->last_seq}, {"without_seq", overview->transitions_without_seq}};
  result["unmapped"] = json::array();
  for (const db::UnmappedCode& code : overview->unmapped) result["unmapped"].push_back(unmapped_report(code));
  result["open_requests"] = json::array();
  for (const db::OpenRequests& row : rows->open_requests)
    result["open_requests"].push_back({{"carrier", row.carrier},
                                       {"state", row.state},
                                       {"count", row.requests},
                                       {"oldest_requested_at", moment(row.oldest_requested_at)}});
  result["retention"] = json::array();
  for (const db::RetentionResult& row : rows->retention)
    result["retention"].push_back({{"kind", row.kind},
                                   {"removed", row.removed},
                                   {"removed_ever", row.removed_ever},
                                   {"kept", row.kept},
                                   {"done_at", moment(row.done_at)}});
  return result.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string shipments_report(const Poller& poller, const std::vector<db::ShipmentView>& shipments,
                             const std::vector<db::RequestView>& requests) {
  json result = {{"shipments", json::array()}, {"requests", json::array()}};
  for (const db::ShipmentView& view : shipments) result["shipments"].push_back(shipment_report(poller, view));
  for (const db::RequestView& view : requests) result["requests"].push_back(request_report(view));
  return result.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace remitod::daemon
