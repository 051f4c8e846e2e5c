#include "carriers/mapping_reports.h"

#include <algorithm>
#include <utility>

#include "carriers/field.h"
#include "carriers/query.h"
#include "carriers/text_fold.h"

namespace remitod::carriers {

namespace {

constexpr std::size_t remito_bytes_max = 100;
constexpr std::size_t code_bytes_max = 100;
constexpr std::size_t text_bytes_max = 500;
constexpr std::size_t place_bytes_max = 200;
constexpr std::size_t time_bytes_max = 200;
constexpr std::size_t zone_bytes_max = 60;
/// Far above any real history; a carrier that lists more sends something else than one shipment's events.
constexpr std::size_t events_max = 5'000;
/// Enough to see what is wrong; an answer of megabytes of nonsense must not become as many messages.
constexpr std::size_t errors_max = 1'000;

/// The events from the oldest on, whichever way round the carrier lists them.
void turn_round(Report& report, std::uint32_t events_listed) {
  std::ranges::reverse(report.events);
  for (TrackingEvent& event : report.events) event.position = events_listed - 1 - event.position;
}

}  // namespace

ReportReader::ReportReader(const ReportRules& rules, std::optional<std::span<const TrackItem>> asked,
                           std::vector<RulesTaken>* taken)
    : rules_(rules), takes_all_(!asked), taken_(taken) {
  if (!asked) return;
  for (const TrackItem& item : *asked) shipments_.try_emplace(std::string{item.remito});
}

void ReportReader::read(const Document& document) {
  for (const std::string& note : document.notes()) add_error("", note);
  if (!rules_.shipments) return read_shipment(document.tree());
  for (const pugi::xpath_node& node : select(*rules_.shipments, document.tree())) read_shipment(node);
}

TrackAnswer ReportReader::finish() && {
  for (const auto& [remito, shipment] : shipments_) {
    if (!shipment.is_named) answer_.missing.push_back(remito);
    if (rules_.newest_first && shipment.report != no_report) {
      turn_round(answer_.reports[shipment.report], shipment.events_listed);
    }
  }
  std::erase_if(answer_.reports, [](const Report& report) { return report.remito.empty(); });
  if (errors_unlisted_ > 0) {
    answer_.errors.push_back({"", std::to_string(errors_unlisted_) + " more errors are not listed"});
  }
  return std::move(answer_);
}

void ReportReader::read_shipment(const pugi::xpath_node& node) {
  const std::string remito = rules_.remito ? carriers::read(*rules_.remito, node, remito_bytes_max) : only_number();
  if (remito.empty()) return add_error(remito, nameless());
  auto found = shipments_.find(remito);
  if (found == shipments_.end()) {
    if (!takes_all_) {
      ++answer_.extra;
      return;
    }
    found = shipments_.try_emplace(remito).first;
  }
  Shipment& shipment = found->second;
  shipment.is_named = true;
  if (shipment.is_told) return add_error(remito, "listed again in the same answer; the first was taken");
  std::string error = carriers::read(rules_.shipment_error, node, text_bytes_max);
  if (!error.empty()) return add_error(remito, "the carrier failed on this one: " + error);
  const bool is_gone = rules_.shipment_gone && holds(*rules_.shipment_gone, node);
  if (is_gone || (rules_.shipment_not_found && holds(*rules_.shipment_not_found, node))) {
    if (shipment.report != no_report) {
      return add_error(remito, "has events, and is said to be unknown in the same answer");
    }
    shipment.is_told = true;
    answer_.reports.push_back({remito, is_gone ? Report::Kind::gone : Report::Kind::not_found_yet, {}});
  } else if (rules_.snapshot) {
    read_snapshot(remito, shipment, node);
  } else {
    read_events(remito, shipment, node);
  }
}

void ReportReader::read_snapshot(const std::string& remito, Shipment& shipment, const pugi::xpath_node& node) {
  std::expected<std::optional<TrackingEvent>, std::string> event = read_event(remito, node);
  if (!event) return add_error(remito, std::move(event.error()));
  shipment.is_told = true;
  Report report{remito, Report::Kind::snapshot, {}};
  if (*event) report.events.push_back(*std::move(*event));
  answer_.reports.push_back(std::move(report));
}

void ReportReader::read_events(const std::string& remito, Shipment& shipment, const pugi::xpath_node& node) {
  const pugi::xpath_node_set events = select(*rules_.events, node);
  const std::size_t listed = shipment.events_listed + events.size();
  if (listed > events_max) {
    if (shipment.report != no_report) answer_.reports[shipment.report].remito.clear();  // finish() leaves it out
    shipment.report = no_report;
    shipment.is_told = true;
    return add_error(remito, std::to_string(listed) + " events; at most " + std::to_string(events_max) + " are read");
  }
  if (shipment.report == no_report) {
    shipment.report = answer_.reports.size();
    answer_.reports.push_back({remito, Report::Kind::events, {}});
  }
  std::vector<TrackingEvent>& read = answer_.reports[shipment.report].events;
  read.reserve(listed);
  for (const pugi::xpath_node& each : events) {
    const std::uint32_t position = shipment.events_listed++;
    std::expected<std::optional<TrackingEvent>, std::string> event = read_event(remito, each);
    if (!event) {
      add_error(remito, "event " + std::to_string(position + 1) + ": " + event.error());
    } else if (*event) {
      (*event)->position = position;
      read.push_back(*std::move(*event));
    }
  }
}

/// Nothing where the profile ignores it.
std::expected<std::optional<TrackingEvent>, std::string> ReportReader::read_event(const std::string& remito,
                                                                                  const pugi::xpath_node& node) const {
  TrackingEvent event;
  event.code = carriers::read(rules_.code, node, code_bytes_max);
  event.text = carriers::read(rules_.text, node, text_bytes_max);
  if (event.code.empty() && event.text.empty()) return std::unexpected("has neither a code nor a text");
  const std::string reason = carriers::read(rules_.reason, node, text_bytes_max);
  const EventMeaning meaning = meaning_of(rules_, {event.code, event.text, reason}, node);
  if (meaning.ignored) {
    note_rules(remito, meaning);
    return std::nullopt;
  }
  event.status = meaning.status;
  event.reason = meaning.reason;

  std::expected<std::optional<OccurredAt>, std::string> occurred_at = read_time(node);
  if (!occurred_at) return std::unexpected(std::move(occurred_at.error()));
  event.occurred_at = *occurred_at;
  event.place = carriers::read(rules_.place, node, place_bytes_max);
  if (event.code.empty()) event.code = tidy(event.text, code_bytes_max);
  // The carrier's words for the reason stay readable, above all where they are mapped to `other`.
  if (event.text.empty())
    event.text = reason;
  else if (!reason.empty() && fold(reason) != fold(event.text))
    event.text = tidy(event.text + ": " + reason, text_bytes_max);
  note_rules(remito, meaning);
  return event;
}

void ReportReader::note_rules(const std::string& remito, const EventMeaning& meaning) const {
  if (!taken_) return;
  const auto number = [](const auto& all, const auto* rule) {
    return rule ? static_cast<std::size_t>(rule - all.data()) + 1 : 0;
  };
  taken_->push_back({remito, number(rules_.status_rules, meaning.status_rule),
                     number(rules_.reason_rules, meaning.reason_rule), meaning.ignored});
}

std::expected<std::optional<OccurredAt>, std::string> ReportReader::read_time(const pugi::xpath_node& node) const {
  const std::string text = carriers::read(rules_.time, node, time_bytes_max);
  if (text.empty()) {
    if (rules_.snapshot) return std::nullopt;
    return std::unexpected(rules_.time ? rules_.time->name + ": is missing or empty" : "has no time");
  }
  std::expected<OccurredAt, std::string> time =
      rules_.times->read(text, carriers::read(rules_.zone, node, zone_bytes_max));
  if (!time) return std::unexpected(rules_.time->name + ": " + time.error());
  return *time;
}

/// Only where exactly one was asked for does an answer without a number say whose it is.
std::string ReportReader::only_number() const {
  return !takes_all_ && shipments_.size() == 1 ? shipments_.begin()->first : std::string{};
}

std::string ReportReader::nameless() const {
  const std::string without = "the answer does not say which shipment this is";
  if (!rules_.remito) return without;
  return "remito '" + rules_.remito->name + "' is empty: " + without +
         " (what an answer says without a number is for `not_found` and `gone`)";
}

void ReportReader::add_error(const std::string& remito, std::string message) {
  if (answer_.errors.size() < errors_max) {
    answer_.errors.push_back({remito, std::move(message)});
  } else {
    ++errors_unlisted_;
  }
}

}  // namespace remitod::carriers
