#include "scheduler/phase.h"

#include <gtest/gtest.h>

#include <array>

namespace remitod::scheduler {
namespace {

TEST(Phase, IsTheSameInEveryVersion) {
  EXPECT_EQ(mix(0), 0xe220a8397b1dcdafU);  // the first number of splitmix64 for the seed 0
  // A change would ask every shipment of every installation at another time after an update.
  EXPECT_EQ(phase(1, 3600), 1265U);
  EXPECT_EQ(phase(2, 3600), 2110U);
  EXPECT_EQ(phase(1'000'000'007, 3600), 926U);
}

TEST(Phase, SpreadsConsecutiveIdsEvenly) {
  std::array<int, 60> minutes{};
  for (std::int64_t id = 1; id <= 60'000; ++id) ++minutes[phase(id, 3600) / 60];
  for (const int shipments : minutes) {  // 1000 are expected, with a standard deviation of 31
    EXPECT_GT(shipments, 850);
    EXPECT_LT(shipments, 1150);
  }
}

TEST(Phase, NextPointIsAfterTheMomentAndWithinAnInterval) {
  for (const Second interval : {1U, 7U, 60U, 3600U, 86'400U}) {
    for (std::int64_t id = 1; id <= 50; ++id) {
      const Second moment = 1'700'000'000U + static_cast<Second>(id) * 977U;
      const Second point = next_point(moment, id, interval);
      EXPECT_GT(point, moment);
      EXPECT_LE(point, moment + interval);
      EXPECT_EQ(point % interval, phase(id, interval));
    }
  }
}

TEST(Phase, PointAfterAPointIsOneIntervalLater) {
  const Second point = next_point(1'700'000'000U, 42, 3600);
  EXPECT_EQ(next_point(point, 42, 3600), point + 3600);
  EXPECT_EQ(next_point(point - 1, 42, 3600), point);
}

}  // namespace
}  // namespace remitod::scheduler
