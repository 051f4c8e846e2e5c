// Remitos on demand: takes remito_requests, asks the carrier to create the shipment, settles the request.
//
// A remito is asked for once. The request is committed as `sending` before anything leaves; the call goes over a
// connection of its own. What provably never left is tried again; what ends without a clear answer is `unknown`, and
// remito_decision.h says what then: better a late remito than a second, paid shipment.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/operations.h"
#include "carriers/profile.h"
#include "carriers/remito.h"
#include "daemon/carrier_access.h"
#include "daemon/carrier_questions.h"
#include "daemon/order_hooks.h"
#include "daemon/raw_keeper.h"
#include "daemon/remito_decision.h"
#include "daemon/remito_sweep.h"
#include "daemon/runtime.h"
#include "db/operator_settlement.h"
#include "db/stores.h"

namespace remitod::daemon {

struct RemitoCounters {
  std::uint64_t granted = 0, refused = 0, unknown = 0, unsent = 0, accepted = 0, needs_operator = 0;
  std::uint64_t adopted = 0;  ///< of those granted: found at the carrier after an unclear end
  std::uint64_t resent = 0;   ///< sent again with the same key, or anew after none was found
};

class RemitoWorker {
 public:
  struct Hooks {
    // The carrier's limits, shared with the polls (Poller).
    std::function<std::size_t(std::string_view carrier)> spare_requests;
    std::function<Instant(std::string_view carrier)> rests_until;  ///< the past or epoch: it does not rest
    std::function<void(std::string_view carrier, std::size_t)> reserve_requests;
    OrderHooks orders;
    std::function<void(const db::OpenShipment&)> shipment_granted;
    std::function<void(std::string_view carrier, std::int64_t shipment_id)> shipment_ended;
    std::function<void()> transitions_written;
  };
  RemitoWorker(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, db::Executor& executor,
               RawKeeper& raw, Hooks hooks);

  void add_carrier(std::shared_ptr<CarrierAccess> access, std::size_t concurrency);
  /// Something may be in the queue. Cheap to call often: sweeps do not overlap.
  void wake();
  /// What a person decides about a request that ended without a clear answer.
  using OperatorResult = db::DbResult<std::expected<db::OperatorSettled, db::NotSettled>>;
  void settle_by_operator(db::OperatorSettlement settlement, std::move_only_function<void(OperatorResult)> done);
  void stop();
  bool idle() const;
  const RemitoCounters& counters() const { return counters_; }
  bool database_trouble() const { return database_trouble_; }

 private:
  /// A lease outlasts its call's total deadline by this: a paused worker's write is stopped by its token, its call by
  /// nothing.
  static constexpr std::chrono::seconds lease_margin{30};
  static constexpr std::chrono::seconds database_retry{2};
  struct Carrier {
    std::shared_ptr<CarrierAccess> access;
    std::shared_ptr<const carriers::Profile> profile;
    std::size_t concurrency = 1;
    std::size_t in_flight = 0;
    bool numbers_low = false;
  };
  /// It is ours to ask the carrier for further numbers.
  struct RefillTurn {
    std::string carrier;
    Instant claimed_until{};
    int failures = 0;  ///< in a row, before this one
  };
  using Blocks = std::expected<std::vector<db::NumberRange>, std::string>;
  struct Refilled {
    RefillTurn turn;
    Blocks blocks;
  };
  /// What a sweep may claim, by carrier: so many requests are reserved while it runs.
  using Rooms = std::map<std::string, std::size_t, std::less<>>;
  struct Ended {
    db::RequestOutcome outcome;
    std::string carrier;
  };
  struct Settlement {
    std::vector<db::SettledRequest> settled;
    std::vector<db::OpenShipment> unheard;  ///< of settlements that failed and were committed all the same
  };
  void sweep();
  Rooms make_room();
  void swept(const Rooms& rooms, Instant claimed_at, Instant lease_expires_at, db::DbResult<Swept> result);
  void reserve_for_waiting(const Rooms& rooms, const std::set<std::string>& waiting);
  void send(db::RemitoRequest request, Instant claimed_at);
  std::chrono::microseconds known_for(std::int64_t request_id) const;
  void not_answered(const db::RemitoRequest& request, std::string hash, const NoAnswer& why);
  void answered(const db::RemitoRequest& request, std::string hash, carriers::HttpAnswer answer,
                carriers::CreateAnswer said);
  /// Decides, and settles what was decided.
  void conclude(const db::RemitoRequest& request, RemitoNews news, std::string hash = {});
  // remito_looks.cpp
  void begin_confirmation(const db::RemitoRequest& request, db::RequestOutcome& outcome) const;
  void still_accepted(const db::RemitoRequest& request, std::string seen);
  void look(db::RemitoRequest request);
  void confirmed(const db::RemitoRequest& request, carriers::HttpAnswer answer, carriers::ConfirmAnswer said);
  void find(db::RemitoRequest request);
  void found(const db::RemitoRequest& request, std::chrono::microseconds asked_after, carriers::HttpAnswer answer,
             carriers::FindAnswer said);
  /// At least so long ago its last unclear call had ended.
  std::chrono::microseconds since_unclear(const db::RemitoRequest& request) const;
  void refill(const RefillTurn& turn);
  void refilled(const RefillTurn& turn, Blocks blocks);
  void store_ranges(Refilled refilled);
  void note_numbers_left(const std::string& carrier, std::int64_t left);

  void ended(Ended ended);
  void settle();
  void settled(const std::vector<Ended>& ended, Instant begun, std::optional<Instant> looked,
               db::DbResult<Settlement> result);
  void not_settled(std::vector<Ended> ended, const db::DbError& error);
  void tell(const std::string& carrier, const db::RequestOutcome& outcome, const db::SettledRequest& settled);
  void note_unheard(Instant begun, bool was_heard, std::optional<Instant> looked);
  void free_place(std::string_view carrier);

  Runtime& runtime_;
  db::Executor& executor_;
  RawKeeper& raw_;
  Hooks hooks_;
  CarrierQuestions questions_;
  std::map<std::string, Carrier, std::less<>> carriers_;
  std::unique_ptr<Alarm> sweep_alarm_;
  std::unique_ptr<Alarm> settle_alarm_;
  std::unique_ptr<Alarm> ranges_alarm_;
  std::vector<Ended> waiting_;         ///< settled in the next transaction
  std::vector<Refilled> unstored_;     ///< the database did not take them; tried again
  std::set<std::int64_t> working_on_;  ///< requests, from their claim to their settlement
  std::chrono::microseconds begun_;    ///< when this worker was made (Runtime::steady())
  Instant begun_at_;                   ///< likewise, by the clock
  /// By request, when its last unclear call had ended (Runtime::steady()): of calls of this worker only. It stands
  /// until the request is settled: a call that provably was not sent says nothing of the one before.
  std::map<std::int64_t, std::chrono::microseconds> unclear_since_;
  /// Likewise, since when it is known to be sent, or to have been.
  std::map<std::int64_t, std::chrono::microseconds> known_since_;
  /// Sweeps or settlements have failed since then, and may have been committed all the same.
  std::optional<Instant> unheard_since_;
  /// After an outcome that the database refuses, so many are settled one by one, so that it holds up nobody else.
  std::size_t one_by_one_ = 0;
  RemitoCounters counters_;
  bool sweeping_ = false, sweep_again_ = false;
  bool settling_ = false, settle_paused_ = false;
  bool database_trouble_ = false;
  bool stopping_ = false;
};

}  // namespace remitod::daemon
