// What has to be true at the end of the calm: the database, the sinks and the lanes say what the carriers know.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "daemon/poller.h"
#include "db/session.h"
#include "tests/sim/transport.h"

namespace remitod::sim {

struct Ending {
  db::Session& session;
  Wire& wire;
  const daemon::Poller& poller;
  /// Calls that had no clear answer: carrier and reference of a create, cancel_of(remito) of a cancellation.
  const std::set<std::pair<std::string, std::string>>& unclear;
  Instant now{};
};

inline std::string cancel_of(const std::string& remito) {
  return "cancel " + remito;
}

/// Broken checks: events_are_true, status_is_true, status_is_told, attempts_are_told, requests_are_settled,
/// people_are_asked_rightly, remitos_are_true, ready_once, order_may_ask_again, cancellations_are_settled,
/// cancellations_are_true, seq, letters_arrived, lanes_are_complete.
void check_truth(const Ending& ending);

}  // namespace remitod::sim
