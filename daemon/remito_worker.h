// Remitos on demand: takes remito_requests, asks the carrier to create the shipment, settles the request.
//
// A remito is asked for once. The request is committed as `sending` before anything leaves; the call goes over a
// connection of its own; only what provably never left is tried again. Whatever else ends without a clear answer is
// `unknown` and waits for a person: better a late remito than a second, paid shipment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/profile.h"
#include "daemon/raw_keeper.h"
#include "daemon/runtime.h"
#include "db/stores.h"

namespace remitod::daemon {

struct RemitoCounters {
  std::uint64_t granted = 0, refused = 0, unknown = 0, unsent = 0;
};

class RemitoWorker {
 public:
  struct Hooks {
    // The carrier's limits, shared with the polls (Poller).
    std::function<std::size_t(std::string_view carrier)> spare_requests;
    std::function<void(std::string_view carrier, std::size_t)> reserve_requests;
    std::function<void(std::string_view carrier)> request_sent, request_answered;
    std::function<void(const db::OpenShipment&)> shipment_granted;
    std::function<void()> transitions_written;
  };
  RemitoWorker(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, db::Executor& executor,
               RawKeeper& raw, Hooks hooks);

  void add_carrier(std::shared_ptr<const carriers::Profile> profile, std::size_t concurrency);
  /// Something may be in the queue. Cheap to call often: sweeps do not overlap.
  void wake();
  void stop();
  bool idle() const;
  const RemitoCounters& counters() const { return counters_; }
  bool database_trouble() const { return database_trouble_; }

 private:
  struct Carrier {
    std::shared_ptr<const carriers::Profile> profile;
    std::size_t concurrency = 1;
    std::size_t in_flight = 0;
  };
  /// What a sweep may claim, by carrier: so many requests are reserved while it runs.
  using Rooms = std::map<std::string, std::size_t, std::less<>>;
  struct Claimed {
    std::vector<db::RemitoRequest> requests;
    std::optional<Instant> next_due;
    bool changed = false;  ///< transitions were written (refusals)
  };
  struct Ended {
    db::RequestOutcome outcome;
    std::string carrier;
  };
  void sweep();
  Rooms make_room();
  void claimed(const Rooms& rooms, db::DbResult<Claimed> result);
  void reserve_for_waiting(const Rooms& rooms, bool some_wait);
  void send(db::RemitoRequest request);
  void answered(const std::shared_ptr<const db::RemitoRequest>& request, std::string hash,
                carriers::FetchResult result);
  void ended(Ended ended);
  void settle();
  void settled(const std::vector<Ended>& ended, db::DbResult<std::vector<db::SettledRequest>> result);
  void not_settled(std::vector<Ended> ended, const db::DbError& error);
  void free_place(const Ended& ended);

  Runtime& runtime_;
  carriers::HttpTransport& transport_;
  Offload& mapper_;
  db::Executor& executor_;
  RawKeeper& raw_;
  Hooks hooks_;
  std::map<std::string, Carrier, std::less<>> carriers_;
  std::unique_ptr<Alarm> sweep_alarm_;
  std::unique_ptr<Alarm> settle_alarm_;
  std::vector<Ended> waiting_;  ///< settled in the next transaction
  /// After an outcome that the database refuses, so many are settled one by one, so that it holds up nobody else.
  std::size_t one_by_one_ = 0;
  RemitoCounters counters_;
  bool sweeping_ = false, sweep_again_ = false;
  bool settling_ = false, settle_paused_ = false;
  bool database_trouble_ = false;
  bool stopping_ = false;
};

}  // namespace remitod::daemon
