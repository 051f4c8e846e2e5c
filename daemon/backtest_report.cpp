#include "daemon/backtest_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>
#include <vector>

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr double soon_minutes = 10;

/// Nearest rank.
double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void add_delays(std::vector<double> delays, BacktestFigures& figures) {
  figures.unseen = figures.statuses - delays.size();
  if (delays.empty()) return;
  std::ranges::sort(delays);
  const auto count = static_cast<double>(delays.size());
  figures.mean = std::reduce(delays.begin(), delays.end()) / count;
  figures.p50 = percentile(delays, 0.5);
  figures.p90 = percentile(delays, 0.9);
  figures.p99 = percentile(delays, 0.99);
  const auto soon = std::ranges::upper_bound(delays, soon_minutes) - delays.begin();
  figures.within_10 = static_cast<double>(soon) / count;
}

std::string line(const std::string& carrier, const std::string& schedule, const BacktestFigures& figures) {
  char text[128];
  std::snprintf(text, sizeof text, "%-14.14s %-8s %9zu %9zu %7.1f %6.1f %7.1f %7.1f %5.1f %%\n", carrier.c_str(),
                schedule.c_str(), figures.polls, figures.requests, figures.mean, figures.p50, figures.p90, figures.p99,
                100 * figures.within_10);
  return text;
}

json to_json(const BacktestFigures& figures) {
  return {{"statuses", figures.statuses},
          {"unseen", figures.unseen},
          {"polls", figures.polls},
          {"requests", figures.requests},
          {"delay_minutes", {{"mean", figures.mean}, {"p50", figures.p50}, {"p90", figures.p90}, {"p99", figures.p99}}},
          {"within_10_minutes", figures.within_10}};
}

}  // namespace

BacktestSummary summarise(const Trace& trace, const scheduler::Backtest& backtest) {
  BacktestSummary summary;
  std::unordered_map<std::int64_t, BacktestFigures*> of_ship;
  std::unordered_map<BacktestFigures*, std::vector<double>> delays;
  for (const scheduler::TraceRow& row : trace.rows) {
    BacktestFigures& figures = summary.carriers[trace.carriers.at(row.carrier)];
    of_ship.try_emplace(row.ship, &figures);
    ++figures.statuses;
    ++summary.all.statuses;
  }
  std::uint64_t request = 0;
  for (const scheduler::TracePoll& poll : backtest.polls) {
    const bool next = std::exchange(request, poll.request) != poll.request;
    for (BacktestFigures* figures : {of_ship.at(poll.ship), &summary.all}) {
      ++figures->polls;
      figures->requests += next ? 1 : 0;
    }
  }
  for (const scheduler::Detection& detection : backtest.detections) {
    const scheduler::TraceRow& row = trace.rows[detection.row];
    const double minutes = (static_cast<double>(detection.at) - row.published) / scheduler::minute_s;
    for (BacktestFigures* figures : {of_ship.at(row.ship), &summary.all}) delays[figures].push_back(minutes);
  }
  add_delays(std::move(delays[&summary.all]), summary.all);
  for (auto& [carrier, figures] : summary.carriers) add_delays(std::move(delays[&figures]), figures);
  return summary;
}

std::string backtest_text(const std::string& words, const BacktestSummary& schedule, const BacktestSummary& hourly) {
  std::string text = words + "\n\n";
  text += "                                                delay, minutes              within\n";
  text += "carrier        schedule     polls  requests    mean    p50     p90     p99  10 min\n";
  const auto both = [&](const std::string& carrier, const BacktestFigures& ours, const BacktestFigures& theirs) {
    text += line(carrier, "this", ours);
    text += line("", "hourly", theirs);
  };
  for (const auto& [carrier, figures] : schedule.carriers) both(carrier, figures, hourly.carriers.at(carrier));
  both("all", schedule.all, hourly.all);
  if (schedule.all.unseen > 0)
    text += "\n" + std::to_string(schedule.all.unseen) + " published statuses were never seen.\n";
  return text;
}

std::string backtest_json(const BacktestSummary& schedule, const BacktestSummary& hourly) {
  json out{{"all", {{"schedule", to_json(schedule.all)}, {"hourly", to_json(hourly.all)}}},
           {"carriers", json::object()}};
  for (const auto& [carrier, figures] : schedule.carriers)
    out["carriers"][carrier] = {{"schedule", to_json(figures)}, {"hourly", to_json(hourly.carriers.at(carrier))}};
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";  // a trace's names may be in any encoding
}

}  // namespace remitod::daemon
