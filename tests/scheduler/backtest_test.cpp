#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "scheduler/backtest.h"
#include "tests/scheduler/published_trace.h"

namespace remitod::test {
namespace {

using namespace scheduler;

BacktestOptions adaptive(double share, int batch_max = 20) {
  BacktestOptions options;
  options.schedule.mode = Mode::adaptive;
  options.schedule.budget.share_of_hourly = share;
  options.batch_max = batch_max;
  return options;
}

BacktestOptions in_mode(Mode mode, double share = 1) {
  BacktestOptions options = adaptive(share);
  options.schedule.mode = mode;
  return options;
}

std::vector<TraceRow> three_carriers(int days, int shipments_a_day = 6, std::uint64_t seed = 11) {
  return make_trace({{.carrier = 1, .publishes = at_once(), .shipments_a_day = shipments_a_day},
                     {.carrier = 2, .publishes = hourly_at(17), .shipments_a_day = shipments_a_day},
                     {.carrier = 3, .publishes = daily_at(19 * 60 + 30, 12), .shipments_a_day = 2 * shipments_a_day}},
                    days, seed);
}

/// Mean delay, minutes, of what was published from then on.
double mean_delay(const std::vector<TraceRow>& rows, const Backtest& backtest, Second from, std::int64_t carrier) {
  double sum = 0, count = 0;
  for (const Detection& detection : backtest.detections) {
    const TraceRow& row = rows[detection.row];
    if (row.carrier != carrier || row.published < from) continue;
    sum += (static_cast<double>(detection.at) - row.published) / 60;
    ++count;
  }
  return sum / count;
}

std::size_t polls_between(const Backtest& backtest, Second from, Second to) {
  return static_cast<std::size_t>(
      std::ranges::count_if(backtest.polls, [&](const TracePoll& poll) { return poll.at >= from && poll.at < to; }));
}

TEST(Backtest, SeesEveryStatusOnceAndNotBeforeItsPublication) {
  const auto rows = three_carriers(8);
  for (const Mode mode : {Mode::hourly, Mode::fixed, Mode::adaptive}) {
    const Backtest backtest = run_backtest(rows, in_mode(mode));
    ASSERT_EQ(backtest.detections.size(), rows.size());
    std::vector<bool> seen(rows.size());
    for (const Detection& detection : backtest.detections) {
      EXPECT_GE(detection.at, rows[detection.row].published);
      EXPECT_FALSE(seen[detection.row]);
      seen[detection.row] = true;
    }
  }
}

TEST(Backtest, SameSeedSamePolls) {
  const auto rows = three_carriers(6);
  EXPECT_EQ(run_backtest(rows, adaptive(0.25)).polls, run_backtest(rows, adaptive(0.25)).polls);
}

TEST(Backtest, KnowsNothingOfWhatIsPublishedLater) {
  const auto rows = three_carriers(8);
  const auto until = [](Backtest backtest, Second moment) {
    std::erase_if(backtest.polls, [&](const TracePoll& poll) { return poll.at > moment; });
    return backtest.polls;
  };
  const Backtest whole = run_backtest(rows, adaptive(0.25));
  const Second moment = monday + 6 * day_s + 7 * hour_s;
  // Altered: what comes later comes two days later still, and otherwise.
  std::vector<TraceRow> altered = rows;
  for (TraceRow& row : altered)
    if (row.published > moment) {
      row.published += 2 * day_s + 12'345;
      row.status += 7;
    }
  EXPECT_EQ(until(run_backtest(altered, adaptive(0.25)), moment), until(whole, moment));
  // Removed, but for one row of each shipment that was created before: that it exists is known.
  std::vector<TraceRow> shortened;
  std::map<std::int64_t, bool> kept;
  for (const TraceRow& row : rows) {
    const bool first = kept.try_emplace(row.ship, true).second;
    if (row.published <= moment || (first && row.created <= moment)) shortened.push_back(row);
  }
  EXPECT_EQ(until(run_backtest(shortened, adaptive(0.25)), moment), until(whole, moment));
}

TEST(Backtest, NobodyWaitsLongerThanTheMaximum) {
  BacktestOptions options = adaptive(0.05);
  options.schedule.max_interval = std::chrono::hours(7);
  const auto rows = three_carriers(7);
  std::map<std::int64_t, Second> last;
  for (const TraceRow& row : rows) last.try_emplace(row.ship, row.created);
  for (const TracePoll& poll : run_backtest(rows, options).polls) {
    EXPECT_LE(poll.at - last[poll.ship], 7 * hour_s);
    last[poll.ship] = poll.at;
  }
}

TEST(Backtest, RequestsCarryOneCarriersShipmentsAndNoMoreThanABatch) {
  const auto rows = three_carriers(6);
  std::map<std::int64_t, std::int64_t> carriers;
  for (const TraceRow& row : rows) carriers[row.ship] = row.carrier;
  for (const int batch_max : {1, 7}) {
    std::map<std::uint64_t, std::pair<std::int64_t, int>> requests;
    for (const TracePoll& poll : run_backtest(rows, adaptive(0.5, batch_max)).polls) {
      auto& [carrier, size] = requests.try_emplace(poll.request, carriers[poll.ship], 0).first->second;
      EXPECT_EQ(carrier, carriers[poll.ship]);
      EXPECT_LE(++size, batch_max);
    }
  }
}

TEST(Backtest, HourlyAsksEverybodyAtEachFullHour) {
  const std::vector<TraceRow> rows{
      {.ship = 1, .carrier = 1, .created = monday + 10, .published = monday + 9000, .status = 1, .final = true}};
  const Backtest backtest = run_backtest(rows, in_mode(Mode::hourly));
  ASSERT_EQ(backtest.polls.size(), 3U);
  EXPECT_EQ(backtest.polls[0].at, monday + 3600);
  EXPECT_EQ(backtest.polls[2].at, monday + 3 * 3600);
}

TEST(Backtest, FixedSpendsItsShare) {
  const auto rows = three_carriers(21);
  const auto polls = [&](const BacktestOptions& options) {
    return static_cast<double>(run_backtest(rows, options).polls.size());
  };
  EXPECT_NEAR(polls(in_mode(Mode::fixed, 0.25)) / polls(in_mode(Mode::hourly)), 0.25, 0.02);
}

TEST(Backtest, AdaptiveKeepsItsBudgetOnceItHasLearned) {
  const auto rows = three_carriers(28);
  const Backtest hourly = run_backtest(rows, in_mode(Mode::hourly));
  for (const double share : {1.0, 0.1}) {
    const Backtest backtest = run_backtest(rows, adaptive(share));
    const auto polls = [&](const Backtest& of) {
      return static_cast<double>(polls_between(of, monday + 14 * day_s, monday + 28 * day_s));
    };
    EXPECT_NEAR(polls(backtest) / polls(hourly), share, 0.1 * share);
  }
}

TEST(Backtest, AQuarterOfThePollsBuysHalfOfABatchsDelay) {
  double hourlys_2 = 0, hourlys_3 = 0, ours_2 = 0, ours_3 = 0;  // of one trace alone it is as much luck
  for (const std::uint64_t seed : {11U, 12U, 13U}) {
    const auto rows = three_carriers(28, 10, seed);
    const Backtest hourly = run_backtest(rows, in_mode(Mode::hourly)), quarter = run_backtest(rows, adaptive(0.25));
    const Second from = monday + 14 * day_s;
    hourlys_2 += mean_delay(rows, hourly, from, 2);
    hourlys_3 += mean_delay(rows, hourly, from, 3);
    ours_2 += mean_delay(rows, quarter, from, 2);
    ours_3 += mean_delay(rows, quarter, from, 3);
  }
  EXPECT_LT(ours_2, hourlys_2);
  EXPECT_LT(ours_3, 0.5 * hourlys_3);
}

TEST(Backtest, ADailyBatchIsNoticedWithinMinutes) {
  const auto rows = make_trace({{.carrier = 1, .publishes = daily_at(21 * 60, 10), .shipments_a_day = 25}}, 28, 3);
  EXPECT_LT(mean_delay(rows, run_backtest(rows, adaptive(0.5)), monday + 7 * day_s, 1), 15);
}

TEST(Backtest, ACarrierThatChangesItsHourIsLearnedAnew) {
  auto rows = make_trace({{.carrier = 1, .publishes = daily_at(18 * 60, 10), .shipments_a_day = 12}}, 49, 5);
  const Second change = monday + 21 * day_s;
  const Publishes later = daily_at(22 * 60, 10);
  for (TraceRow& row : rows)
    if (row.published > change) row.published = later(row.published - 4 * hour_s);
  const Backtest backtest = run_backtest(rows, adaptive(0.5));
  EXPECT_LT(mean_delay(rows, backtest, change + 21 * day_s, 1), 30);
}

TEST(Backtest, RequestsThatFailTeachNothingAndAreSentAgain) {
  const auto rows = three_carriers(28);
  BacktestOptions options = adaptive(0.25);
  options.failed_share = 0.05;
  const Backtest failing = run_backtest(rows, options);
  EXPECT_EQ(failing.detections.size(), rows.size());
  const Second from = monday + 14 * day_s;
  EXPECT_LT(mean_delay(rows, failing, from, 3),
            0.5 * mean_delay(rows, run_backtest(rows, in_mode(Mode::hourly)), from, 3));
}

TEST(Backtest, NoMinuteHasMoreRequestsThanACarrierAllows) {
  const auto rows = make_trace({{.carrier = 1, .publishes = daily_at(20 * 60, 10), .shipments_a_day = 40}}, 14, 11);
  BacktestOptions options = adaptive(1, 1);
  options.requests_per_minute = 10;
  const Backtest backtest = run_backtest(rows, options);
  EXPECT_EQ(backtest.detections.size(), rows.size());
  std::size_t first = 0, most = 0;
  for (std::size_t i = 0; i < backtest.polls.size(); ++i) {
    while (backtest.polls[i].at - backtest.polls[first].at >= 60) ++first;
    most = std::max(most, i - first + 1);
  }
  EXPECT_LE(most, 10U);
  EXPECT_GE(most, 9U) << "what may be asked is asked, as far as a clock of whole seconds lets it";
}

TEST(Backtest, AfterAnOutageEverybodyIsAskedSoonAndDuringItHardlyAnybody) {
  const auto rows = three_carriers(21);
  BacktestOptions options = adaptive(0.25);
  const Second from = monday + 17 * day_s + 17 * hour_s, to = from + 6 * hour_s;
  options.outages = {{from, to}};
  const Backtest backtest = run_backtest(rows, options);
  std::size_t found = 0;
  for (const Detection& detection : backtest.detections) {
    EXPECT_FALSE(detection.at >= from && detection.at < to);
    const Second published = rows[detection.row].published;
    if (published < from || published >= to - hour_s) continue;
    ++found;
    EXPECT_LT(detection.at, to + 4 * hour_s) << "a rest of an hour at most, and the interval of a quiet carrier";
  }
  EXPECT_GT(found, 10U);
  std::set<std::uint64_t> probes;
  for (const TracePoll& poll : backtest.polls)
    if (poll.at >= from + hour_s && poll.at < to) probes.insert(poll.request);
  EXPECT_LT(probes.size(), 3U * 20) << "each carrier's breaker rests for half an hour, in the end";
}

TEST(Backtest, AShipmentThatNeverClosesIsAskedUntilNothingMoreCanCome) {
  const std::vector<TraceRow> rows{
      {.ship = 1, .carrier = 1, .created = monday, .published = monday + hour_s, .status = 1}};
  const Backtest backtest = run_backtest(rows, adaptive(1));
  ASSERT_FALSE(backtest.polls.empty());
  EXPECT_LT(backtest.polls.back().at, monday + 4 * day_s);
}

TEST(Backtest, AnEmptyTraceHasNoPolls) {
  EXPECT_TRUE(run_backtest({}, adaptive(1)).polls.empty());
}

}  // namespace
}  // namespace remitod::test
