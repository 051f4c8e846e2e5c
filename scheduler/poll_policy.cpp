#include "scheduler/poll_policy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace remitod::scheduler {
namespace {

constexpr double step_minutes = static_cast<double>(step_s) / minute_s;
constexpr std::size_t exact_steps = 128;
constexpr std::size_t reach = steps_of(255);
constexpr std::size_t horizon = steps_per_week + reach + 1;
/// Keeps exp(-sum of rates) within what a double can say. A rate beyond it is looked for at once anyway.
constexpr double hazard_sum_max = 600;
/// The inverse of steps_of.
constexpr std::uint8_t code_of(std::size_t steps) {
  return static_cast<std::uint8_t>(steps <= exact_steps ? steps - 1 : exact_steps - 1 + (steps - exact_steps) / 2);
}
static_assert(steps_of(code_of(exact_steps)) == exact_steps && code_of(reach) == 255);

/// Survival from the week's start, and what is left of its sum: counted from the end, so that differences stay exact
/// where survival is all but gone.
struct Survival {
  std::array<double, horizon> left{};
  std::array<double, horizon + 1> sum_from{};
};

Survival survival_of(std::span<const float> rate) {
  Survival survival;
  double total = 0;
  for (std::size_t i = 0; i + 1 < horizon; ++i) total += static_cast<double>(rate[i % steps_per_week]) * step_minutes;
  const double scale = total > hazard_sum_max ? hazard_sum_max / total : 1;
  double hazard = 0;
  survival.left[0] = 1;
  for (std::size_t i = 1; i < horizon; ++i) {
    hazard += scale * static_cast<double>(rate[(i - 1) % steps_per_week]) * step_minutes;
    survival.left[i] = std::exp(-hazard);
  }
  survival.sum_from[horizon] = 0;
  for (std::size_t i = horizon; i-- > 0;) survival.sum_from[i] = survival.sum_from[i + 1] + survival.left[i];
  return survival;
}

/// The lower envelope of lines offset + slope · x: lines come with falling slopes, questions with growing x.
class Envelope {
 public:
  struct Line {
    double offset = 0;
    std::size_t slope = 0;
    double at(double x) const { return offset + static_cast<double>(slope) * x; }
  };
  void clear() { first_ = last_ = 0; }
  void add(Line line) {
    while (last_ - first_ >= 2 && is_above(lines_[last_ - 1], lines_[last_ - 2], line)) --last_;
    lines_[last_++] = line;
  }
  /// The lowest line at x. There is one.
  const Line& lowest(double x) {
    while (last_ - first_ >= 2 && lines_[first_ + 1].at(x) <= lines_[first_].at(x)) ++first_;
    return lines_[first_];
  }

 private:
  /// Whether `line` is nowhere below both its neighbours: where they meet, it is above them.
  static bool is_above(const Line& line, const Line& steeper, const Line& flatter) {
    const auto run = [](const Line& a, const Line& b) { return static_cast<double>(a.slope - b.slope); };
    return (line.offset - steeper.offset) * run(steeper, flatter) >=
           (flatter.offset - steeper.offset) * run(steeper, line);
  }

  std::array<Line, horizon> lines_{};
  std::size_t first_ = 0, last_ = 0;
};

}  // namespace

// With E the survival from the week's start and T(i) the sum of E from i on, the cost of waiting k steps at step i,
// times E(i), is
//   step · (k E(i) − (T(i+1) − T(i+k+1)) − (E(i) − E(i+k)) / 2) + price · E(i) + E(i+k) V(i+k),
// an event being taken to fall in the middle of its step. What depends on j = i + k alone is kept in `ahead`, and what
// is left is a line in E(i) with the slope j: so the best j for all i together are one walk along an envelope of lines.
//
// The week closes on itself: it is gone through twice, the first time from a guess at V after its end.
Inspection solve_inspection(std::span<const float> rate, double price) {
  static thread_local Survival survival;
  static thread_local std::array<double, horizon> ahead;
  static thread_local Envelope envelope;
  survival = survival_of(rate);
  const auto fixed_part = [&](std::size_t i) {
    return step_minutes * (survival.sum_from[i + 1] + survival.left[i] / 2);
  };
  // Where all moments are alike V is price + sqrt(2 price / rate).
  const double guess = price + std::sqrt(2 * price * steps_per_week / std::reduce(rate.begin(), rate.end(), 1e-6));

  Inspection solved;
  solved.cost.assign(steps_per_week, static_cast<float>(guess));
  for (int round = 0; round < 2; ++round) {
    envelope.clear();
    for (std::size_t i = horizon; i-- > steps_per_week;) {
      ahead[i] = fixed_part(i) + survival.left[i] * double{solved.cost[i - steps_per_week]};
      envelope.add({ahead[i], i});
    }
    for (std::size_t i = steps_per_week; i-- > 0;) {
      const double alive = survival.left[i], a_step = step_minutes * alive;
      const std::size_t wanted = envelope.lowest(a_step).slope - i;
      const auto cost_of = [&](std::size_t steps) { return ahead[i + steps] + static_cast<double>(steps) * a_step; };
      // What a byte can say: the wish, or one step to either side of it.
      std::size_t steps = steps_of(code_of(std::min(wanted, reach)));
      if (steps < std::min(wanted, reach) && cost_of(steps + 2) < cost_of(steps)) steps += 2;
      solved.table.wait[i] = code_of(steps);
      const double cost = (cost_of(steps) - fixed_part(i)) / alive + price;
      solved.cost[i] = static_cast<float>(cost);
      ahead[i] = fixed_part(i) + alive * cost;
      envelope.add({ahead[i], i});
    }
  }
  return solved;
}

}  // namespace remitod::scheduler
