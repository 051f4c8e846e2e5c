// How late a published status was seen. When it was published nobody knows, but for the looks before and after it, and
// for what is known of when the carrier publishes.
#pragma once

#include <span>

#include "scheduler/publication_model.h"

namespace remitod::scheduler {

/// Of one status, in minutes: expected values, given that it was published in (lo, hi].
struct DelayEstimate {
  double mean = 0;
  double variance = 0;
  double within_10 = 0;  ///< probability of ten minutes or less
};
/// `wait` has ended. Without a model every moment between the looks is as likely.
DelayEstimate estimate_delay(const PublicationModel* model, const AdaptiveCalendar& calendar, const Wait& wait);

/// Of many.
struct DelaySummary {
  std::size_t statuses = 0;
  double mean = 0;
  double mean_error = 0;  ///< the true mean is within so many minutes of it with a probability of 95 %
  double mean_max = 0;    ///< what it is if each was published right after the look in vain
  double within_10 = 0;   ///< share of ten minutes or less
};
/// Of those that were seen after `since`.
DelaySummary summarise_delays(const PublicationModel* model, const AdaptiveCalendar& calendar,
                              std::span<const Wait> waits, Second since);

}  // namespace remitod::scheduler
