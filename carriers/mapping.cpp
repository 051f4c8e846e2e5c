#include "carriers/mapping.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "carriers/answer_rules.h"
#include "carriers/compiled.h"
#include "carriers/mapping_reports.h"

namespace remitod::carriers {

namespace {

/// What an answer without any shipment says of all that were asked about.
TrackAnswer all_are(Report::Kind kind, std::span<const TrackItem> asked) {
  TrackAnswer answer;
  answer.reports.reserve(asked.size());
  for (const TrackItem& item : asked) answer.reports.push_back({std::string{item.remito}, kind, {}});
  return answer;
}

std::optional<Report::Kind> told_by_status(const ReportRules& rules, int http_status) {
  const auto is_in = [&](const std::vector<int>& statuses) {
    return std::ranges::find(statuses, http_status) != statuses.end();
  };
  if (is_in(rules.not_found_statuses)) return Report::Kind::not_found_yet;
  if (is_in(rules.gone_statuses)) return Report::Kind::gone;
  return std::nullopt;
}

}  // namespace

std::string_view name(CarrierTrouble::Kind kind) {
  switch (kind) {
    case CarrierTrouble::Kind::throttled:
      return "throttled";
    case CarrierTrouble::Kind::auth:
      return "auth";
    case CarrierTrouble::Kind::http_status:
      return "http_status";
    case CarrierTrouble::Kind::malformed:
      return "malformed";
    case CarrierTrouble::Kind::business:
      return "business";
    case CarrierTrouble::Kind::unreachable:
      return "unreachable";
  }
  std::unreachable();
}

std::expected<TrackAnswer, CarrierTrouble> map_track(const Profile& profile, const HttpAnswer& answer,
                                                     std::span<const TrackItem> asked, std::vector<RulesTaken>* taken) {
  if (!profile.can_track()) std::abort();
  const ReportRules& rules = profile.compiled().track->reports;
  if (const auto kind = told_by_status(rules, answer.status)) return all_are(*kind, asked);
  std::expected<Document, CarrierTrouble> document = open_answer(rules.answer, answer);
  if (!document) return std::unexpected(std::move(document.error()));
  if (says(rules.gone, *document)) return all_are(Report::Kind::gone, asked);
  if (says(rules.not_found, *document)) return all_are(Report::Kind::not_found_yet, asked);
  ReportReader reader{rules, asked, taken};
  reader.read(*document);
  return std::move(reader).finish();
}

}  // namespace remitod::carriers
