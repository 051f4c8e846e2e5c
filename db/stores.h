// All that the daemon asks of the database, in the domain's words. Each function runs inside the transaction of its
// caller (Executor::run, OwnSession::transact), sends set-based statements only, and takes `now` as an argument. The
// tables are described in README.md of this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carriers/tracking.h"
#include "db/error.h"
#include "db/executor.h"
#include "db/reconcile.h"

namespace remitod::db {

// ---------------------------------------------------------------- shipments

/// An open shipment as a lane needs it.
struct OpenShipment {
  std::int64_t shipment_id = 0;
  std::string carrier;
  std::string remito;
  Instant registered_at{};
};

/// Streams every open shipment (accepted, not past its tail) to `each`, in one query; nothing is held in memory.
DbResult<std::size_t> load_open_shipments(Session& session, Instant now,
                                          const std::function<void(const OpenShipment&)>& each);

/// Takes in rows that the platform inserted (accepted_at is null): counts the cycle, stamps accepted_at. At most
/// `limit`.
DbResult<std::vector<OpenShipment>> accept_new_shipments(Session& session, Instant now, std::size_t limit);

/// What one poll brought for one shipment.
struct PolledReport {
  std::int64_t shipment_id = 0;
  Report report;
};

struct ApplyRules {
  std::string carrier;
  ReconcileRules reconcile;
  std::chrono::hours tail{72};  ///< a terminal shipment is asked about for this long
  std::chrono::hours give_up_after{24 * 60};
};

struct AppliedReport {
  std::int64_t shipment_id = 0;
  std::size_t new_events = 0;
  std::size_t transitions = 0;
  std::size_t noise = 0, too_old = 0, unmapped = 0;
  Status status = Status::registered;
  bool leaves_lane = false;  ///< terminal and past its tail, expired, or no longer there
};

/// Reconciles and writes a batch of reports: one read, and only where something changed the writes; events,
/// transitions, shipment rows and unmapped codes in the caller's one transaction. Equal reports write nothing.
DbResult<std::vector<AppliedReport>> apply_reports(Session& session, const ApplyRules& rules,
                                                   std::span<const PolledReport> reports, Instant now);

/// Ends what is over: terminal shipments past their tail leave; shipments that never ended become `expired` (a
/// transition) after give_up_after. Returns the ids that leave the lane. At most `limit`.
DbResult<std::vector<std::int64_t>> end_finished_shipments(Session& session, const ApplyRules& rules, Instant now,
                                                           std::size_t limit);

// ---------------------------------------------------------------- remito requests

/// States of remito_requests.state: pending -> sending -> granted | refused | unknown. "unknown" waits for a person.
struct RemitoRequest {
  std::int64_t request_id = 0;
  std::string request_key;
  std::string order_number;
  int parcel_group = 1;
  std::string carrier;
  std::string service;
  std::string payload;     ///< JSON text
  std::string client_ref;  ///< ours, the same in every attempt
  int attempts = 0;        ///< those begun, this one included
  std::int64_t fencing_token = 0;
};

/// Gives new rows (accepted_at is null) their client_ref and state `pending`. Returns how many. At most `limit`.
DbResult<std::size_t> accept_new_requests(Session& session, Instant now, std::size_t limit);

/// Claims pending requests that are due for these carriers: state `sending`, attempts + 1, a new fencing token, a lease
/// until `lease_expires_at` (it outlasts the call's total deadline). Rows of a carrier that is not listed are left
/// alone; see refuse_unknown_carriers. FOR UPDATE SKIP LOCKED on PostgreSQL.
DbResult<std::vector<RemitoRequest>> claim_requests(Session& session, std::span<const std::string> carriers,
                                                    Instant now, Instant lease_expires_at, std::size_t limit);

/// Refuses pending requests whose carrier is none of these, with the reason in the row. Returns how many.
DbResult<std::size_t> refuse_unknown_carriers(Session& session, std::span<const std::string> known_carriers,
                                              Instant now);

/// How one claimed request ended. Every write is guarded by (state = 'sending', fencing_token): a stale worker changes
/// nothing.
struct RequestOutcome {
  std::int64_t request_id = 0;
  std::int64_t fencing_token = 0;
  enum class Kind : std::uint8_t {
    granted,  ///< shipment row and `ready_to_ship` transition in the same transaction
    refused,  ///< `remito_refused` transition
    unknown,  ///< waits for a person; never sent again
    unsent,   ///< provably not sent: pending again at `retry_at`
  };
  Kind kind = Kind::unknown;
  std::string remito;
  std::string code;  ///< refusal_code
  std::string text;  ///< refusal_text: the carrier's words, or what was seen
  std::string request_hash;
  Instant retry_at{};
};
struct SettledRequest {
  std::int64_t request_id = 0;
  bool stale = false;  ///< the guard failed: nothing was written
  /// granted, and the lane may take it up. A remito that the carrier gave twice while the first is still open makes the
  /// request `unknown` instead, with the reason in the row.
  std::optional<OpenShipment> shipment;
  bool remito_in_use = false;
};
DbResult<std::vector<SettledRequest>> settle_requests(Session& session, std::span<const RequestOutcome> outcomes,
                                                      Instant now);

/// At start: whatever is `sending` was cut off by a crash (or its lease ran out): `unknown`. Returns how many.
DbResult<std::size_t> mark_interrupted_requests(Session& session, Instant now);
/// When the next pending request becomes due, if any is waiting.
DbResult<std::optional<Instant>> next_request_due(Session& session);

// ---------------------------------------------------------------- transitions

/// A row of `transitions`, as it is logged and later pushed.
struct Transition {
  std::int64_t id = 0;
  std::int64_t seq = 0;
  std::string subject;  ///< "request" or "shipment"
  std::string order_number;
  int parcel_group = 1;
  std::string carrier;
  std::string remito;
  std::string from, to;  ///< status names; "ready_to_ship", "remito_refused" for requests
  std::string reason;
  std::string text;
  int attempt = 0;
  std::optional<Instant> occurred_at;
  Instant detected_at{};
  bool inferred = false, late = false, correction = false;
};

/// Numbers committed transitions that have no seq yet: gapless, in commit order per shipment. Returns them in seq
/// order.
DbResult<std::vector<Transition>> dispatch_transitions(Session& session, Instant now, std::size_t limit);

// ---------------------------------------------------------------- resync

struct ResyncTarget {
  enum class Kind : std::uint8_t { all, carrier, shipment, order };
  Kind kind = Kind::all;
  std::string carrier;
  std::string value;  ///< remito or order number
  /// "all", "CARRIER", "CARRIER:REMITO", "order:N". A remito may hold colons: the first one splits.
  static std::optional<ResyncTarget> parse(std::string_view text);
  std::string to_string() const;
};
struct ResyncScope {
  std::int64_t shipment_id = 0;
  std::string carrier;
};
/// Open shipments of the target, and of those only ones that did not change since `since` where it is given.
DbResult<std::vector<ResyncScope>> find_resync_scope(Session& session, const ResyncTarget& target,
                                                     std::optional<Instant> since);

struct ResyncRequest {
  std::int64_t resync_id = 0;
  ResyncTarget target;
  std::optional<Instant> since;
};
DbResult<std::int64_t> insert_resync_request(Session& session, const ResyncTarget& target, std::optional<Instant> since,
                                             Instant now);
/// New rows and rows that a stopped daemon left unfinished. A row whose target cannot be read is finished with `error`
/// set.
DbResult<std::vector<ResyncRequest>> accept_resync_requests(Session& session, Instant now, bool also_unfinished);
DbResult<void> finish_resync_request(Session& session, std::int64_t resync_id, std::int64_t shipments,
                                     std::string_view error, Instant now);

// ---------------------------------------------------------------- what is kept besides

/// An answer that could not be understood (or, with its reason, produced a change). Kept compressed, bounded: the
/// newest `raw_answers_max` per carrier.
struct RawAnswer {
  std::string carrier;
  std::string operation;  ///< "track", "create"
  std::string remito;     ///< or empty: the whole batch
  std::string why;
  int http_status = 0;
  std::string content_type;
  std::string body;  ///< cut to raw_body_bytes_max by the store
};
inline constexpr std::size_t raw_body_bytes_max = 256 * 1024;
inline constexpr int raw_answers_max = 1000;
DbResult<void> keep_raw_answers(Session& session, std::span<const RawAnswer> answers, Instant now);
DbResult<std::vector<RawAnswer>> load_raw_answers(Session& session, std::string_view carrier,
                                                  std::size_t limit);  ///< newest first

/// One compact row per carrier and minute: when each shipment was last asked (Lane::checkpoint).
DbResult<void> save_lane_checkpoint(Session& session, std::string_view carrier, std::string_view asked, Instant now);
struct LaneCheckpoint {
  std::string carrier;
  std::string asked;
};
DbResult<std::vector<LaneCheckpoint>> load_lane_checkpoints(Session& session);

// ---------------------------------------------------------------- for people

struct CarrierCounts {
  std::string carrier;
  std::string status;
  std::int64_t shipments = 0;
};
struct UnmappedCode {
  std::string carrier, code, text;
  std::int64_t seen = 0;
  Instant last_seen{};
};
struct Overview {
  std::vector<CarrierCounts> open_shipments;
  std::vector<CarrierCounts> requests;  ///< status = request state
  std::int64_t transitions_without_seq = 0;
  std::int64_t last_seq = 0;
  std::vector<UnmappedCode> unmapped;  ///< the 100 seen last
  std::optional<Instant> oldest_pending_request;
};
DbResult<Overview> overview(Session& session);

struct ShipmentView {
  OpenShipment shipment;
  int cycle = 1;
  std::string order_number;
  int parcel_group = 1;
  std::string status, reason;
  int attempts_failed = 0;
  bool baseline = false;
  std::optional<Instant> ended_at;
  std::vector<KnownEvent> events;       ///< oldest first
  std::vector<Transition> transitions;  ///< by id
};
/// The latest cycle of CARRIER:REMITO; or every shipment of an order.
DbResult<std::vector<ShipmentView>> view_shipments(Session& session, const ResyncTarget& target);
struct RequestView {
  std::int64_t request_id = 0;
  std::string request_key, order_number, carrier, state, remito, refusal_code, refusal_text;
  int parcel_group = 1, attempts = 0;
  Instant requested_at{};
  std::optional<Instant> settled_at;
};
DbResult<std::vector<RequestView>> view_requests(Session& session, std::string_view order_number);

}  // namespace remitod::db
