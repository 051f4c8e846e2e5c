// What is counted in the database now and then, for metrics and the page, besides the overview of stores.h. Each
// function runs inside the transaction of its caller.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

/// Remito requests that have not come to an end, by carrier and state.
struct OpenRequests {
  std::string carrier;
  std::string state;
  std::int64_t requests = 0;
  Instant oldest_requested_at{};
};
DbResult<std::vector<OpenRequests>> open_requests(Session& session);

/// Codes that the carrier's profile does not know.
struct UnmappedCount {
  std::string carrier;
  std::int64_t codes = 0;
};
DbResult<std::vector<UnmappedCount>> count_unmapped(Session& session);

/// A transition that got its seq, as far as it is counted.
struct Detection {
  std::int64_t seq = 0;
  std::string carrier;
  std::string to;
  std::optional<Instant> occurred_at;
  Instant detected_at{};
  /// It was seen to happen, at a moment: neither inferred, nor late by its nature, nor a day without a time.
  bool says_when = false;
};
/// Those after `after_seq`, by seq.
DbResult<std::vector<Detection>> detections_after(Session& session, std::int64_t after_seq, std::size_t limit);

/// Those of these carriers that have a shipment of this number, open or ended.
DbResult<std::vector<std::string>> carriers_of_remito(Session& session, std::span<const std::string> carriers,
                                                      std::string_view remito);

/// An answer that was kept, as a person reads it.
struct KeptAnswer {
  std::string operation;
  std::string why;
  int http_status = 0;
  std::string content_type;
  std::string body;  ///< as much of it as was kept
  Instant kept_at{};
};
/// Answers to whoever asked about this shipment, alone or with others; the newest first.
DbResult<std::vector<KeptAnswer>> kept_answers(Session& session, std::string_view carrier, std::string_view remito,
                                               std::size_t limit);

}  // namespace remitod::db
