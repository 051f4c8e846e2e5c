// Shipments that are no longer wanted: takes cancel_requests, asks the carrier, settles them. A cancellation whose end
// is unclear is not sent again by itself: what the carrier then tells of the shipment decides, or a person.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carriers/operations.h"
#include "daemon/carrier_questions.h"
#include "daemon/order_hooks.h"
#include "daemon/raw_keeper.h"
#include "daemon/runtime.h"
#include "db/cancel_requests.h"

namespace remitod::daemon {

class CancelWorker {
 public:
  struct Hooks {
    // The carrier's limits, shared with the polls (Poller).
    std::function<std::size_t(std::string_view carrier)> spare_requests;
    std::function<Instant(std::string_view carrier)> rests_until;  ///< the past or epoch: it does not rest
    std::function<void(std::string_view carrier, std::size_t)> reserve_requests;
    OrderHooks orders;
    /// Ask the carriers of these shipments where they stand.
    std::function<void(std::span<const db::ResyncScope>)> look_at;
    std::function<void()> transitions_written;
  };
  CancelWorker(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, db::Executor& executor,
               RawKeeper& raw, Hooks hooks);

  void add_carrier(std::shared_ptr<CarrierAccess> access);
  /// Something may be in the table. Cheap to call often: sweeps do not overlap.
  void wake();
  /// A remito request was settled: one that a cancellation waits for, maybe.
  void request_settled() {
    if (some_wait_) wake();
  }
  void stop();
  bool idle() const { return !sweeping_ && working_on_.empty(); }
  bool database_trouble() const { return database_trouble_; }

 private:
  struct Swept {
    db::CancelsTakenUp taken;
    std::vector<db::CancelRequest> calls;
  };
  using Pointer = std::shared_ptr<const db::CancelRequest>;
  /// What a sweep may claim, by carrier: so many requests are reserved while it runs.
  using Rooms = std::map<std::string, std::size_t, std::less<>>;
  void sweep();
  void swept(const Rooms& rooms, db::DbResult<Swept> result);
  void begin(const Pointer& request);
  void look_up(const Pointer& request);
  void cancel(const Pointer& request, std::string carriers_own_id);
  void answered(const Pointer& request, carriers::HttpAnswer answer, carriers::CancelAnswer said);
  void not_answered(const Pointer& request, const NoAnswer& why);
  void unsent(const Pointer& request, std::string why, Instant retry_at);
  void settle(const Pointer& request, db::CancelOutcome outcome);

  Runtime& runtime_;
  db::Executor& executor_;
  RawKeeper& raw_;
  Hooks hooks_;
  CarrierQuestions questions_;
  std::map<std::string, std::shared_ptr<CarrierAccess>, std::less<>> carriers_;
  std::unique_ptr<Alarm> alarm_, settle_alarm_;
  std::vector<std::pair<Pointer, db::CancelOutcome>> unsettled_;
  std::set<std::int64_t> working_on_;  ///< cancellations, from their claim to their settlement
  bool sweeping_ = false, sweep_again_ = false, some_wait_ = false;
  bool database_trouble_ = false, stopping_ = false;
};

}  // namespace remitod::daemon
