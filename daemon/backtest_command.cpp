#include "daemon/backtest_command.h"

#include <sysexits.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>

#include "daemon/backtest_report.h"
#include "daemon/backtest_trace.h"
#include "scheduler/backtest.h"

namespace remitod::daemon {
namespace {

using scheduler::Mode;

int complain(const std::string& words, int exit_code) {
  std::cerr << "remitod: " << words << '\n';
  return exit_code;
}

std::optional<Mode> mode_from(const std::string& text) {
  if (text == "hourly") return Mode::hourly;
  if (text == "fixed") return Mode::fixed;
  if (text == "adaptive") return Mode::adaptive;
  return std::nullopt;
}

std::optional<scheduler::ScheduleConfig::Budget> budget_from(std::string_view text) {
  constexpr std::string_view hourly = "hourly";
  scheduler::ScheduleConfig::Budget budget;
  const bool share = text.starts_with(hourly);
  if (share) text.remove_prefix(hourly.size());
  double number = 1;
  if (!share || !text.empty()) {
    if (share && !text.starts_with('/')) return std::nullopt;
    text.remove_prefix(share ? 1 : 0);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > 1e8) return std::nullopt;
  }
  if (share)
    budget.share_of_hourly = 1 / number;
  else
    budget.requests_a_day = static_cast<std::int64_t>(number);
  return budget;
}

/// What was run, for the first line of the report.
std::string words_for(const BacktestRequest& request) {
  std::string words = request.trace + ": " + request.mode + ", budget " + request.budget + ", " +
                      std::to_string(request.batch) + " shipments a request";
  if (request.requests_per_minute) words += ", " + std::to_string(*request.requests_per_minute) + " requests a minute";
  return words;
}

bool write_polls(const Trace& trace, const scheduler::Backtest& backtest, const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  for (const scheduler::TracePoll& poll : backtest.polls)
    out << trace.ships.at(poll.ship) << ',' << poll.at << ',' << poll.request << '\n';
  return static_cast<bool>(out.flush());
}

}  // namespace

CLI::Option* add_backtest(CLI::App& app, BacktestRequest& request) {
  CLI::Option* backtest =
      app.add_option("--backtest", request.trace,
                     "What a schedule would have bought on this trace of what carriers published (CSV, gzipped or not: "
                     "ship,carrier,created,published,status,final); beside the hourly pull");
  const auto with = [&](const std::string& flag, auto& value, const std::string& words) {
    return app.add_option(flag, value, "With --backtest: " + words)->needs(backtest)->capture_default_str();
  };
  with("--mode", request.mode, "hourly, fixed or adaptive");
  with("--budget", request.budget, "hourly, a part of it such as hourly/4, or requests a day");
  with("--batch", request.batch, "shipments in a request")->check(CLI::Range(1, 10'000));
  with("--requests-per-minute", request.requests_per_minute, "what each carrier allows")
      ->check(CLI::Range(1, 1'000'000));
  with("--max-interval", request.max_interval_h, "hours after which each is asked")->check(CLI::Range(1, 24 * 30));
  with("--zone", request.zone, "zone of the carriers");
  with("--holidays", request.holidays, "days that count as Sundays: peru, 08-15, 2026-12-24")->delimiter(',');
  with("--polls", request.polls, "a file for ship,epoch_seconds,request_id of each poll");
  return backtest;
}

int backtest(const BacktestRequest& request) {
  const auto mode = mode_from(request.mode);
  if (!mode) return complain("--mode: expected hourly, fixed or adaptive", EX_USAGE);
  const auto budget = budget_from(request.budget);
  if (!budget) return complain("--budget: expected hourly, a part of it such as hourly/4, or requests a day", EX_USAGE);
  const auto calendar = scheduler::Calendar::make(request.zone, request.holidays);
  if (!calendar) return complain(calendar.error(), EX_USAGE);
  if (::access(request.trace.c_str(), R_OK) != 0)
    return complain(request.trace + ": " + std::strerror(errno), EX_NOINPUT);
  const auto trace = read_trace(request.trace);
  if (!trace) return complain(trace.error(), EX_DATAERR);

  const auto [first, last] = std::ranges::minmax(trace->rows, {}, &scheduler::TraceRow::published);
  const scheduler::Second from = std::ranges::min(trace->rows, {}, &scheduler::TraceRow::created).created;
  // Learning looks back, and polling goes on for a while.
  const scheduler::Second margin = 120 * scheduler::day_s;
  const scheduler::Second since = std::min(from, first.published);
  scheduler::BacktestOptions options{
      .schedule = {.mode = *mode, .max_interval = std::chrono::hours(request.max_interval_h), .budget = *budget},
      .batch_max = request.batch,
      .calendar = scheduler::AdaptiveCalendar(*calendar, since - std::min(since, margin),
                                              scheduler::later(last.published, margin)),
      .requests_per_minute = request.requests_per_minute};
  const scheduler::Backtest run = run_backtest(trace->rows, options);
  if (!request.polls.empty() && !write_polls(*trace, run, request.polls))
    return complain(request.polls + " cannot be written", EX_CANTCREAT);
  // The legacy pull knows neither budget nor limits.
  options.schedule.mode = Mode::hourly;
  options.requests_per_minute.reset();
  const BacktestSummary schedule = summarise(*trace, run);
  const BacktestSummary hourly = summarise(*trace, run_backtest(trace->rows, options));
  std::cout << (request.json ? backtest_json(schedule, hourly) : backtest_text(words_for(request), schedule, hourly));
  return EX_OK;
}

}  // namespace remitod::daemon
