#include "daemon/sink_event.h"

#include <nlohmann/json.hpp>

namespace remitod::daemon {
namespace {

using Json = nlohmann::ordered_json;

// A URI-reference: it tells ours from events of other programs at one receiver.
constexpr std::string_view source = "/remitod";

std::string_view reason_label(std::string_view reason) {
  const auto known = reason_from(reason);
  return known ? label(*known) : "";
}

// What the event is about, as --status takes it.
std::string subject(const db::Transition& transition) {
  return transition.subject == "shipment" ? transition.carrier + ":" + transition.remito
                                          : "order:" + transition.order_number;
}

}  // namespace

std::string event_id(const db::Transition& transition) {
  return std::to_string(transition.id);
}

std::string cloud_event(const db::ToldTransition& transition) {
  const Json data{
      {"seq", transition.seq},
      {"subject", transition.subject},
      {"order_number", transition.order_number},
      {"parcel_group", transition.parcel_group},
      {"carrier", transition.carrier},
      {"remito", transition.remito},
      {"cycle", transition.cycle},
      {"from_status", transition.from},
      {"to_status", transition.to},
      {"label", transition_label(transition.to)},
      {"reason", transition.reason},
      {"reason_label", reason_label(transition.reason)},
      {"attempt", transition.attempt},
      {"code", transition.code},
      {"text", transition.text},
      {"place", transition.place},
      {"occurred_at", transition.occurred_at ? Json(to_iso8601(*transition.occurred_at)) : Json(nullptr)},
      {"zone_source", transition.zone_source},
      {"date_only", transition.date_only},
      {"detected_at", to_iso8601(transition.detected_at)},
      {"inferred", transition.inferred},
      {"late", transition.late},
      {"correction", transition.correction},
      {"backfill", transition.backfill},
  };
  const Json event{
      {"specversion", "1.0"},
      {"id", event_id(transition)},
      {"source", source},
      {"type", "remitod." + transition.subject + "." + transition.to},
      {"subject", subject(transition)},
      {"time", to_iso8601(transition.detected_at)},
      {"partitionkey", order_key(transition)},
      {"datacontenttype", "application/json"},
      {"data", data},
  };
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string order_key(const db::Transition& transition) {
  return transition.order_number + "/" + std::to_string(transition.parcel_group);
}

std::string_view transition_label(std::string_view status) {
  if (status == "confirmed") return "Confirmado";
  if (status == "ready_to_ship") return "Listo para Enviar";
  if (status == "remito_refused") return "Remito rechazado";
  const auto known = status_from(status);
  return known ? label(*known) : "";
}

}  // namespace remitod::daemon
