// What happens to one poll. The steps stand in poller.cpp in the order in which they happen:
//
//   wake      the lane says which shipments may be asked now (scheduler/lane.h)
//   send      profile + shipments -> HTTP request -> carrier (carriers/request.h, transport.h)
//   answered  equal bytes: done. Else the answer goes to the mapping thread (carriers/mapping.h)
//   mapped    equal reports: done. What is new waits for the next commit
//   commit    one transaction for the waiting reports: compare with the database, write, make transitions (db/stores.h)
//   committed fingerprints advance, the lane learns that its shipments were asked
//
// What is new waits a moment, so that changes that come together are committed together; while a thousand reports wait,
// no further request goes out. So a slow or lost database pauses the polling by itself, and nothing is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carriers/profile.h"
#include "daemon/raw_keeper.h"
#include "daemon/runtime.h"
#include "db/stores.h"
#include "scheduler/lane.h"

namespace remitod::daemon {

/// Counted since the start, for --status.
struct PollCounters {
  std::uint64_t requests = 0;   ///< sent
  std::uint64_t polls = 0;      ///< shipments asked about and answered
  std::uint64_t unchanged = 0;  ///< of those: same bytes or same reports
  std::uint64_t transitions = 0;
  std::uint64_t failed_requests = 0;
  std::uint64_t wrong_rows = 0;  ///< parts of answers left out
  std::uint64_t missing = 0;     ///< asked for, not in the answer
  std::uint64_t extra = 0;       ///< in the answer, not asked for
  std::uint64_t unmapped = 0;
  std::uint64_t too_old = 0;  ///< events of an earlier use of a number
  std::uint64_t noise = 0;    ///< events stored without effect
  Instant last_answer_at{};
  std::string last_error;
  Instant last_error_at{};
};

class Poller {
 public:
  struct Hooks {
    std::function<void()> transitions_written;
    /// Shipments that were asked by hand and are answered now, or are gone.
    std::function<void(std::span<const std::int64_t>)> resync_answered;
  };
  Poller(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, db::Executor& executor, RawKeeper& raw,
         Hooks hooks);
  ~Poller();

  void add_carrier(std::shared_ptr<const carriers::Profile> profile, scheduler::LaneConfig config);
  /// Carriers that are not configured are counted (orphans) and otherwise left alone.
  void add_shipments(std::span<const db::OpenShipment> shipments);
  void add_shipment(const db::OpenShipment& shipment, Instant last_asked);
  void remove(std::string_view carrier, std::span<const std::int64_t> shipment_ids);
  /// Returns how many of them are in their lanes here.
  std::size_t mark_resync(std::span<const db::ResyncScope> scope);
  // Requests for remitos share the carrier's rate, concurrency and rests with the polls.
  std::size_t spare_requests(std::string_view carrier);  ///< that may go out now
  /// Polls leave so many of what comes free to them, until it is said anew: a merchant waits for a remito, and polls
  /// that are late would take everything.
  void reserve_requests(std::string_view carrier, std::size_t requests);
  void request_sent(std::string_view carrier);
  void request_answered(std::string_view carrier);

  /// No further requests go out; those under way are finished.
  void stop();
  bool idle() const;  ///< nothing is in flight or waits for a commit

  struct CarrierView {
    const carriers::Profile& profile;
    const scheduler::Lane& lane;
    const PollCounters& counters;
    std::size_t waiting_for_commit;
    db::ApplyRules rules;
  };
  std::vector<CarrierView> carriers() const;
  const scheduler::Lane* lane(std::string_view carrier) const;
  std::size_t orphans() const { return orphans_; }
  bool database_trouble() const;

 private:
  struct Carrier;
  struct Mapped;
  struct Answered;
  void wake(Carrier& carrier);
  void set_wake_alarm(Carrier& carrier, Instant now);
  bool send(Carrier& carrier, scheduler::Batch batch);
  void answered(Carrier& carrier, scheduler::Batch batch, carriers::FetchResult result);
  void map(Carrier& carrier, scheduler::Batch batch, carriers::HttpAnswer answer);
  void mapped(Carrier& carrier, Mapped mapped);
  void commit(Carrier& carrier);
  void committed(Carrier& carrier, db::DbResult<std::vector<db::AppliedReport>> result);
  void settle(Carrier& carrier, Answered& answer, std::span<const db::AppliedReport> applied);
  void give_up_on(Carrier& carrier, const db::DbError& error);
  void leave_out_refused(Carrier& carrier, std::vector<Answered> answers, const db::DbError& error);
  static std::vector<Answered> in_parts(Answered answer);
  void finish(Carrier& carrier, const scheduler::Batch& batch, const scheduler::BatchOutcome& outcome);
  void failed(Carrier& carrier, const scheduler::Batch& batch, std::string_view kind, std::string_view message,
              scheduler::BatchOutcome outcome);
  void note_failure(Carrier& carrier, std::string_view remito, std::size_t shipments, std::string_view kind,
                    std::string_view message);
  void leave_out_unaskable(Carrier& carrier, scheduler::Batch& batch);
  void note_imperfections(Carrier& carrier, const Mapped& mapped);
  Carrier* find(std::string_view name) const;

  Runtime& runtime_;
  carriers::HttpTransport& transport_;
  Offload& mapper_;
  db::Executor& executor_;
  RawKeeper& raw_;
  Hooks hooks_;
  std::map<std::string, std::unique_ptr<Carrier>, std::less<>> carriers_;
  std::size_t orphans_ = 0;
  bool stopping_ = false;
};

}  // namespace remitod::daemon
