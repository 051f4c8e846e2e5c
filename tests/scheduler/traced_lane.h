// A lane that lives through a trace of what one carrier published, on a clock that jumps from one event to the next.
#pragma once

#include <functional>
#include <vector>

#include "scheduler/backtest.h"
#include "scheduler/lane.h"

namespace remitod::scheduler::test {

struct LaneRunPlan {
  LaneConfig config;
  std::uint64_t seed = 1;
  Second latency = 1;       ///< of every answer
  double failed_share = 0;  ///< of requests that are not answered
  struct Outage {
    Second from = 0, to = 0;
  };
  std::vector<Outage> outages;   ///< nothing is answered
  std::vector<Second> restarts;  ///< the process is killed and begins again from the checkpoint of the minute before
  /// Something else that is done to the lane, each at its moment.
  struct Deed {
    Second at = 0;
    std::function<void(Lane&, Instant now)> deed;
  };
  std::vector<Deed> deeds;
};

struct LaneRun {
  std::vector<TracePoll> polls;  ///< also those that were not answered
  std::vector<Detection> detections;
  Second longest_unanswered = 0;  ///< the longest time from one answered poll of an open shipment to the next
  std::vector<Second> plans;      ///< when what was learned was taken up
};

/// The rows are all of one carrier; statuses 1, 2, ... become in_transit, out_for_delivery, ...
LaneRun run_lane(const std::vector<TraceRow>& rows, const LaneRunPlan& plan);

/// Mean delay of what was published in [from, to), minutes.
double mean_delay(const std::vector<TraceRow>& rows, const std::vector<Detection>& detections, Second from, Second to);

}  // namespace remitod::scheduler::test
