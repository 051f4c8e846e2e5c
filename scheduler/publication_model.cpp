#include "scheduler/publication_model.h"

#include <algorithm>
#include <cmath>

namespace remitod::scheduler {

std::size_t age_bin(Second age) {
  const auto above = std::ranges::upper_bound(age_bins_h, age / 3600, {}, [](std::uint16_t h) { return Second{h}; });
  return static_cast<std::size_t>(above - age_bins_h.begin()) - 1;
}

double expected_events(const PublicationModel& model, const AdaptiveCalendar& calendar, StatusNumber status,
                       Second entered, Second from, Second to) {
  double events = 0;
  for (Second at = from; at < to;) {
    const Second next = std::min(to, at / slot_s * slot_s + slot_s);
    const Second age = at > entered ? at - entered : 0;
    events += static_cast<double>(model.rate(status, age_bin(age), calendar.slot_class(at))) * (next - at) / minute_s;
    at = next;
  }
  return events;
}

double log_likelihood(const PublicationModel& model, const AdaptiveCalendar& calendar, const Wait& wait) {
  const double before = expected_events(model, calendar, wait.status, wait.entered, wait.entered, wait.lo);
  if (wait.hi == 0) return -before;
  const double during = expected_events(model, calendar, wait.status, wait.entered, wait.lo, wait.hi);
  return std::log(std::max(-std::expm1(-during), 1e-12)) - before;
}

}  // namespace remitod::scheduler
