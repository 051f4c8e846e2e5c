// What ops already know of a carrier ("publishes daily at 20:00"), said to the model as if others had seen it.
#pragma once

#include <bitset>
#include <chrono>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "scheduler/publication_model_fit.h"

namespace remitod::scheduler {

struct PublicationHint {
  std::bitset<7> days;               ///< Monday first
  std::chrono::minutes time_of_day;  ///< by the carrier's clock, 0 to 24 h

  /// "20:00", "daily 20:00", "mon-fri 13:00", "sat,sun 12:30". The error says what was expected.
  static std::expected<PublicationHint, std::string> parse(std::string_view text);
  friend bool operator==(const PublicationHint&, const PublicationHint&) = default;
};

/// In place of the population for the carrier that the hints are about. They weigh as much as a few weeks of another
/// carrier's publications, so that a wrong hint is found out. Without hints: `population` as it is.
Population with_hints(Population population, std::span<const PublicationHint> hints);

}  // namespace remitod::scheduler
