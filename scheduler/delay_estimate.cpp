#include "scheduler/delay_estimate.h"

#include <algorithm>
#include <cmath>

namespace remitod::scheduler {
namespace {

constexpr Second soon_s = 10 * minute_s;
/// Longer waits are looked at in coarser pieces.
constexpr Second pieces_max = 500;
/// Of a normal distribution within 95 %.
constexpr double deviations_95 = 1.96;

}  // namespace

DelayEstimate estimate_delay(const PublicationModel* model, const AdaptiveCalendar& calendar, const Wait& wait) {
  const Second length = wait.hi - std::min(wait.lo, wait.hi);
  if (length == 0) return {.mean = 0, .variance = 0, .within_10 = 1};
  const Second piece = std::max(slot_s, length / pieces_max);
  double weights = 0, sum = 0, squares = 0, soon = 0;
  for (Second from = wait.lo; from < wait.hi;) {
    const Second to = std::min(wait.hi, later(from / piece * piece, piece));
    double weight = (to - from) / double{minute_s};
    if (model && !model->empty())
      weight *=
          double{model->rate(wait.status, age_bin(from - std::min(wait.entered, from)), calendar.slot_class(from))} +
          1e-12;
    const double longest = (wait.hi - from) / double{minute_s}, shortest = (wait.hi - to) / double{minute_s};
    weights += weight;
    sum += weight * (longest + shortest) / 2;
    squares += weight * (longest * longest + longest * shortest + shortest * shortest) / 3;
    const Second soon_from = std::max(from, wait.hi - std::min(soon_s, wait.hi));
    if (soon_from < to) soon += weight * (to - soon_from) / (to - from);
    from = to;
  }
  const double mean = sum / weights;
  return {.mean = mean, .variance = std::max(0.0, squares / weights - mean * mean), .within_10 = soon / weights};
}

DelaySummary summarise_delays(const PublicationModel* model, const AdaptiveCalendar& calendar,
                              std::span<const Wait> waits, Second since) {
  DelaySummary all;
  double squares = 0, variances = 0;
  for (const Wait& wait : waits) {
    if (wait.hi <= since) continue;
    const DelayEstimate one = estimate_delay(model, calendar, wait);
    ++all.statuses;
    all.mean += one.mean;
    all.mean_max += (wait.hi - std::min(wait.lo, wait.hi)) / double{minute_s};
    all.within_10 += one.within_10;
    squares += one.mean * one.mean;
    variances += one.variance;
  }
  if (all.statuses == 0) return all;
  const auto count = static_cast<double>(all.statuses);
  all.mean /= count;
  all.mean_max /= count;
  all.within_10 /= count;
  // Two reasons for not knowing the mean: which statuses came, and when each was published.
  const double among = std::max(0.0, squares / count - all.mean * all.mean);
  all.mean_error = deviations_95 * std::sqrt((among + variances / count) / count);
  return all;
}

}  // namespace remitod::scheduler
