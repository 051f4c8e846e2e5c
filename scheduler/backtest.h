// Runs a schedule over a trace of what carriers published, on a virtual clock: rows in, polls out.
//
// It looks at nothing before its time: the polls up to a moment depend on what was published until then, and on which
// shipments were created until then.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "scheduler/adaptive_calendar.h"
#include "scheduler/moments.h"
#include "scheduler/schedule_config.h"

namespace remitod::scheduler {

/// One published status. A poll shows every status that was published by then; a `final` one closes the shipment.
struct TraceRow {
  std::int64_t ship = 0;
  std::int64_t carrier = 0;
  Second created = 0;  ///< the same in all rows of a shipment
  Second published = 0;
  std::int32_t status = 0;  ///< any number; as many as statuses_max are told apart
  bool final = false;
};

/// From `from` to before `to` no request is answered, whatever the carrier.
struct Outage {
  Second from = 0, to = 0;
};

struct BacktestOptions {
  /// Hourly asks everybody at each full hour, as the legacy pull does. Fixed asks so often that the budget's share of
  /// the hourly polls is spent.
  ScheduleConfig schedule;
  int batch_max = 1;
  AdaptiveCalendar calendar;
  std::uint64_t seed = 1;
  std::optional<int> requests_per_minute;  ///< what each carrier allows in any minute, at least 1; none: anything
  double failed_share = 0;                 ///< of requests that are not answered, 0 to 1
  std::vector<Outage> outages{};
};

struct TracePoll {
  std::int64_t ship = 0;
  Second at = 0;
  std::uint64_t request = 0;  ///< counted from 1
  friend bool operator==(const TracePoll&, const TracePoll&) = default;
};

/// When a published status was seen first.
struct Detection {
  std::size_t row = 0;  ///< of the trace as given
  Second at = 0;
};

struct Backtest {
  std::vector<TracePoll> polls;
  std::vector<Detection> detections;  ///< what was published and is not here was never seen
};

/// Runs until all shipments are closed, or nothing more can be seen.
Backtest run_backtest(const std::vector<TraceRow>& rows, const BacktestOptions& options);

}  // namespace remitod::scheduler
