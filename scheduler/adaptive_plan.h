// What a carrier's schedule follows until it is rebuilt: the model of its publications, and the tables made of it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "scheduler/adaptive_batches.h"
#include "scheduler/publication_model_fit.h"

namespace remitod::scheduler {

/// A shipment as the schedule sees it.
struct OpenShipment {
  std::int64_t shipment_id = 0;
  StatusNumber status = 0;
  Second entered = 0;     ///< when it was first known to be in its status
  Second last_asked = 0;  ///< last question that was answered; `entered`, if there was none since
};

/// A hypothesis of how the carrier behaves, and how well it foretold. The best one is followed.
struct Expert {
  FitSettings settings;
  PublicationModel model;
  double score = 0;  ///< decayed sum of the log-likelihoods of waits, each before it was learned from
};
/// Which is which: a carrier unlike others; one like others; one that has just changed.
enum class Hypothesis : std::uint8_t { own, usual, changed };
inline constexpr std::size_t hypotheses = 3;

/// Tables are made for rates half an octave apart: 3 octaves up and 7 down from a status's usual rate.
inline constexpr std::size_t levels = 21;
inline constexpr std::size_t usual_level = 14;

struct StatusPlan {
  std::array<std::uint8_t, age_bins> level{};
  std::array<std::unique_ptr<const InspectionTable>, levels> tables;  ///< those that the ages use
};

/// Immutable; any thread.
struct AdaptivePlan {
  std::array<Expert, hypotheses> experts;
  Hypothesis best = Hypothesis::usual;
  std::vector<StatusCounts> counts;  ///< of Hypothesis::own, for the population
  std::vector<StatusPlan> statuses;
  BatchRegime batches;
  Prices prices;
  std::size_t waits = 0;  ///< how many it was learned from
  Second built_at = 0;
  double mean_rate = 0;  ///< of the open shipments, statuses per minute

  const PublicationModel& model() const { return experts[static_cast<std::size_t>(best)].model; }
  double score_of(Hypothesis hypothesis) const { return experts[static_cast<std::size_t>(hypothesis)].score; }
  /// The carrier publishes otherwise than it did for weeks.
  bool drifting() const { return best == Hypothesis::changed; }
  const InspectionTable& table(const OpenShipment& shipment, Second at) const;
};

/// All that a plan depends on.
struct LearningInput {
  std::vector<Wait> waits;  ///< ended ones
  std::size_t scored = 0;   ///< that many of them were learned from before
  std::vector<OpenShipment> open;
  std::shared_ptr<const AdaptivePlan> before;
  std::vector<double> scores;  ///< of the experts, where there is no plan before; may be empty
  Population population;
  AdaptiveCalendar calendar;
  Prices prices;
  int batch_max = 1;
  Second now = 0;
};

/// Learns and plans. Pure; about 10 ms for a carrier with two statuses.
AdaptivePlan rebuild(const LearningInput& input);

}  // namespace remitod::scheduler
