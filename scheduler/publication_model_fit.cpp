#include "scheduler/publication_model_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace remitod::scheduler {
namespace {

/// Prior weight, in events per slot, of the pattern that the carrier's hours and minutes make.
constexpr double pattern_events = 1;
/// Prior weights in that pattern, in events: of an hour towards the population, of a part of the hour towards any
/// other.
constexpr double hour_events = 1, minute_events = 4;
/// Prior weight, in events, of a day type towards the population's.
constexpr double day_events = 3;
/// Weight of what is assumed of any carrier in the population's shape, in events per slot.
constexpr double assumed_events = 0.3;
/// What many carriers have in common is no matter of minutes: slots within half an hour are one.
constexpr std::size_t population_reach = 3;
/// Prior weights of an age bin, in events; and of a status's level towards a publication in four days.
constexpr double age_events = 2;
constexpr double level_events = 1;
constexpr double usual_wait_minutes = 4 * 1440;
constexpr float slot_rate_min = 1e-4F;

using Slots = std::array<double, slot_classes>;
using DaySlots = std::array<double, slots_per_day>;
using Ages = std::array<double, age_bins>;

struct Counts {
  Slots slot_events{}, slot_exposure{};
  Ages age_events{}, age_exposure{};
};

/// E-step: where in its gap each publication probably was; and what would be expected of the exposure.
std::vector<Counts> expect(const PublicationEvidence& evidence, const PublicationModel& model) {
  std::vector<Counts> counts(model.statuses.size());
  std::array<double, slots_of_gap_max> part{};
  for (const Gap& gap : evidence.gaps) {
    const StatusRates& rates = model.statuses[gap.status];
    double sum = 0;
    for (std::size_t i = gap.first; i < gap.last; ++i) {
      const GapPiece& piece = evidence.pieces[i];
      part[i - gap.first] =
          static_cast<double>(piece.share * (rates.by_age[piece.age] * rates.by_slot[piece.slot_class] + 1e-12F));
      sum += part[i - gap.first];
    }
    for (std::size_t i = gap.first; i < gap.last; ++i) {
      const double events = static_cast<double>(gap.weight) * part[i - gap.first] / sum;
      counts[gap.status].slot_events[evidence.pieces[i].slot_class] += events;
      counts[gap.status].age_events[evidence.pieces[i].age] += events;
    }
  }
  for (std::size_t status = 0; status < evidence.exposure.size(); ++status)
    for (std::size_t age = 0; age < age_bins; ++age)
      for (std::size_t slot = 0; slot < slot_classes; ++slot)
        counts[status].slot_exposure[slot] +=
            static_cast<double>(evidence.exposure[status].minutes[age][slot] * model.statuses[status].by_age[age]);
  return counts;
}

DaySlots over_day_types(const Slots& slots) {
  DaySlots sum{};
  for (std::size_t i = 0; i < slot_classes; ++i) sum[i % slots_per_day] += slots[i];
  return sum;
}

Slots smoothed(const Slots& slots) {
  constexpr std::size_t width = 2 * population_reach + 1;
  Slots out{};
  for (std::size_t i = 0; i < slot_classes; ++i) {
    const std::size_t day = i / slots_per_day * slots_per_day, slot = i % slots_per_day;
    for (std::size_t k = 0; k < width; ++k)
      out[i] += slots[day + (slot + slots_per_day + k - population_reach) % slots_per_day] / width;
  }
  return out;
}

/// Before any carrier is known: people work by day, half of Saturday, and hardly on Sunday. Mean 1, roughly.
double assumed_rate(std::size_t slot_class) {
  constexpr std::array<double, day_types> days{1.3, 1.3, 0.7, 0.2};
  const std::size_t hour = slot_class % slots_per_day * slot_s / hour_s;
  const double by_hour = hour < 7 ? 0.3 : hour < 9 ? 0.8 : hour < 22 ? 1.5 : 0.8;
  return days[slot_class / slots_per_day] * by_hour;
}

/// The population's shape by status and slot.
Slots population_shape(const Population& population, std::size_t status) {
  Slots events{}, exposure{}, shape;
  if (status < population.statuses.size()) {
    for (std::size_t i = 0; i < slot_classes; ++i) {
      events[i] = double{population.statuses[status].events_by_slot[i]};
      exposure[i] = double{population.statuses[status].exposure_by_slot[i]};
    }
    events = smoothed(events);
    exposure = smoothed(exposure);
  }
  for (std::size_t i = 0; i < slot_classes; ++i)
    shape[i] = (events[i] + assumed_events * assumed_rate(i)) / (exposure[i] + assumed_events);
  return shape;
}

Ages population_ages(const Population& population, std::size_t status) {
  Ages shape;
  shape.fill(1);
  if (status >= population.statuses.size()) return shape;
  const StatusCounts& known = population.statuses[status];
  double events = 0, exposure = 0;
  for (std::size_t i = 0; i < age_bins; ++i) {
    events += static_cast<double>(known.events_by_age[i]);
    exposure += static_cast<double>(known.exposure_by_age[i]);
  }
  if (events <= 0 || exposure <= 0) return shape;
  const double mean = events / exposure;
  for (std::size_t i = 0; i < age_bins; ++i)
    shape[i] = (static_cast<double>(known.events_by_age[i]) / mean + age_events) /
               (static_cast<double>(known.exposure_by_age[i]) + age_events);
  return shape;
}

/// The carrier's day as a rate by hour times a rate by minute of the hour: what a job that runs at the same minute of
/// many hours looks like, and what a few dozen events can tell.
DaySlots hour_by_minute(const DaySlots& events, const DaySlots& exposure, const DaySlots& prior) {
  constexpr std::size_t hours = 24, parts = slots_per_day / hours;
  std::array<double, hours> hour{};
  std::array<double, parts> minute{};
  minute.fill(1);
  for (int iteration = 0; iteration < 3; ++iteration) {
    for (std::size_t h = 0; h < hours; ++h) {
      double seen = 0, expected = 0, shape = 0;
      for (std::size_t p = 0; p < parts; ++p) {
        seen += events[h * parts + p];
        expected += exposure[h * parts + p] * minute[p];
        shape += prior[h * parts + p] / parts;
      }
      hour[h] = (seen + hour_events * shape) / (expected + hour_events);
    }
    for (std::size_t p = 0; p < parts; ++p) {
      double seen = minute_events, expected = minute_events;
      for (std::size_t h = 0; h < hours; ++h) {
        seen += events[h * parts + p];
        expected += exposure[h * parts + p] * hour[h];
      }
      minute[p] = seen / expected;
    }
  }
  DaySlots rate{};
  for (std::size_t i = 0; i < slots_per_day; ++i) rate[i] = hour[i / parts] * minute[i % parts];
  return rate;
}

/// What a day of each type brings, of an average one; `prior` is what the population says of it.
std::array<double, day_types> day_factors(const Counts& counts, const DaySlots& any_day,
                                          const std::array<double, day_types>& prior, double prior_events) {
  std::array<double, day_types> factors{};
  for (std::size_t day = 0; day < day_types; ++day) {
    double events = 0, expected = 0;
    for (std::size_t slot = 0; slot < slots_per_day; ++slot) {
      events += counts.slot_events[day * slots_per_day + slot];
      expected += counts.slot_exposure[day * slots_per_day + slot] * any_day[slot];
    }
    factors[day] = (events + prior_events * prior[day]) / (expected + prior_events);
  }
  return factors;
}

/// What the population says of a status, in the forms in which it is used again in each iteration.
struct StatusPrior {
  DaySlots usual_day{};                           ///< by slot of any day
  std::array<double, day_types> usual_factors{};  ///< what a day of each type brings
  Slots bend{};                                   ///< how the slots of a day type differ from those of any day
};

StatusPrior prior_of(const Population& population, std::size_t status, double shape_share) {
  const Slots shape = population_shape(population, status);
  StatusPrior prior{.usual_day = over_day_types(shape)};
  for (double& rate : prior.usual_day) rate /= day_types;
  for (std::size_t i = 0; i < slot_classes; ++i) {
    prior.usual_factors[i / slots_per_day] += shape[i];
    prior.bend[i] = std::pow(shape[i] / prior.usual_day[i % slots_per_day], shape_share);
  }
  const double sum = std::reduce(prior.usual_factors.begin(), prior.usual_factors.end()) / day_types;
  for (double& factor : prior.usual_factors) factor /= sum;
  return prior;
}

/// How far the population is trusted in how the day types differ.
double shape_share_of(const FitSettings& settings) {
  return settings.population_events / (settings.population_events + settings.status_events);
}

/// M-step for the slots: population and pattern, then carrier, status and day type, each held to the one before.
void fit_slots(const std::vector<Counts>& counts, const std::vector<StatusPrior>& priors, const FitSettings& settings,
               PublicationModel& model) {
  DaySlots carrier_events{}, carrier_exposure{};
  for (const Counts& count : counts) {
    const DaySlots events = over_day_types(count.slot_events), exposure = over_day_types(count.slot_exposure);
    for (std::size_t i = 0; i < slots_per_day; ++i) {
      carrier_events[i] += events[i];
      carrier_exposure[i] += exposure[i];
    }
  }
  for (std::size_t status = 0; status < counts.size(); ++status) {
    const StatusPrior& prior = priors[status];
    const DaySlots pattern = hour_by_minute(carrier_events, carrier_exposure, prior.usual_day);
    const DaySlots events = over_day_types(counts[status].slot_events);
    const DaySlots exposure = over_day_types(counts[status].slot_exposure);
    DaySlots any_day;
    for (std::size_t slot = 0; slot < slots_per_day; ++slot) {
      const double carrier =
          (carrier_events[slot] + settings.population_events * prior.usual_day[slot] + pattern_events * pattern[slot]) /
          (carrier_exposure[slot] + settings.population_events + pattern_events);
      any_day[slot] = (events[slot] + settings.carrier_events * carrier) / (exposure[slot] + settings.carrier_events);
    }
    std::array<double, day_types> factors = day_factors(counts[status], any_day, prior.usual_factors, day_events);
    // How the day types differ is a matter of the carrier's own days, or, as far as it is trusted, of the population.
    for (double& factor : factors) factor = std::pow(factor, 1 - shape_share_of(settings));
    for (std::size_t i = 0; i < slot_classes; ++i) {
      const double parent = any_day[i % slots_per_day] * factors[i / slots_per_day] * prior.bend[i];
      const double rate = (counts[status].slot_events[i] + settings.status_events * parent) /
                          (counts[status].slot_exposure[i] + settings.status_events);
      model.statuses[status].by_slot[i] = std::max(static_cast<float>(rate), slot_rate_min);
    }
  }
}

/// M-step for the ages, and the scale: the mean of by_slot is 1 again.
void fit_ages(const PublicationEvidence& evidence, std::vector<Counts>& counts, const Population& population,
              PublicationModel& model) {
  for (std::size_t status = 0; status < counts.size(); ++status) {
    StatusRates& rates = model.statuses[status];
    Counts& count = counts[status];
    for (std::size_t age = 0; age < age_bins && status < evidence.exposure.size(); ++age) {
      float exposure = 0;
      for (std::size_t slot = 0; slot < slot_classes; ++slot)
        exposure += evidence.exposure[status].minutes[age][slot] * rates.by_slot[slot];
      count.age_exposure[age] = static_cast<double>(exposure);
    }
    const Ages shape = population_ages(population, status);
    double expected = 0;
    for (std::size_t age = 0; age < age_bins; ++age) expected += count.age_exposure[age] * shape[age];
    const double events = std::reduce(count.age_events.begin(), count.age_events.end());
    const double level = (events + level_events) / (expected + level_events * usual_wait_minutes);
    const float mean = std::reduce(rates.by_slot.begin(), rates.by_slot.end()) / slot_classes;
    for (std::size_t age = 0; age < age_bins; ++age) {
      const double parent = level * shape[age];
      const double rate = (count.age_events[age] + age_events) / (count.age_exposure[age] + age_events / parent);
      rates.by_age[age] = static_cast<float>(rate) * mean;
    }
    for (float& rate : rates.by_slot) rate /= mean;
  }
}

PublicationModel starting_point(const PublicationModel& before, std::size_t statuses) {
  PublicationModel model = before;
  StatusRates flat;
  flat.by_age.fill(static_cast<float>(1 / usual_wait_minutes));
  flat.by_slot.fill(1);
  model.statuses.resize(std::max(statuses, before.statuses.size()), before.empty() ? flat : before.statuses.back());
  return model;
}

/// Ages count in units of this carrier's own level, so that slow and fast carriers add up to one shape.
StatusCounts published(const Counts& counts) {
  StatusCounts out;
  const double events = std::reduce(counts.age_events.begin(), counts.age_events.end());
  const double minutes = std::reduce(counts.age_exposure.begin(), counts.age_exposure.end());
  const double level = minutes > 0 ? events / minutes : 0;
  for (std::size_t i = 0; i < slot_classes; ++i) {
    out.events_by_slot[i] = static_cast<float>(counts.slot_events[i]);
    out.exposure_by_slot[i] = static_cast<float>(counts.slot_exposure[i]);
  }
  for (std::size_t i = 0; i < age_bins; ++i) {
    out.events_by_age[i] = static_cast<float>(counts.age_events[i]);
    out.exposure_by_age[i] = static_cast<float>(counts.age_exposure[i] * level);
  }
  return out;
}

}  // namespace

Fit fit_publications(const PublicationEvidence& evidence, const FitSettings& settings, const Population& population,
                     const PublicationModel& before) {
  Fit fit{starting_point(before, evidence.exposure.size()), {}};
  std::vector<StatusPrior> priors;
  for (std::size_t status = 0; status < fit.model.statuses.size(); ++status)
    priors.push_back(prior_of(population, status, shape_share_of(settings)));
  std::vector<Counts> counts;
  for (int i = 0; i < settings.iterations; ++i) {
    counts = expect(evidence, fit.model);
    fit_slots(counts, priors, settings, fit.model);
    fit_ages(evidence, counts, population, fit.model);
  }
  for (const Counts& count : counts) fit.counts.push_back(published(count));
  return fit;
}

Fit fit_publications(std::span<const Wait> waits, const AdaptiveCalendar& calendar, Second now,
                     const FitSettings& settings, const Population& population, const PublicationModel& before) {
  return fit_publications(gather_evidence(waits, calendar, now, settings.half_life_days), settings, population, before);
}

void add_to_population(Population& population, std::span<const StatusCounts> counts) {
  if (population.statuses.size() < counts.size()) population.statuses.resize(counts.size());
  for (std::size_t status = 0; status < counts.size(); ++status) {
    StatusCounts& sum = population.statuses[status];
    const StatusCounts& more = counts[status];
    for (std::size_t i = 0; i < slot_classes; ++i) {
      sum.events_by_slot[i] += more.events_by_slot[i];
      sum.exposure_by_slot[i] += more.exposure_by_slot[i];
    }
    for (std::size_t i = 0; i < age_bins; ++i) {
      sum.events_by_age[i] += more.events_by_age[i];
      sum.exposure_by_age[i] += more.exposure_by_age[i];
    }
  }
}

}  // namespace remitod::scheduler
