#include "daemon/told_reports.h"

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace remitod::daemon {

db::DbResult<std::vector<ToldReport>> apply_told_reports(db::Session& session, const db::ApplyRules& rules,
                                                         std::span<const Report> reports, Instant now) {
  std::vector<std::string> remitos;
  for (const Report& report : reports) remitos.push_back(report.remito);
  // A file is read once, and what it says of shipments that are being inserted must not be lost.
  const auto waits = db::waits_to_be_taken_up(session, rules.carrier, remitos);
  if (!waits) return std::unexpected(waits.error());
  if (*waits)
    return std::unexpected(
        db::DbError{db::DbError::Kind::busy, "", "shipments that it tells of have not been taken up yet"});
  auto shipments = db::find_open_shipments(session, rules.carrier, remitos);
  if (!shipments) return std::unexpected(std::move(shipments.error()));
  std::map<std::string, std::int64_t, std::less<>> ids;
  for (const db::OpenShipment& shipment : *shipments) ids.emplace(shipment.remito, shipment.shipment_id);
  std::vector<db::PolledReport> polled;
  for (const Report& report : reports)
    if (const auto id = ids.find(report.remito); id != ids.end()) polled.push_back({id->second, report});
  auto applied = db::apply_reports(session, rules, polled, now);
  if (!applied) return std::unexpected(std::move(applied.error()));
  std::vector<ToldReport> told;
  for (std::size_t i = 0; i < polled.size(); ++i)
    told.push_back({std::move(polled[i].report.remito), std::move((*applied)[i])});
  return told;
}

}  // namespace remitod::daemon
