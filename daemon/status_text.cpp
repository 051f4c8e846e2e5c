#include "daemon/status_text.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/log.h"
#include "daemon/text_table.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

void print_shipment(std::ostream& out, const json& shipment) {
  out << shown(shipment, "carrier") << ':' << shown(shipment, "remito") << "  order " << shown(shipment, "order_number")
      << "  " << shown_with_label(shipment, "status");
  if (shown(shipment, "reason") != "-") out << ", " << shown_with_label(shipment, "reason", "reason_label");
  out << "\n  last asked " << shown(shipment, "last_asked") << ", next " << shown(shipment, "next_due")
      << ", failed attempts " << shown(shipment, "attempts_failed") << '\n';
  TextTable events({"occurred_at", "detected_at", "status", "code", "text", "place"});
  for (const json& event : shipment.value("events", json::array()))
    events.row({shown(event, "occurred_at"), shown(event, "detected_at"), shown_with_label(event, "status"),
                shown(event, "code"), shown(event, "text"), shown(event, "place")});
  events.print(out);
  TextTable transitions({"seq", "from", "to", "reason", "occurred_at", "detected_at"});
  for (const json& transition : shipment.value("transitions", json::array()))
    transitions.row({transition.value("shadow", false) ? "shadow" : shown(transition, "seq"),
                     shown_with_label(transition, "from", "from_label"), shown_with_label(transition, "to"),
                     shown_with_label(transition, "reason", "reason_label"), shown(transition, "occurred_at"),
                     shown(transition, "detected_at")});
  transitions.print(out);
}

}  // namespace

std::string status_text(const json& report) {
  std::ostringstream out;
  out << "remitod " << shown(report, "version") << ", up since " << shown(report, "started_at") << ", "
      << (report.value("ok", false) ? "ok" : "DEGRADED") << '\n';
  for (const json& line : report.value("degraded", json::array()))
    out << "  ! " << printable(line.get<std::string>()) << '\n';
  TextTable carriers({"carrier", "shipments", "due", "in flight", "requests", "polls", "unchanged", "transitions",
                      "failed", "breaker", "last answer"});
  for (const json& carrier : report.value("carriers", json::array()))
    carriers.row({shown(carrier, "carrier"), shown(carrier, "shipments"), shown(carrier, "due"),
                  shown(carrier, "in_flight"), shown(carrier, "requests"), shown(carrier, "polls"),
                  shown(carrier, "unchanged"), shown(carrier, "transitions"), shown(carrier, "failed_requests"),
                  shown(carrier, "breaker"), shown(carrier, "last_answer_at")});
  carriers.print(out);
  TextTable requests({"remito requests", "state", "count"});
  for (const json& row : report.value("requests", json::array()))
    requests.row({shown(row, "carrier"), shown_with_label(row, "state"), shown(row, "count")});
  requests.print(out);
  TextTable sinks({"sink", "type", "delivered", "behind", "waiting", "dead", "in flight", "failed", "last delivered"});
  for (const json& sink : report.value("sinks", json::array()))
    sinks.row({shown(sink, "sink"), shown(sink, "type"), shown(sink, "delivered"), shown(sink, "behind"),
               shown(sink, "waiting"), shown(sink, "dead"), shown(sink, "in_flight"), shown(sink, "failed"),
               shown(sink, "last_delivered_at")});
  sinks.print(out);
  TextTable unmapped({"unmapped code of", "code", "text", "seen", "last"});
  for (const json& row : report.value("unmapped", json::array()))
    unmapped.row(
        {shown(row, "carrier"), shown(row, "code"), shown(row, "text"), shown(row, "seen"), shown(row, "last_seen")});
  unmapped.print(out);
  TextTable retention({"old rows of", "removed last", "removed ever", "kept", "last"});
  for (const json& row : report.value("retention", json::array()))
    retention.row({shown(row, "kind"), shown(row, "removed"), shown(row, "removed_ever"), shown(row, "kept"),
                   shown(row, "done_at")});
  retention.print(out);
  return out.str();
}

std::string shipments_text(const json& report) {
  std::ostringstream out;
  TextTable requests({"request", "order", "group", "carrier", "state", "remito", "why", "asked"});
  for (const json& row : report.value("requests", json::array()))
    requests.row({shown(row, "request_key"), shown(row, "order_number"), shown(row, "parcel_group"),
                  shown(row, "carrier"), shown_with_label(row, "state"), shown(row, "remito"),
                  shown(row, "refusal_text"), shown(row, "requested_at")});
  requests.print(out);
  for (const json& shipment : report.value("shipments", json::array())) print_shipment(out, shipment);
  return out.str();
}

std::string replay_text(const json& report) {
  std::ostringstream out;
  for (const json& sink : report.value("sinks", json::array())) {
    out << "sink " << shown(sink, "sink") << ": " << shown(sink, "letters") << " letter(s) will be sent";
    if (sink.value("left", 0) != 0) out << ", " << shown(sink, "left") << " more when these are gone: replay again";
    out << '\n';
  }
  return out.str();
}

std::string resync_text(const json& report) {
  std::ostringstream out;
  const bool finished = report.value("finished", false);
  out << "resync " << shown(report, "target") << ": " << shown(report, "shipments") << " shipment(s)"
      << (report.value("dry_run", false) ? " would be asked"
          : finished                     ? " answered"
                                         : " will be asked")
      << '\n';
  if (report.contains("carriers") && report["carriers"].is_object())
    for (const auto& [carrier, count] : report["carriers"].items())
      out << "  " << carrier << ": " << count.dump() << '\n';
  return out.str();
}

}  // namespace remitod::daemon
