// Personal data: taking it out of the rows of one order, and taking old rows out of the tables, in small pieces. Each
// function runs inside the transaction of its caller, like those of stores.h.
//
// Erased are names, documents, addresses and free text. What stays are facts about a shipment that say nothing of a
// person: order and remito, carrier, statuses and reasons, the carrier's codes, times.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "db/executor.h"

namespace remitod::db {

/// Rows of an order that lose their personal data, or would.
struct ErasedOrder {
  std::int64_t requests = 0;                           ///< payload, and the carrier's words
  std::int64_t shipments = 0;                          ///< whose events and transitions are meant below
  std::int64_t events = 0;                             ///< text and place; the code too, where it is the text
  std::int64_t transitions = 0;                        ///< likewise
  std::int64_t raw_answers = 0;                        ///< deleted, with whatever they say of other orders
  std::int64_t open_requests = 0, open_shipments = 0;  ///< still needed: erased when they end
  std::int64_t known = 0;                              ///< requests and shipments that the order has at all
};
/// Erases what of the order is settled and ended, and remembers that the rest is to follow. Doing it again erases what
/// has come to its end since. A dry run only counts.
DbResult<ErasedOrder> erase_order(Session& session, std::string_view order_number, Instant now, bool dry_run);

/// Orders whose erasure waited for something that was open, and of which nothing is any more: at most `limit`, the
/// longest waiting first.
DbResult<std::vector<std::string>> unfinished_erasures(Session& session, std::size_t limit);

// ---------------------------------------------------------------- by age

/// What is older than these goes.
struct RetentionLimits {
  Instant payloads{}, raw_answers{}, tracking_events{}, transitions{}, requests{}, resyncs{}, sink_letters{};
  Instant shipments{}, legacy_statuses{}, erasures{}, unmapped_codes{};
  std::vector<std::string> sinks;  ///< that are configured: a transition that one has still to receive stays
};

/// One kind of rows that go by age.
struct RetentionStep {
  std::string_view name;  ///< "payloads": the key of [retention]
  /// Takes at most `limit` of them away. Returns how many; fewer than `limit`: there are no more for now.
  std::function<DbResult<std::size_t>(Session&, const RetentionLimits&, Instant now, std::size_t limit)> remove;
  /// How many are kept. Each count has an index that is small beside the table.
  std::function<DbResult<std::int64_t>(Session&)> count;
};
/// In the order in which they are to be taken: what refers to others goes first.
std::span<const RetentionStep> retention_steps();

/// What came of one kind of rows, remembered for people.
struct RetentionResult {
  std::string kind;          ///< the step's name
  std::int64_t removed = 0;  ///< in the last round, or the one under way
  std::int64_t removed_ever = 0;
  std::int64_t kept = 0;           ///< when the last round ended
  std::optional<Instant> done_at;  ///< when that was; absent: none has yet
};
DbResult<std::vector<RetentionResult>> retention_results(Session& session);

/// Notes that a step took `removed` rows away. `begins`: they are the first of a round.
DbResult<void> note_removed(Session& session, std::string_view kind, std::size_t removed, bool begins);
/// Notes that a step found no more, and how many there are.
DbResult<void> note_done(Session& session, const RetentionStep& step, Instant now);

}  // namespace remitod::db
