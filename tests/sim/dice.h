// The simulation's only source of chance: the same seed gives the same draws on every machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

namespace remitod::sim {

/// splitmix64. Whoever draws on his own account forks: how much one draws then changes nothing for the others.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  double share() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  ///< in [0, 1)
  bool chance(double probability) { return share() < probability; }
  std::chrono::microseconds time(std::chrono::microseconds low, std::chrono::microseconds high) {
    return std::chrono::microseconds{between(low.count(), high.count())};
  }
  template <class T>
  const T& pick(std::span<const T> from) {
    return from[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(from.size()) - 1))];
  }
  Dice fork(std::string_view name) const {
    std::uint64_t seed = state_;
    for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return Dice(seed);
  }

 private:
  std::uint64_t state_;
};

}  // namespace remitod::sim
