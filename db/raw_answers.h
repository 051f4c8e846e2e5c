// Answers of carriers that are kept: those that changed something, and those that were not understood. People look at
// them, and a better profile reads them again (daemon/reread.h). Each function runs inside the transaction of its
// caller, like those of stores.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "db/executor.h"

namespace remitod::db {

/// A shipment that a request asked about.
struct AskedShipment {
  std::int64_t shipment_id = 0;
  std::string remito;
  Instant registered_at{};
  friend bool operator==(const AskedShipment&, const AskedShipment&) = default;
};

struct RawAnswer {
  std::string carrier;
  std::string operation;  ///< "track", "feed", "create", "confirm"
  std::string remito;     ///< whose it is where it is one shipment's; of a feed the name of the file; or empty
  std::string why;        ///< it is kept
  int http_status = 0;
  std::string content_type;
  std::string body;                         ///< of several pages one behind the other; kept up to raw_body_bytes_max
  std::vector<std::size_t> page_ends = {};  ///< where each page but the last ends in it
  std::vector<AskedShipment> asked = {};    ///< of "track"
  std::int64_t request_id = 0;              ///< of "create" and "confirm"; else 0
  /// When its reports were reconciled, where that is known: an event without a time was given this one.
  Instant received_at{};
  bool whole = true;  ///< false: the body is only a beginning, and cannot be read again
};
inline constexpr std::size_t raw_body_bytes_max = 256 * 1024;
/// Cuts the body to what is kept.
void cut_to_kept(RawAnswer& answer);

DbResult<void> keep_raw_answers(Session& session, std::span<const RawAnswer> answers, Instant now);
DbResult<std::vector<RawAnswer>> load_raw_answers(Session& session, std::string_view carrier,
                                                  std::size_t limit);  ///< newest first
/// Of each of these carriers the newest that have room in `bytes_max` (of their packed bodies) stay. Returns how many
/// went.
DbResult<std::size_t> trim_raw_answers(Session& session, std::span<const std::string> carriers,
                                       std::uint64_t bytes_max);

// ---------------------------------------------------------------- reading them again

/// What there is to be read again of a carrier: answers to "track" and "feed".
struct KeptAnswers {
  std::int64_t answers = 0;
  std::int64_t not_whole = 0;  ///< more that cannot be read, because they were cut
  std::int64_t last_id = 0;
};
DbResult<KeptAnswers> count_kept_answers(Session& session, std::string_view carrier, std::optional<Instant> since);

struct KeptPage {
  std::vector<RawAnswer> answers;  ///< oldest first
  std::int64_t last_id = 0;        ///< where the next page begins; as `after_id` was: this was the last
  std::size_t damaged = 0;         ///< left out: this program never wrote them
};
/// The next `limit` of them with an id after `after_id` and up to `last_id`.
DbResult<KeptPage> load_kept_answers(Session& session, std::string_view carrier, std::optional<Instant> since,
                                     std::int64_t after_id, std::int64_t last_id, std::size_t limit);
/// The shipments of these remitos that were followed at that moment, whether or not they have ended since.
DbResult<std::vector<AskedShipment>> find_shipments_at(Session& session, std::string_view carrier,
                                                       std::span<const std::string> remitos, Instant at);
/// Codes of the carrier of which no event is left that the profile does not know are no longer listed. Returns how
/// many.
DbResult<std::size_t> forget_explained_codes(Session& session, std::string_view carrier);

}  // namespace remitod::db
