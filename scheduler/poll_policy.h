// When to look for an event that happens once, whose rate over the week is known: the optimal checking times of
// Barlow, Hunter and Proschan (1963), by dynamic programming over a weekly grid.
//
//   V(t) = min over k of { D(t, k) + price + S(t, k) · V(t + k) }
//
// D: the delay that is expected if the event falls between t and t + k and is seen at t + k; S: the probability that it
// does not fall there; price: what a look costs, in minutes of delay.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "scheduler/adaptive_calendar.h"

namespace remitod::scheduler {

/// How many steps to wait is kept in a byte: 1 to 128 steps exactly (to 10:40 h), then in twos (to 32 h).
constexpr unsigned steps_of(std::uint8_t code) {
  return code < 128 ? code + 1U : 128 + (code - 127U) * 2;
}

struct InspectionTable {
  std::array<std::uint8_t, steps_per_week> wait{};  ///< codes of steps_of
};

struct Inspection {
  InspectionTable table;
  std::vector<float> cost;  ///< V at each step of the week, minutes: delay and looks until the event is seen
};

/// `rate`: events per minute in each step of the week. `price` > 0: minutes.
Inspection solve_inspection(std::span<const float> rate, double price);

}  // namespace remitod::scheduler
