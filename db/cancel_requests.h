// Shipments that are no longer wanted (`cancel_requests`): pending -> sending -> cancelled | refused | unknown ->
// needs_operator. The carrier is asked for one thing only that harms nobody when it is asked twice; still every claim
// has a fencing token, and an unclear end is not guessed about.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/stores.h"

namespace remitod::db {

struct CancelRequest {
  std::int64_t cancel_id = 0;
  std::string request_key;
  std::string order_number;
  int parcel_group = 1;
  std::string carrier, remito, client_ref;
  std::int64_t shipment_id = 0;
  int attempts = 0;  ///< this one included
  std::int64_t fencing_token = 0;
  Instant accepted_at{};
};

struct CancelsTakenUp {
  std::size_t settled = 0;              ///< without the carrier; transitions may have been written
  bool some_wait = false;               ///< for a remito request whose end is not known yet
  std::vector<ResyncScope> to_look_at;  ///< unknown: where do these shipments stand?
  std::optional<Instant> next_due;      ///< of what is left
  std::set<std::string> due;            ///< carriers that are to be asked something now
};
/// Takes in new rows (accepted_at is null), and decides about all that can be decided without asking the carrier: of
/// those that are pending, and of `unknown` ones by what tracking has shown since. `cancelling`: the carriers that take
/// cancellations; `tracking`: those whose shipments are followed. At most `limit` of each kind.
DbResult<CancelsTakenUp> take_up_cancels(Session& session, std::span<const std::string> cancelling,
                                         std::span<const std::string> tracking, Instant now, std::size_t limit);

/// Claims those that are to be sent: `sending`, attempts + 1, a new token. FOR UPDATE SKIP LOCKED on PostgreSQL.
DbResult<std::vector<CancelRequest>> claim_cancels(Session& session, std::string_view carrier, Instant now,
                                                   Instant lease_expires_at, std::size_t limit);

struct CancelOutcome {
  std::int64_t cancel_id = 0;
  std::int64_t fencing_token = 0;
  enum class Kind : std::uint8_t {
    cancelled,       ///< the shipment is, too, with its transition in the same transaction
    refused,         ///< it stays as it is: `code` and `text` in the carrier's words
    unsent,          ///< provably: pending again at `retry_at`
    unknown,         ///< looked at through tracking
    needs_operator,  ///< waits for a person
  };
  Kind kind = Kind::unknown;
  std::string code{}, text{};
  Instant retry_at{};
};
/// False: the claim is another's, and nothing was written. `rules` are the carrier's.
DbResult<bool> settle_cancel(Session& session, const CancelOutcome& outcome, const ApplyRules& rules, Instant now);

/// At start: what is `sending` was cut off: `unknown`. Returns how many.
DbResult<std::size_t> mark_interrupted_cancels(Session& session, Instant now);

/// Those that are `sending`, though their lease has run out and nobody works on them: the claim was committed, and who
/// claimed them did not hear of it, or their settlement could not be written. They become `unknown`. Those in
/// `working_on` wait for their settlement. Returns how many.
DbResult<std::size_t> give_up_unheard_cancels(Session& session, std::span<const std::int64_t> working_on, Instant now);

/// Those that are `needs_operator`: the 50 that have waited longest.
struct CancelForPeople {
  std::string request_key, order_number, carrier, remito, refusal_text;
};
DbResult<std::vector<CancelForPeople>> cancels_for_people(Session& session);

/// So long an unclear cancellation is looked for in what the carrier tells of the shipment.
inline constexpr std::chrono::hours cancel_looking_time{24};

}  // namespace remitod::db
