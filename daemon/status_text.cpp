#include "daemon/status_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>
#include <vector>

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

/// " until T", or nothing where nobody knows.
std::string until(const json& object, std::string_view key) {
  const std::string moment = shown(object, key);
  return moment == "-" ? "" : " until " + moment;
}

/// When a carrier that fails is asked again: when somebody is due, it has rested, and its limits let it. Moments sort
/// as texts, and before all of them "-", which is none.
std::string next_try(const json& carrier) {
  const std::string held = shown(carrier, "hold_until");
  if (held == "-" && shown(carrier, "hold") == "quota") return held;  // nobody knows
  const std::string rests = shown(carrier, "resting_until");
  const std::string due = rests == "-" ? shown(carrier, "next_due") : rests;
  return due == "-" ? due : std::max(due, held);
}

std::string failing(const json& carrier) {
  std::string line = "fails (" + shown(carrier, "failures_in_row") + " in a row)";
  if (const std::string error = shown(carrier, "last_error"); error != "-") line += ": " + error;
  const std::string next = next_try(carrier);
  // Half open: it is being tried.
  return next == "-" || shown(carrier, "breaker") == "half_open" ? line : line + "; tried again at " + next;
}

/// Why a carrier is not asked as its schedule would have it, in lines.
std::string remarks(const json& carrier) {
  std::string lines;
  const auto add = [&](const std::string& line) { lines += "    " + line + '\n'; };
  if (carrier.value("failures_in_row", 0) > 0)
    add(failing(carrier));
  else if (shown(carrier, "resting_until") != "-")
    add("rests" + until(carrier, "resting_until"));
  const std::string hold = shown(carrier, "hold"), ends = until(carrier, "hold_until");
  if (hold == "quota") add(ends.empty() ? "its quota is spent, or not known yet" : "its quota is spent" + ends);
  if (hold == "hours") add("outside of its hours" + ends);
  if (hold == "rate") add("has had all the requests that its rate allows" + ends);
  return lines;
}

void print_carriers(std::ostream& out, const json& carriers) {
  TextTable table({"carrier", "shipments", "due", "in flight", "requests", "polls", "unchanged", "transitions",
                   "failed", "breaker", "last answer"});
  for (const json& carrier : carriers)
    table.row({shown(carrier, "carrier"), shown(carrier, "shipments"), shown(carrier, "due"),
               shown(carrier, "in_flight"), shown(carrier, "requests"), shown(carrier, "polls"),
               shown(carrier, "unchanged"), shown(carrier, "transitions"), shown(carrier, "failed_requests"),
               shown(carrier, "breaker"), shown(carrier, "last_answer_at")});
  std::stringstream rows;
  table.print(rows);
  std::string row;
  if (std::getline(rows, row)) out << row << '\n';
  for (const json& carrier : carriers)
    if (std::getline(rows, row)) out << row << '\n' << remarks(carrier);
}

}  // namespace

std::optional<json> status_of_carrier(json report, std::string_view carrier) {
  for (json& section : report) {
    if (!section.is_array()) continue;
    auto& rows = section.get_ref<json::array_t&>();
    std::erase_if(rows, [&](const json& row) {
      return row.is_object() && row.contains("carrier") && row.at("carrier") != carrier;
    });
  }
  if (report.value("carriers", json::array()).empty()) return std::nullopt;
  return report;
}

std::string status_text(const json& report) {
  std::ostringstream out;
  out << "remitod " << shown(report, "version") << ", up since " << shown(report, "started_at") << ", "
      << (report.value("ok", false) ? "ok" : "DEGRADED") << '\n';
  for (const json& line : report.value("degraded", json::array()))
    out << "  ! " << printable(line.get<std::string>()) << '\n';
  print_carriers(out, report.value("carriers", json::array()));
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
