// Learns a PublicationModel from waits whose ends are known only to lie between two looks: expectation-maximisation for
// interval-censored data (Turnbull 1976), with forgetting, and with each finer cell shrunk towards the coarser one.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "scheduler/publication_evidence.h"

namespace remitod::scheduler {

/// What is believed of any carrier before it is known: what others, or the profile's hints, have counted by status.
struct Population {
  std::vector<StatusCounts> statuses;
};

/// Prior weights are in events per slot.
struct FitSettings {
  double half_life_days = 21;      ///< of what was seen
  double population_events = 0.3;  ///< how strongly a carrier is held to the population
  double carrier_events = 1.5;     ///< and a status to its carrier
  double status_events = 0.7;      ///< and a day type to its status
  int iterations = 4;
};

struct Fit {
  PublicationModel model;
  std::vector<StatusCounts> counts;  ///< by status, in units of the carrier's own level
};

/// `before`: where the iterations start, if there is one. The settings' half-life is the evidence's.
Fit fit_publications(const PublicationEvidence& evidence, const FitSettings& settings, const Population& population,
                     const PublicationModel& before);
/// The same, from the waits: ended and open ones.
Fit fit_publications(std::span<const Wait> waits, const AdaptiveCalendar& calendar, Second now,
                     const FitSettings& settings, const Population& population, const PublicationModel& before);

/// Adds what one carrier has counted.
void add_to_population(Population& population, std::span<const StatusCounts> counts);

}  // namespace remitod::scheduler
