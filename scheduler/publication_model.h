// How likely a carrier is to publish a shipment's next status at a given moment:
//
//   rate(t | status, age, class) = by_age[status][age] · by_slot[status][class]        events per minute
//
// Age: time since the shipment entered its status. Class: day type and 10-minute slot of the local day; the mean of
// by_slot over its classes is 1. README.md has the formulas.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "scheduler/adaptive_calendar.h"
#include "scheduler/moments.h"

namespace remitod::scheduler {

/// Statuses are small numbers here: the value of a Status, or whatever a trace calls them.
using StatusNumber = std::uint8_t;
inline constexpr std::size_t statuses_max = 16;

/// Lower ends of the age bins, hours. Finer where most shipments are.
inline constexpr std::array<std::uint16_t, 22> age_bins_h{0,  3,  6,   9,   12,  18,  24,  30,  36,  48,  60,
                                                          72, 96, 120, 144, 168, 216, 264, 336, 432, 576, 864};
inline constexpr std::size_t age_bins = age_bins_h.size();
std::size_t age_bin(Second age);

/// One stay of a shipment in a status, as far as asking can tell: the next status was published in (lo, hi].
struct Wait {
  Second entered = 0;
  Second lo = 0;  ///< asked then, and nothing was there
  Second hi = 0;  ///< asked then, and it was there; 0: not yet
  StatusNumber status = 0;
  friend bool operator==(const Wait&, const Wait&) = default;
};

struct StatusRates {
  std::array<float, age_bins> by_age{};
  std::array<float, slot_classes> by_slot{};
};

/// What was counted to get there, so that carriers can lend each other their experience.
struct StatusCounts {
  std::array<float, age_bins> events_by_age{}, exposure_by_age{};
  std::array<float, slot_classes> events_by_slot{}, exposure_by_slot{};
};

struct PublicationModel {
  std::vector<StatusRates> statuses;  ///< by StatusNumber; empty: nothing is known
  bool empty() const { return statuses.empty(); }
  /// Events per minute.
  float rate(StatusNumber status, std::size_t age, std::size_t slot_class) const {
    const StatusRates& rates = statuses[status < statuses.size() ? status : statuses.size() - 1];
    return rates.by_age[age] * rates.by_slot[slot_class];
  }
  const StatusRates& of(StatusNumber status) const {
    return statuses[status < statuses.size() ? status : statuses.size() - 1];
  }
};

/// Expected events in (from, to] for a shipment that entered its status at `entered`.
double expected_events(const PublicationModel& model, const AdaptiveCalendar& calendar, StatusNumber status,
                       Second entered, Second from, Second to);
/// Logarithm of the probability that `model` gave to what was seen, from `entered` on.
double log_likelihood(const PublicationModel& model, const AdaptiveCalendar& calendar, const Wait& wait);

}  // namespace remitod::scheduler
