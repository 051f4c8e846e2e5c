#include "daemon/status_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "daemon/log.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

// A value as plain text: what comes from carriers is made printable, so that it cannot steer the terminal.
std::string shown(const json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "-";
  if (found->is_string())
    return found->get_ref<const std::string&>().empty() ? "-" : printable(found->get_ref<const std::string&>());
  return found->dump();
}

// UTF-8 characters, which is near enough to columns for Spanish.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Table {
 public:
  explicit Table(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print(std::ostream& out) const {
    if (rows_.size() == 1) return;
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i)
        line += row[i] + std::string(i + 1 == row.size() ? 0 : widths[i] - width(row[i]) + 2, ' ');
      out << "  " << line << '\n';
    }
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string with_label(const json& object, std::string_view key) {
  const std::string text = shown(object, key);
  const std::string spanish = shown(object, "label");
  return spanish == "-" ? text : text + " (" + spanish + ")";
}

void print_shipment(std::ostream& out, const json& shipment) {
  out << shown(shipment, "carrier") << ':' << shown(shipment, "remito") << "  order " << shown(shipment, "order_number")
      << "  " << with_label(shipment, "status");
  if (shown(shipment, "reason") != "-") out << ", " << shown(shipment, "reason");
  out << "\n  last asked " << shown(shipment, "last_asked") << ", next " << shown(shipment, "next_due")
      << ", failed attempts " << shown(shipment, "attempts_failed") << '\n';
  Table events({"occurred_at", "detected_at", "status", "code", "text", "place"});
  for (const json& event : shipment.value("events", json::array()))
    events.row({shown(event, "occurred_at"), shown(event, "detected_at"), shown(event, "status"), shown(event, "code"),
                shown(event, "text"), shown(event, "place")});
  events.print(out);
  Table transitions({"seq", "from", "to", "reason", "occurred_at", "detected_at"});
  for (const json& transition : shipment.value("transitions", json::array()))
    transitions.row({shown(transition, "seq"), shown(transition, "from"), with_label(transition, "to"),
                     shown(transition, "reason"), shown(transition, "occurred_at"), shown(transition, "detected_at")});
  transitions.print(out);
}

}  // namespace

std::string status_text(const json& report) {
  std::ostringstream out;
  out << "remitod " << shown(report, "version") << ", up since " << shown(report, "started_at") << ", "
      << (report.value("ok", false) ? "ok" : "DEGRADED") << '\n';
  for (const json& line : report.value("degraded", json::array()))
    out << "  ! " << printable(line.get<std::string>()) << '\n';
  Table carriers({"carrier", "shipments", "due", "in flight", "requests", "polls", "unchanged", "transitions", "failed",
                  "breaker", "last answer"});
  for (const json& carrier : report.value("carriers", json::array()))
    carriers.row({shown(carrier, "carrier"), shown(carrier, "shipments"), shown(carrier, "due"),
                  shown(carrier, "in_flight"), shown(carrier, "requests"), shown(carrier, "polls"),
                  shown(carrier, "unchanged"), shown(carrier, "transitions"), shown(carrier, "failed_requests"),
                  shown(carrier, "breaker"), shown(carrier, "last_answer_at")});
  carriers.print(out);
  Table requests({"remito requests", "state", "count"});
  for (const json& row : report.value("requests", json::array()))
    requests.row({shown(row, "carrier"), shown(row, "state"), shown(row, "count")});
  requests.print(out);
  Table unmapped({"unmapped code of", "code", "text", "seen", "last"});
  for (const json& row : report.value("unmapped", json::array()))
    unmapped.row(
        {shown(row, "carrier"), shown(row, "code"), shown(row, "text"), shown(row, "seen"), shown(row, "last_seen")});
  unmapped.print(out);
  return out.str();
}

std::string shipments_text(const json& report) {
  std::ostringstream out;
  Table requests({"request", "order", "group", "carrier", "state", "remito", "why", "asked"});
  for (const json& row : report.value("requests", json::array()))
    requests.row({shown(row, "request_key"), shown(row, "order_number"), shown(row, "parcel_group"),
                  shown(row, "carrier"), shown(row, "state"), shown(row, "remito"), shown(row, "refusal_text"),
                  shown(row, "requested_at")});
  requests.print(out);
  for (const json& shipment : report.value("shipments", json::array())) print_shipment(out, shipment);
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
