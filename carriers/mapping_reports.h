// What answers say of shipments: the document tree -> reports, by the rules of a profile. Private to carriers/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carriers/compiled.h"
#include "carriers/mapping.h"
#include "carriers/status_rules.h"

namespace remitod::carriers {

/// Reads the documents of one or more answers (pages) to the same question. Shipments are matched by number, never by
/// position; what several nodes say of one number is one report.
class ReportReader {
 public:
  /// Of the shipments asked about; nothing: of every one that the answer names (a feed).
  /// `taken`: as map_track's.
  ReportReader(const ReportRules& rules, std::optional<std::span<const TrackItem>> asked,
               std::vector<RulesTaken>* taken = nullptr);

  void read(const Document& document);
  /// To be called once, when all is read.
  TrackAnswer finish() &&;

 private:
  static constexpr std::size_t no_report = static_cast<std::size_t>(-1);

  struct Shipment {
    bool is_named = false;            ///< by the answer
    bool is_told = false;             ///< what is said of it is not added to: no history, or one too long
    std::size_t report = no_report;   ///< where its events are collected
    std::uint32_t events_listed = 0;  ///< those that could not be read or are ignored keep their position
  };

  void read_shipment(const pugi::xpath_node& node);
  void read_snapshot(const std::string& remito, Shipment& shipment, const pugi::xpath_node& node);
  void read_events(const std::string& remito, Shipment& shipment, const pugi::xpath_node& node);
  std::expected<std::optional<TrackingEvent>, std::string> read_event(const std::string& remito,
                                                                      const pugi::xpath_node& node) const;
  void note_rules(const std::string& remito, const EventMeaning& meaning) const;
  std::expected<std::optional<OccurredAt>, std::string> read_time(const pugi::xpath_node& node) const;
  std::string only_number() const;
  std::string nameless() const;
  void add_error(const std::string& remito, std::string message);

  const ReportRules& rules_;
  bool takes_all_;
  std::vector<RulesTaken>* taken_;
  std::map<std::string, Shipment, std::less<>> shipments_;  ///< by number
  TrackAnswer answer_;
  std::size_t errors_unlisted_ = 0;
};

}  // namespace remitod::carriers
