// One live question about one shipment, outside of any schedule: what --try-carrier asks for. The running daemon asks
// it within the carrier's limits and session; a program that is no daemon brings a session of its own. Belongs to the
// deciding thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/transport.h"
#include "daemon/carrier_access.h"
#include "daemon/runtime.h"

namespace remitod::daemon {

/// So long a trial waits for its turns, all together and on the wall's clock.
inline constexpr std::chrono::seconds trial_patience{30};
/// So many are under way at a time; a further one is not asked.
inline constexpr std::size_t trials_max = 8;

class CarrierTrials {
 public:
  /// The carrier's limits, which a trial shares with all other requests (poller.h).
  struct Limits {
    std::function<std::size_t(std::string_view carrier)> spare_requests;
    std::function<void(std::string_view carrier)> request_sent, request_answered;
    /// The rate brings room, which nobody else would take: a trial waits for it beyond its patience. Null: who knows.
    std::function<bool(std::string_view carrier)> room_is_sure = {};
  };
  /// Runtime, transport and mapper outlive it; it outlives what they do for it.
  CarrierTrials(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, Limits limits);
  ~CarrierTrials();

  void add_carrier(std::shared_ptr<CarrierAccess> access);
  /// Null: there is no such carrier.
  const carriers::Profile* profile(std::string_view carrier) const;

  using Done = std::move_only_function<void(std::string)>;
  /// Asks, page after page, and once more where the carrier did not take the session. `carrier` is one of those added.
  /// `done` gets JSON: describe_trial() of carriers/trial.h with "events_until" (what lies later is of the future)
  /// and "outcome": "read", or "trouble" where the answer as a
  /// whole says nothing. Where it comes to no answer there are "carrier", "remito", "pages" with the requests alone,
  /// "problem" in words, and as "outcome" one of the following. "login": describe_login(), where one was made or
  /// failed.
  ///   "not_asked"   the request cannot be made
  ///   "no_room"     the carrier's limits have no room for it, or trials_max are under way
  ///   "no_login"    the login failed: "kind" is that of the trouble
  ///   "no_answer"   it was asked, or a login was, and nothing came
  void track(std::string_view carrier, std::string remito, Done done);

 private:
  class Trial;
  Runtime& runtime_;
  carriers::HttpTransport& transport_;
  Offload& mapper_;
  Limits limits_;
  std::map<std::string, std::shared_ptr<CarrierAccess>, std::less<>> carriers_;
  std::vector<std::shared_ptr<Trial>> trials_;  ///< under way
};

}  // namespace remitod::daemon
