// What adaptive schedules buy where things are otherwise than on the trace that they were made on: other hours and
// regimes, carriers that change, more statuses, other batches, failures, limits, outages, holidays. One line for each
// variation, beside an hourly pull under the same conditions. README.md of the scheduler tells the figures.
//
//   schedule_variations [SHARE [SEEDS [WORD]]]
//
// SHARE of the hourly pull's polls (0.25); means over so many SEEDS (1); only variations whose name has the WORD in it.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/backtest.h"
#include "tests/scheduler/published_trace.h"

namespace {

using namespace remitod::scheduler;
using namespace remitod::test;

constexpr int days = 56;
/// Scored from the third week on, until the last creation.
constexpr Second scored_from = monday + 14 * day_s, scored_to = monday + Second{days} * day_s;

struct Variation {
  std::string name;
  std::vector<CarrierSketch> carriers;
  BacktestOptions options;
};

struct Figures {
  double polls = 0, requests = 0, mean = 0, p90 = 0, within_10 = 0;
};

Publishes daily(double hour, double jitter_minutes = 12) {
  return daily_at(static_cast<Second>(hour * 60), jitter_minutes);
}

/// A carrier of each kind.
std::vector<CarrierSketch> usual(double shift_hours = 0) {
  const auto minute = static_cast<Second>(7 + 11 * shift_hours);
  return {{.carrier = 1, .publishes = at_once()},
          {.carrier = 2, .publishes = hourly_at(minute)},
          {.carrier = 3, .publishes = first_of({daily(12.5 + shift_hours, 6), daily(18.5 + shift_hours, 6)})},
          {.carrier = 4, .publishes = daily(19.5 + shift_hours)},
          {.carrier = 5, .publishes = daily(22 + shift_hours / 2, 20)},
          {.carrier = 6, .publishes = daily(3 + shift_hours)}};
}

std::vector<CarrierSketch> each(Publishes (*change)(Publishes)) {
  std::vector<CarrierSketch> carriers = usual();
  for (CarrierSketch& carrier : carriers) carrier.publishes = change(carrier.publishes);
  return carriers;
}

Publishes four_hours_later(Publishes publishes) {
  return [publishes = std::move(publishes)](Second happened) { return publishes(happened) + 4 * hour_s; };
}

std::vector<Variation> variations() {
  BacktestOptions options;
  options.batch_max = 20;
  std::vector<Variation> all{{"a carrier of each kind", usual(), options},
                             {"other hours", usual(1.5), options},
                             {"other hours again", usual(-3), options}};
  const auto add = [&](std::string name, auto&& change) {
    Variation& variation = all.emplace_back(Variation{std::move(name), usual(), options});
    change(variation);
  };
  add("all publish at once", [](Variation& v) {
    for (CarrierSketch& carrier : v.carriers) carrier.publishes = at_once();
  });
  add("all publish once a day", [](Variation& v) {
    for (CarrierSketch& carrier : v.carriers)
      carrier.publishes = daily(16 + static_cast<double>(carrier.carrier), 5 * static_cast<double>(carrier.carrier));
  });
  add("once a day, at any time within three hours", [](Variation& v) {
    for (CarrierSketch& carrier : v.carriers) carrier.publishes = daily(20, 45);
  });
  add("all publish four hours later from the fourth week on", [](Variation& v) {
    v.carriers = each([](Publishes p) { return changing(monday + 24 * day_s, p, four_hours_later(p)); });
  });
  add("batches give way to publishing at once", [](Variation& v) {
    v.carriers = each([](Publishes p) { return changing(monday + 24 * day_s, std::move(p), at_once()); });
  });
  add("three statuses more", [](Variation& v) {
    for (CarrierSketch& carrier : v.carriers) carrier.statuses = 5, carrier.wait_days = 1.6;
  });
  add("a tenth of the shipments", [](Variation& v) {
    for (CarrierSketch& carrier : v.carriers) carrier.shipments_a_day = 1;
  });
  add("N = 1", [](Variation& v) { v.options.batch_max = 1; });
  add("N = 100", [](Variation& v) { v.options.batch_max = 100; });
  add("5 % of the requests fail", [](Variation& v) { v.options.failed_share = 0.05; });
  add("10 requests a minute, N = 1", [](Variation& v) {
    v.options.batch_max = 1;
    v.options.requests_per_minute = 10;
  });
  add("no answer for 6 hours of an evening", [](Variation& v) {
    v.options.outages = {{monday + 30 * day_s + 17 * hour_s, monday + 30 * day_s + 23 * hour_s}};
  });
  add("a holiday, stated", [](Variation& v) {
    constexpr Second holiday = monday + 31 * day_s;  // 2026-02-05
    for (CarrierSketch& carrier : v.carriers) carrier.publishes = not_on(holiday, carrier.publishes);
    const std::vector<std::string> stated{"2026-02-05"};
    v.options.calendar = AdaptiveCalendar(*Calendar::make("UTC", stated), monday - 90 * day_s, monday + 200 * day_s);
  });
  return all;
}

Figures score(const std::vector<TraceRow>& rows, const Backtest& backtest) {
  Figures figures;
  std::uint64_t request = 0;
  for (const TracePoll& poll : backtest.polls) {
    if (poll.at < scored_from || poll.at >= scored_to) continue;
    ++figures.polls;
    if (std::exchange(request, poll.request) != poll.request) ++figures.requests;
  }
  std::vector<double> delays;
  for (const Detection& seen : backtest.detections)
    if (const Second published = rows[seen.row].published; published >= scored_from && published < scored_to)
      delays.push_back(static_cast<double>(seen.at - published) / minute_s);
  std::ranges::sort(delays);
  const auto count = static_cast<double>(delays.size());
  for (const double delay : delays) figures.mean += delay / count;
  figures.p90 = delays[delays.size() * 9 / 10];
  figures.within_10 = static_cast<double>(std::ranges::upper_bound(delays, 10.0) - delays.begin()) / count;
  return figures;
}

void add(Figures& sum, const Figures& more, int seeds) {
  sum.polls += more.polls / seeds;
  sum.requests += more.requests / seeds;
  sum.mean += more.mean / seeds;
  sum.p90 += more.p90 / seeds;
  sum.within_10 += more.within_10 / seeds;
}

void print_line(const Variation& variation, double share, int seeds) {
  Figures hourly, adaptive;
  for (int seed = 1; seed <= seeds; ++seed) {
    const auto rows = make_trace(variation.carriers, days, static_cast<std::uint64_t>(seed));
    BacktestOptions options = variation.options;
    options.seed = static_cast<std::uint64_t>(seed);
    options.schedule.mode = Mode::hourly;
    add(hourly, score(rows, run_backtest(rows, options)), seeds);
    options.schedule.mode = Mode::adaptive;
    options.schedule.budget.share_of_hourly = share;
    add(adaptive, score(rows, run_backtest(rows, options)), seeds);
  }
  std::printf("| %s | %.1f / %.0f / %.0f %% | %.1f / %.0f / %.0f %% | %.1f | %.1f |\n", variation.name.c_str(),
              hourly.mean, hourly.p90, 100 * hourly.within_10, adaptive.mean, adaptive.p90, 100 * adaptive.within_10,
              100 * adaptive.polls / hourly.polls, 100 * adaptive.requests / hourly.requests);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double share = argc > 1 ? std::clamp(std::atof(argv[1]), 0.01, 1.0) : 0.25;
  const int seeds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 1;
  const std::string_view word = argc > 3 ? argv[3] : "";
  std::printf(
      "| | hourly: mean / p90 / within 10 min | adaptive: the same | polls, %% of hourly's | requests, %% |\n"
      "|---|---|---|---|---|\n");
  for (const Variation& variation : variations())
    if (variation.name.contains(word)) print_line(variation, share, seeds);
}
