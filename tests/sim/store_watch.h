// Reads along in the database: after every transaction what is new in `transitions`, and now and then all shipments and
// requests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "db/session.h"
#include "tests/sim/trace.h"

namespace remitod::sim {

struct ShipmentRow {
  std::int64_t id = 0;
  std::string carrier, remito, status;
  int attempts_failed = 0;
  bool baseline = false;
  std::optional<Instant> terminal_at, ended_at;
};
struct RequestRow {
  std::int64_t id = 0;
  std::string key, carrier, order_number, client_ref, state, remito, refusal_code;
};
struct CancelRow {
  std::int64_t id = 0;
  std::string key, order_number, carrier, remito, state, refusal_code;  ///< carrier and remito once it is at a carrier
  std::optional<Instant> unclear_at;
};
struct TransitionRow {
  std::int64_t id = 0;
  std::int64_t seq = 0;  ///< 0: none yet
  std::string subject;
  std::int64_t shipment_id = 0, request_id = 0;
  std::string code, from, to;
  std::optional<Instant> occurred_at;
  bool inferred = false, late = false;
  bool of_import = false;  ///< of a shipment whose first report was history
};
struct EventRow {
  Instant occurred_at{};
  std::string status;
  friend auto operator<=>(const EventRow&, const EventRow&) = default;
};

// All that are there, by id. Only those that were taken in.
std::vector<ShipmentRow> read_shipments(db::Session& session);
std::vector<RequestRow> read_requests(db::Session& session);
std::vector<CancelRow> read_cancels(db::Session& session);  ///< also those that nobody has taken in
std::vector<TransitionRow> read_transitions(db::Session& session, std::int64_t after_id = 0);
std::vector<EventRow> read_events(db::Session& session,
                                  std::int64_t shipment_id);  ///< in their order

class StoreWatch {
 public:
  StoreWatch(db::Session& session, Trace& trace) : session_(session), trace_(trace) {}

  /// Something was written. Broken checks: told_twice (a change is told once), chain (each begins where the last one
  /// ended), moved_after_cancel (what was cancelled stays so), seq (1, 2, 3 ... and in their order for each shipment).
  void written(Instant now);
  /// Broken check: settled_again (what is granted, refused or cancelled stays so).
  void look_at_requests();
  /// A cancellation is then believed to lie before what had happened by then, until the carrier tells of it, too.
  void daemons_clock_is_behind(bool is_behind) { clock_is_behind_ = is_behind; }
  std::int64_t last_seq() const { return last_seq_; }

 private:
  void check_settled(const std::string& key, bool is_settled, const std::string& now);
  void look_at_new(Instant now);
  void look_at_numbered();

  db::Session& session_;
  Trace& trace_;
  std::int64_t last_id_ = 0, last_seq_ = 0;
  struct Chain {
    std::string status = "registered";
    std::int64_t last_numbered_id = 0;
    bool cancelled_too_early = false;  ///< by a clock that was behind
  };
  std::map<std::int64_t, Chain> shipments_;
  std::map<std::int64_t, std::int64_t> shipment_of_;  ///< of transitions without a seq
  using Told = std::tuple<std::string, std::int64_t, std::string, std::string, std::optional<Instant>, bool>;
  std::set<Told> told_;
  std::map<std::string, std::string> settled_;  ///< requests by their key, and how
  bool clock_is_behind_ = false;
};

}  // namespace remitod::sim
