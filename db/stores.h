// All that the daemon asks of the database, in the domain's words. Each function runs inside the transaction of its
// caller (Executor::run, OwnSession::transact), sends set-based statements only, and takes `now` as an argument. The
// tables are described in README.md of this folder.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "carriers/tracking.h"
#include "db/error.h"
#include "db/executor.h"
#include "db/number_range.h"
#include "db/reconcile.h"

namespace remitod::db {

// ---------------------------------------------------------------- shipments

/// An open shipment as a lane needs it.
struct OpenShipment {
  std::int64_t shipment_id = 0;
  std::string carrier;
  std::string remito;
  Instant registered_at{};
  Status status = Status::registered;
  Instant status_since{};  ///< when it was detected, or the shipment accepted; epoch: just now
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
  /// Of an answer that was kept and is read again: when it came. Nothing: now.
  std::optional<Instant> received_at = {};
  /// We have done it ourselves (a cancellation): no answer of the carrier, so that an import's history is still to
  /// come.
  bool is_our_doing = false;
};

struct ApplyRules {
  std::string carrier;
  ReconcileRules reconcile;
  std::chrono::hours tail{72};  ///< a terminal shipment is asked about for this long
  std::chrono::hours give_up_after{24 * 60};
  bool shadow = false;  ///< transitions are recorded and never told: they get no seq
  /// Its shipments are asked about again and again, so that what it dates in the future can be left out until then.
  /// What comes once, in a file or a feed, is taken as it is.
  bool is_asked = true;
};

struct AppliedReport {
  std::int64_t shipment_id = 0;
  std::size_t new_events = 0;
  std::size_t updated_events = 0;  ///< of those known, what the carrier or the profile says of them
  std::size_t transitions = 0;
  std::size_t noise = 0;                     ///< new events without effect
  std::size_t too_old = 0;                   ///< events of an earlier use of the number: left out
  std::size_t over_limit = 0;                ///< events past what is kept of a report or a shipment: left out
  std::size_t ahead = 0;                     ///< new events of the future: left out until then where is_asked
  std::vector<TrackingEvent> unmapped = {};  ///< new events whose code the profile does not know
  Status status = Status::registered;
  bool leaves_lane = false;  ///< terminal and past its tail, expired, or no longer there
};

/// Reconciles and writes a batch of reports: one read, and only where something changed the writes; events,
/// transitions, shipment rows and unmapped codes in the caller's one transaction. Equal reports write nothing. The
/// result has one entry for each report, in their order.
DbResult<std::vector<AppliedReport>> apply_reports(Session& session, const ApplyRules& rules,
                                                   std::span<const PolledReport> reports, Instant now);

/// A transition that a report would make.
struct PreviewedTransition {
  std::int64_t shipment_id = 0;
  std::string remito;
  std::string event_key;
  Status from = Status::registered, to = Status::registered;
  std::optional<Instant> occurred_at;
  bool late = false;
};
struct PreviewedReports {
  std::vector<AppliedReport> applied;
  std::vector<PreviewedTransition> transitions;
};
/// What apply_reports would do. Writes nothing.
DbResult<PreviewedReports> preview_reports(Session& session, const ApplyRules& rules,
                                           std::span<const PolledReport> reports, Instant now);

/// Ends what is over: terminal shipments past their tail leave; shipments that never ended become `expired` (a
/// transition) after give_up_after. Returns the ids that leave the lane. At most `limit`.
DbResult<std::vector<std::int64_t>> end_finished_shipments(Session& session, const ApplyRules& rules, Instant now,
                                                           std::size_t limit);

struct ForgottenShipment {
  std::int64_t shipment_id = 0;
  std::string order_number;
  std::string status;
};
/// Ends the open shipment of this number as it stands: no transition, and its status stays. Nothing: there is none.
DbResult<std::optional<ForgottenShipment>> forget_shipment(Session& session, std::string_view carrier,
                                                           std::string_view remito, Instant now);

// ---------------------------------------------------------------- files

/// A file that a carrier left and that has been read.
struct ReadFile {
  std::string name;
  std::int64_t bytes = 0;
  std::string modified;      ///< as the carrier's server writes it
  std::string content;       ///< fingerprint of its bytes
  std::int64_t reports = 0;  ///< what it said, of whichever shipments
  Instant read_at{};
};
DbResult<std::vector<ReadFile>> load_read_files(Session& session, std::string_view carrier);
/// In the transaction of the last of its reports: then it is read once, whatever happens. Replaces what was known of
/// the name, and forgets the names in `forgotten`.
DbResult<void> remember_read_file(Session& session, std::string_view carrier, const ReadFile& file,
                                  std::span<const std::string> forgotten);
/// Whether the platform has inserted one of these that is not taken up yet: nothing can be told of it so far.
DbResult<bool> waits_to_be_taken_up(Session& session, std::string_view carrier, std::span<const std::string> remitos);
/// Those of these numbers that are open at this carrier.
DbResult<std::vector<OpenShipment>> find_open_shipments(Session& session, std::string_view carrier,
                                                        std::span<const std::string> remitos);

// ---------------------------------------------------------------- remito requests

/// States of remito_requests.state: pending -> sending -> (accepted ->) granted | refused | unknown. "accepted" waits
/// for the carrier. "unknown", where the carrier may have made a shipment or not, is looked up or sent again
/// (unclear_requests.h), and becomes "needs_operator", which waits for a person, where neither is safe. "cancelled": by
/// the platform, before anything was sent.
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
  std::string proposed_remito;  ///< the remito once it is granted: out of a range, or told before the grant; or empty
  std::optional<Instant> confirm_until;  ///< it was accepted: when the carrier's silence ends it
  Instant accepted_at{};
  /// The first call that may have made a shipment began; absent: the carrier cannot have heard of the client_ref.
  std::optional<Instant> first_sent_at;
  /// The last call that ended without a clear answer had ended by then; absent: none since it is known to have made
  /// none.
  std::optional<Instant> unclear_at;
  int unclear_calls = 0;    ///< how many did, over all attempts
  int looks = 0;            ///< at what the last of them made
  int numbers_refused = 0;  ///< of a range, by the carrier
  std::string seen;         ///< refusal_text: what came of the last of them
};

/// Gives new rows (accepted_at is null) their client_ref and state `pending`. Returns how many. At most `limit`.
DbResult<std::size_t> accept_new_requests(Session& session, Instant now, std::size_t limit);

/// Claims pending requests that are due for these carriers: state `sending`, attempts + 1, a new fencing token, a lease
/// until `lease_expires_at` (it outlasts the call's total deadline). Rows of a carrier that is not listed are left
/// alone; see refuse_unknown_carriers. With `numbered_only` those alone that have a number of a range already. FOR
/// UPDATE SKIP LOCKED on PostgreSQL.
DbResult<std::vector<RemitoRequest>> claim_requests(Session& session, std::span<const std::string> carriers,
                                                    Instant now, Instant lease_expires_at, std::size_t limit,
                                                    bool numbered_only = false);

/// Refuses pending requests whose carrier is none of these, with the reason in the row. Returns how many.
DbResult<std::size_t> refuse_unknown_carriers(Session& session, std::span<const std::string> known_carriers,
                                              Instant now);

/// Writes the number that each of these claimed requests is to have (RemitoRequest::proposed_remito), in the
/// transaction that took it. It stays with the request over all attempts.
DbResult<void> propose_remitos(Session& session, std::span<const RemitoRequest> requests);

/// How one claim ended, of a call or of a look. Every write is guarded by the state and the fencing_token of the claim:
/// a stale worker changes nothing.
struct RequestOutcome {
  std::int64_t request_id = 0;
  std::int64_t fencing_token = 0;
  enum class Kind : std::uint8_t {
    granted,         ///< shipment row and `ready_to_ship` transition in the same transaction
    refused,         ///< `remito_refused` transition
    unknown,         ///< the carrier may have made a shipment: `next_step` is due at `retry_at`
    unsent,          ///< provably not sent: pending again at `retry_at`
    renumber,        ///< the carrier made nothing, because of the number: likewise, and with another number
    accepted,        ///< the carrier will grant or refuse it: looked at again at `retry_at`
    not_made,        ///< none of the calls so far has made a shipment: pending again at `retry_at`
    needs_operator,  ///< waits for a person
  };
  Kind kind = Kind::unknown;
  enum class NextStep : std::uint8_t {
    undecided,
    find,    ///< ask the carrier for the client_ref
    resend,  ///< the same call with the same key
  };
  NextStep next_step = NextStep::undecided;
  bool call_was_unclear = false;  ///< unknown, needs_operator: a call of ours has just ended so
  /// granted: the remito was found at the carrier. One that any shipment has or had is somebody else's.
  bool found = false;
  /// granted: the carrier makes one shipment for an order's number. A remito that an earlier shipment of the order had
  /// tells of that one, though it was cancelled or has ended: nothing was made.
  bool may_repeat_order = false;
  /// granted: the remito is the carrier's own. One that an earlier shipment of the order had which was cancelled is
  /// told by a carrier that knows the order's number: nothing was made.
  bool may_repeat_cancelled = false;
  std::string remito;  ///< accepted: the number that it will have, where the carrier has told it
  std::string code;    ///< refusal_code
  std::string text;    ///< refusal_text: the carrier's words, or what was seen. unknown: both empty: as they were
  std::string request_hash;
  Instant retry_at{};
  std::optional<Instant> confirm_until;  ///< accepted, by the call: when silence ends it. Absent: as it was
};
struct SettledRequest {
  std::int64_t request_id = 0;
  bool stale = false;  ///< the guard failed: nothing was written
  /// granted, and the lane may take it up. A remito that the carrier gave twice while the first is still open makes the
  /// request `needs_operator` instead, with the reason in the row.
  std::optional<OpenShipment> shipment;
  std::optional<std::int64_t> ended_shipment_id = {};  ///< the cancelled one that had its remito: it leaves its lane
  bool remito_in_use = false;
};
DbResult<std::vector<SettledRequest>> settle_requests(Session& session, std::span<const RequestOutcome> outcomes,
                                                      Instant now);

/// At start: whatever is `sending` was cut off by a crash: `unknown`. What is to be done about it, and about all that
/// was unknown before, is decided anew: the profile may be another one. Returns how many were cut off.
DbResult<std::size_t> mark_interrupted_requests(Session& session, Instant now);
/// When the next pending request becomes due, if any is waiting; those of the carriers in `except` that have no number
/// yet wait for something else than time.
DbResult<std::optional<Instant>> next_request_due(Session& session, std::span<const std::string> except = {});
/// Those of whom a request could go now: pending, unclear or to be confirmed.
DbResult<std::set<std::string>> carriers_with_due_requests(Session& session, Instant now);

// ---------------------------------------------------------------- requests that were accepted

inline constexpr std::string_view refusal_not_confirmed = "not_confirmed";

/// Claims accepted requests of the carrier whose next look is due: a new fencing token, and the next look at
/// `lease_expires_at` if this one never ends. FOR UPDATE SKIP LOCKED on PostgreSQL.
DbResult<std::vector<RemitoRequest>> claim_confirmations(Session& session, std::string_view carrier, Instant now,
                                                         Instant lease_expires_at, std::size_t limit);
/// When the next look at a request of these carriers becomes due, if any is accepted.
DbResult<std::optional<Instant>> next_confirmation_due(Session& session, std::span<const std::string> carriers);
/// Requests past their deadline whose carrier is none of these (it was taken out of the configuration) become
/// `needs_operator`; of the others the last look decides. Returns how many.
DbResult<std::size_t> give_up_confirmations(Session& session, std::span<const std::string> askable, Instant now);

// ---------------------------------------------------------------- numbers given ahead

/// Takes in ranges that ops inserted into remito_ranges (accepted_at is null); one that cannot be used gets its
/// `error`. Returns how many were looked at. At most `limit`.
DbResult<std::size_t> accept_number_ranges(Session& session, Instant now, std::size_t limit);
/// Takes in what the carrier gave. Returns how many numbers that are, or why none was taken in: one range is wrong or
/// overlaps another that the carrier gave before.
DbResult<std::expected<std::int64_t, std::string>> add_number_ranges(Session& session, std::string_view carrier,
                                                                     std::span<const NumberRange> ranges, Instant now);
DbResult<std::int64_t> numbers_left(Session& session, std::string_view carrier);
/// The next numbers of the carrier's ranges, the oldest range first; fewer where they run out. They are gone when the
/// transaction commits, whatever becomes of them.
DbResult<std::vector<std::string>> take_numbers(Session& session, std::string_view carrier, std::size_t count);
/// Those of these remitos that some shipment of the carrier has or had.
DbResult<std::vector<std::string>> remitos_used(Session& session, std::string_view carrier,
                                                std::span<const std::string> remitos);

/// Whose turn is it to ask the carrier for further numbers? For one caller until `until`: how often that has failed in
/// a row. For others nothing.
DbResult<std::optional<int>> claim_refill(Session& session, std::string_view carrier, Instant now, Instant until);
/// What became of it; without effect if the claim has passed to another. `problem` is empty where numbers came.
DbResult<void> end_refill(Session& session, std::string_view carrier, Instant claimed_until, std::string_view problem,
                          Instant next_try_at);

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
  bool inferred = false, late = false, correction = false, backfill = false;
  bool shadow = false;  ///< told to nobody
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
/// In words: nothing of this remito or order is open, whenever it changed last. Empty: something is, or the target
/// names neither; a carrier without shipments is no mistake. `scope` is what was found of it.
DbResult<std::string> find_missing_target(Session& session, const ResyncTarget& target,
                                          std::span<const ResyncScope> scope);

struct ResyncRequest {
  std::int64_t resync_id = 0;
  ResyncTarget target;
  std::optional<Instant> since;
  std::string error = {};  ///< what is wrong with the target: see find_missing_target
};
DbResult<std::int64_t> insert_resync_request(Session& session, const ResyncTarget& target, std::optional<Instant> since,
                                             Instant now);
/// New rows and rows that a stopped daemon left unfinished. A row whose target cannot be read is finished with `error`
/// set.
DbResult<std::vector<ResyncRequest>> accept_resync_requests(Session& session, Instant now, bool also_unfinished);
DbResult<void> finish_resync_request(Session& session, std::int64_t resync_id, std::int64_t shipments,
                                     std::string_view error, Instant now);

// ---------------------------------------------------------------- what is kept besides

/// One compact row per carrier and minute.
struct LaneCheckpoint {
  std::string carrier;
  std::string asked;                                               ///< when each shipment last was (Lane::checkpoint)
  std::optional<Instant> polls_wished_until, orders_wished_until;  ///< by the carrier (Lane::wishes)
  Instant saved_at{};
};
DbResult<void> save_lane_checkpoint(Session& session, const LaneCheckpoint& checkpoint);
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
struct RequestView {
  std::int64_t request_id = 0;
  std::string request_key, order_number, carrier, state, remito, refusal_code, refusal_text, client_ref;
  std::string operator_action;  ///< how it was settled by hand last, and by whom
  int parcel_group = 1, attempts = 0;
  Instant requested_at{};
  std::optional<Instant> settled_at;
};
struct Overview {
  std::vector<CarrierCounts> open_shipments;
  std::vector<CarrierCounts> requests;  ///< status = request state
  std::int64_t transitions_without_seq = 0;
  std::int64_t last_seq = 0;
  std::vector<UnmappedCode> unmapped;  ///< the 100 seen last
  std::optional<Instant> oldest_pending_request;
  std::vector<RequestView> needs_operator;  ///< the 50 that have waited longest
  struct UnsentRequest {
    std::string carrier;
    Instant accepted_at{};
    std::string refusal_text;  ///< why; '' while it is being tried again
  };
  std::vector<UnsentRequest> unsent;  ///< tried, and provably not sent so far: of each carrier the 1,000 that have
  ///< waited longest
  struct OpenCancels {
    std::string carrier;
    std::int64_t count = 0;
    Instant accepted_at{};     ///< of the one that has waited longest
    std::string refusal_text;  ///< why that one has no end
  };
  std::vector<OpenCancels> open_cancels;  ///< begun, and neither cancelled nor refused nor left to a person
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
DbResult<std::vector<RequestView>> view_requests(Session& session, std::string_view order_number);

}  // namespace remitod::db
