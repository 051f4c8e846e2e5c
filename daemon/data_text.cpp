#include "daemon/data_text.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/text_table.h"

namespace remitod::daemon {

using nlohmann::json;

std::string reread_text(const json& report) {
  std::ostringstream out;
  const bool dry_run = report.value("dry_run", false);
  out << shown(report, "carrier") << ": " << shown(report, "done") << " kept answer(s) read again, "
      << shown(report, "transitions") << " transition(s) " << (dry_run ? "would be told" : "told") << '\n';
  if (!dry_run)
    out << "  " << shown(report, "updated_events") << " event(s) explained or reworded, " << shown(report, "new_events")
        << " new\n";
  if (report.value("still_unmapped", 0) != 0)
    out << "  " << shown(report, "still_unmapped") << " new event(s) with a code that the profile does not know\n";
  if (report.value("unread", 0) != 0)
    out << "  " << shown(report, "unread") << " answer(s) say nothing that today's profile reads\n";
  if (report.value("not_whole", 0) != 0)
    out << "  " << shown(report, "not_whole") << " more were too long to be kept whole, and were not read\n";
  if (!shown(report, "error").starts_with('-')) out << "  ended early: " << shown(report, "error") << '\n';
  TextTable transitions({"remito", "from", "to", "occurred_at", "late"});
  for (const json& row : report.value("would_tell", json::array()))
    transitions.row({shown(row, "remito"), shown(row, "from"), shown_with_label(row, "to"), shown(row, "occurred_at"),
                     row.value("late", false) ? "late" : ""});
  transitions.print(out);
  return out.str();
}

std::string erased_text(const json& report) {
  std::ostringstream out;
  const bool dry_run = report.value("dry_run", false);
  out << "order " << shown(report, "order_number") << (dry_run ? ": would be erased" : ": erased") << '\n';
  TextTable rows({"of", "rows", "what"});
  rows.row({"remito requests", shown(report, "requests"), "payload, the carrier's words"});
  rows.row({"shipments", shown(report, "shipments"), "what stands in the rows below"});
  rows.row({"tracking events", shown(report, "events"), "text, place"});
  rows.row({"transitions", shown(report, "transitions"), "text, place"});
  rows.row({"kept answers", shown(report, "raw_answers"), "deleted, with what they say of other orders"});
  rows.print(out);
  const int requests = report.value("open_requests", 0), shipments = report.value("open_shipments", 0);
  if (requests + shipments != 0)
    out << "  still open: " << requests << " request(s), " << shipments
        << " shipment(s); theirs follows in the night after they end\n";
  return out.str();
}

std::string forgotten_text(const json& report) {
  return shown(report, "carrier") + ":" + shown(report, "remito") + " of order " + shown(report, "order_number") +
         " is not followed any more; its status stays " + shown_with_label(report, "status") + "\n";
}

std::string shadow_text(const json& report) {
  std::ostringstream out;
  out << shown(report, "carrier") << " since " << shown(report, "since") << ": " << shown(report, "shipments")
      << " shipment(s), " << shown(report, "same") << " the same, " << shown(report, "only_ours")
      << " that we alone saw change, " << shown(report, "only_theirs") << " that they alone did\n";
  if (report.contains("median_lead_s") && report["median_lead_s"].is_number()) {
    const auto lead = report["median_lead_s"].get<std::int64_t>();
    out << "  of " << shown(report, "both_saw") << " statuses that both saw, half were seen by us "
        << (lead < 0 ? "later" : "earlier") << " by " << (lead < 0 ? -lead : lead) << " s or more\n";
  }
  if (!report.value("all", true)) out << "  only the oldest rows were compared: state a later --since\n";
  TextTable differences({"remito", "what", "ours", "theirs"});
  for (const json& row : report.value("differences", json::array()))
    differences.row({shown(row, "remito"), shown(row, "kind"), shown_with_label(row, "ours", "ours_label"),
                     shown_with_label(row, "theirs", "theirs_label")});
  differences.print(out);
  return out.str();
}

}  // namespace remitod::daemon
