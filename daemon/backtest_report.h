// What --backtest prints: a schedule's figures on a trace beside the hourly pull's. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "daemon/backtest_trace.h"

namespace remitod::daemon {

/// Delays in minutes, from publication to the poll that saw it.
struct BacktestFigures {
  std::size_t statuses = 0;  ///< published
  std::size_t unseen = 0;    ///< of these, never seen: nobody asked again
  std::size_t polls = 0;
  std::size_t requests = 0;
  double mean = 0, p50 = 0, p90 = 0, p99 = 0;
  double within_10 = 0;  ///< share of those seen
};

struct BacktestSummary {
  BacktestFigures all;
  std::map<std::string, BacktestFigures> carriers;
};
BacktestSummary summarise(const Trace& trace, const scheduler::Backtest& backtest);

/// `words`: what was run, for the first line.
std::string backtest_text(const std::string& words, const BacktestSummary& schedule, const BacktestSummary& hourly);
std::string backtest_json(const BacktestSummary& schedule, const BacktestSummary& hourly);

}  // namespace remitod::daemon
