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
  /// Carrier and reference of requests whose call had no clear answer.
  const std::set<std::pair<std::string, std::string>>& unclear;
  Instant now{};
};

/// Broken checks: events_are_true, status_is_true, status_is_told, attempts_are_told, requests_are_settled,
/// people_are_asked_rightly, remitos_are_true, ready_once, seq, letters_arrived, lanes_are_complete.
void check_truth(const Ending& ending);

}  // namespace remitod::sim
