// What one sweep over the remito requests does to the database, in one transaction: takes in new rows, refuses
// impossible ones, claims what may be sent or looked at now, and gives out numbers of ranges. Runs on the database's
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carriers/profile.h"
#include "db/stores.h"

namespace remitod::daemon {

struct SweepPlan {
  struct Carrier {
    std::shared_ptr<const carriers::Profile> profile;
    std::size_t room = 0;  ///< requests that may be sent now, of whatever kind
  };
  std::vector<Carrier> carriers;  ///< those that take remito requests
  /// Claimed earlier and not settled yet: their leases may run out.
  std::vector<std::int64_t> working_on;
  std::optional<Instant> unheard_since;  ///< see Swept::unheard
  Instant now{};
  Instant lease_expires_at{};
};

struct Swept {
  std::vector<db::RemitoRequest> calls;  ///< to be sent
  std::vector<db::RemitoRequest> looks;  ///< accepted earlier: what became of them?
  std::vector<db::RemitoRequest> finds;  ///< ended without a clear answer: has the carrier made a shipment?
  struct Settled {
    std::string carrier;
    db::RequestOutcome outcome;
    db::SettledRequest result;
  };
  std::vector<Settled> settled;  ///< without a call: out of a range
  /// Carriers to ask for further numbers, until the lease ends: how often that has failed in a row.
  std::map<std::string, int> refills;
  std::map<std::string, std::int64_t> numbers_left;  ///< of carriers with ranges
  std::optional<Instant> next_due;                   ///< of what was left, calls or looks
  std::set<std::string> waiting;                     ///< carriers of whom something that was left is due already
  /// Taken in since then, by transactions that failed and were committed all the same.
  std::vector<db::OpenShipment> unheard;
  std::vector<std::int64_t> given_up;  ///< claims that nobody worked on
  bool changed = false;                ///< transitions may have been written
};

db::DbResult<Swept> sweep_requests(db::Session& session, const SweepPlan& plan);

}  // namespace remitod::daemon
