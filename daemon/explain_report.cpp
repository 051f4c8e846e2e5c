#include "daemon/explain_report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "scheduler/lane_explain.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;
using scheduler::LaneExplanation;
using scheduler::ShipmentExplanation;

json moment(Instant at) {
  return at == Instant{} ? json(nullptr) : json(to_iso8601(at));
}
json moment(const std::optional<Instant>& at) {
  return at ? moment(*at) : json(nullptr);
}

/// What nobody needs to the last digit.
double rounded(double value, double digits = 1000) {
  return std::round(value * digits) / digits + 0.0;  // not "-0.0"
}

std::string clock(std::chrono::minutes of_day) {
  const auto two = [](std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return two(of_day.count() / 60) + ":" + two(of_day.count() % 60);
}

std::string_view mode_of(const LaneExplanation& told) {
  if (told.adaptive) return "adaptive";
  return told.interval == std::chrono::hours{1} ? "hourly" : "fixed";
}

json stated_budget(const scheduler::ScheduleConfig::Budget& budget) {
  return {{"share_of_hourly",
           budget.requests_a_day || budget.target_delay ? json(nullptr) : json(budget.share_of_hourly.value_or(1))},
          {"requests_a_day", budget.requests_a_day ? json(*budget.requests_a_day) : json(nullptr)},
          {"target_delay_min",
           budget.target_delay ? json(static_cast<double>(budget.target_delay->count()) / 60) : json(nullptr)}};
}

json budget_report(const LaneExplanation& told) {
  // A wished delay allows what it takes.
  const bool is_limited = !told.budget.target_delay;
  const auto spent = [is_limited](double used, double allowed) {
    return json{{"used", rounded(used, 1)},
                {"allowed", is_limited ? json(rounded(allowed, 1)) : json(nullptr)},
                {"left", is_limited ? json(rounded(allowed - used, 1)) : json(nullptr)}};
  };
  return {{"stated", stated_budget(told.budget)},
          {"poll_price_min", rounded(told.prices.poll)},
          {"request_price_min", rounded(told.prices.request)},
          {"polls", spent(told.spent.polls, told.spent.polls_allowed)},
          {"requests", spent(told.spent.requests, told.spent.requests_allowed)}};
}

json learned_report(const LaneExplanation& told) {
  json curve = json::array();
  for (const float share : told.curve) curve.push_back(rounded(double{share}, 1e6));
  json peaks = json::array();
  for (const LaneExplanation::Peak& peak : told.peaks)
    peaks.push_back({{"from", clock(peak.from)}, {"to", clock(peak.to)}, {"share", rounded(peak.share)}});
  return {{"statuses_seen", told.waits},
          {"planned_at", moment(told.planned)},
          {"follows", told.follows},
          {"drifting", told.drifting},
          {"peaks", std::move(peaks)},
          {"curve", {{"slot_min", 10}, {"from", "Monday 00:00"}, {"shares", std::move(curve)}}}};
}

json batches_report(const LaneExplanation::Batches& batches) {
  json sweeps = json::array();
  for (const std::chrono::minutes sweep : batches.sweeps) sweeps.push_back(sweep.count());
  return {{"found", batches.found},
          {"since", moment(batches.since)},
          {"last", moment(batches.last)},
          {"awaited_from", moment(batches.awaited_from)},
          {"next_look", moment(batches.next_look)},
          {"under_way", batches.under_way},
          {"statuses", rounded(batches.size, 10)},
          {"gap_hours", rounded(batches.gap_hours, 100)},
          {"stragglers", rounded(batches.stragglers)},
          {"sentinels", batches.sentinels},
          {"sweeps_min", std::move(sweeps)}};
}

json delays_report(const LaneExplanation& told) {
  return {{"days", LaneExplanation::delay_days},
          {"statuses", told.delays.statuses},
          {"mean_min", rounded(told.delays.mean, 10)},
          {"mean_error_min", rounded(told.delays.mean_error, 10)},
          {"mean_at_most_min", rounded(told.delays.mean_max, 10)},
          {"within_10_min", rounded(told.delays.within_10)}};
}

json lane_report(const Poller::CarrierView& carrier, const LaneExplanation& told, Instant now) {
  const scheduler::LaneStatus lane = carrier.lane.status(now);
  return {{"carrier", carrier.lane.config().carrier},
          {"title", carrier.profile.title()},
          {"zone", carrier.profile.zone()},
          {"mode", mode_of(told)},
          {"interval_s", told.adaptive ? json(nullptr) : json(told.interval.count())},
          {"max_interval_s", told.adaptive ? json(told.max_interval.count()) : json(nullptr)},
          {"shipments", told.shipments},
          {"due", lane.due},
          {"next_due", moment(lane.next_due)},
          {"breaker", scheduler::name(lane.breaker)},
          {"resting_until", moment(lane.resting_until)},
          {"last_error", carrier.counters.last_error},
          {"held_by", scheduler::name(lane.hold.kind)},
          {"held_until", moment(lane.hold.until)}};
}

json shipment_report(const scheduler::Lane& lane, const db::ShipmentView& view, Instant now) {
  json result{{"remito", view.shipment.remito},
              {"order_number", view.order_number},
              {"status", view.status},
              {"label", nullptr},
              {"followed", false}};
  if (const auto status = status_from(view.status)) result["label"] = label(*status);
  const auto slot = lane.find(view.shipment.shipment_id);
  if (!slot) return result;
  const ShipmentExplanation told = lane.explain(*slot, now);
  result.update({{"followed", true},
                 {"status_since", moment(lane.status_since(*slot))},
                 {"last_asked", moment(lane.last_asked(*slot))},
                 {"next_due", moment(told.next_due)},
                 {"because", scheduler::name(told.because)},
                 {"waits_like", told.stage},
                 {"at_the_latest", moment(told.longest)},
                 {"may_ride_from", moment(told.may_ride_from)},
                 {"next_look_at_carrier", moment(told.next_round)},
                 {"chance_now", rounded(told.chance_now)},
                 {"chance_then", rounded(told.chance_then)},
                 {"poll_price_min", rounded(told.price_minutes)}});
  return result;
}

}  // namespace

std::string explain_carrier_report(const Poller::CarrierView& carrier, Instant now) {
  const LaneExplanation told = carrier.lane.explain(now);
  json result = lane_report(carrier, told, now);
  if (told.adaptive) {
    result["learned"] = learned_report(told);
    result["batches"] = batches_report(told.batches);
    result["budget"] = budget_report(told);
    result["delays"] = delays_report(told);
  }
  return result.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string explain_shipments_report(const Poller::CarrierView& carrier, const std::vector<db::ShipmentView>& shipments,
                                     Instant now) {
  json result = lane_report(carrier, carrier.lane.explain(now), now);
  result["shipments_explained"] = json::array();
  for (const db::ShipmentView& view : shipments)
    result["shipments_explained"].push_back(shipment_report(carrier.lane, view, now));
  return result.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace remitod::daemon
