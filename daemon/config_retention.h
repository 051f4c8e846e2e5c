// The table [retention]: how long what is personal, and what only grows, is kept. README.md has the keys.
#pragma once

#include <chrono>
#include <string>

namespace remitod::carriers {
class TableReader;
}  // namespace remitod::carriers

namespace remitod::daemon {

/// Ages; each between a day and ten years.
struct RetentionConfig {
  /// When the daily clean-up may work: hours of a day in `zone`, as scheduler/limits_hours.h writes them.
  std::string hours = "02:00-05:00";
  std::string zone = "America/Lima";

  std::chrono::hours payloads{24 * 90};     ///< of requests, from when they were settled
  std::chrono::hours raw_answers{24 * 30};  ///< not above tracking_events and transitions: they are read with these
  int raw_answers_mib = 64;                 ///< of each carrier, as stored: compressed; [1, 102400]
  std::chrono::hours tracking_events{24 * 400};  ///< from the end of the shipment
  std::chrono::hours transitions{24 * 400};      ///< likewise, or of a request from when it was settled
  std::chrono::hours requests{24 * 730};         ///< from when they were settled
  std::chrono::hours resyncs{24 * 30};           ///< from when they were finished
  std::chrono::hours sink_letters{24 * 90};      ///< dead ones, from their last attempt
  std::chrono::hours shipments{24 * 1825};       ///< from their end; not before all that belongs to them
  std::chrono::hours legacy_statuses{24 * 400};  ///< from when they were noted
  std::chrono::hours erasures{24 * 1825};        ///< from when they were done
  std::chrono::hours unmapped_codes{24 * 400};   ///< from when they were seen last
};

/// What is wrong goes to the reader's log.
RetentionConfig read_retention(carriers::TableReader& root);

}  // namespace remitod::daemon
