// The mode --backtest: what a schedule and its budget would have bought on a trace of what carriers published.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace remitod::daemon {

struct BacktestRequest {
  std::string trace;                       ///< a file as backtest_trace.h reads it
  std::string mode = "adaptive";           ///< hourly, fixed or adaptive
  std::string budget = "hourly";           ///< hourly, hourly/4, or requests a day
  int batch = 1;                           ///< shipments in a request
  std::optional<int> requests_per_minute;  ///< what each carrier allows; none: anything
  int max_interval_h = 24;                 ///< hours
  std::string zone = "UTC";                ///< of the carriers, an IANA name
  std::vector<std::string> holidays;       ///< as in the configuration: peru, 08-15, 2026-12-24
  std::string polls;                       ///< a file for the poll log: ship,epoch_seconds,request_id; empty: none
  bool json = false;
};

/// Declares --backtest, which is returned, and the options that go with it. `request` outlives `app`.
CLI::Option* add_backtest(CLI::App& app, BacktestRequest& request);
/// Prints the figures. The exit code.
int backtest(const BacktestRequest& request);

}  // namespace remitod::daemon
