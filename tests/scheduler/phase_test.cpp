#include "scheduler/phase.h"

#include <gmock/gmock.h>

#include <array>
#include <map>
#include <set>

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

TEST(PhaseGrid, NextPointIsAfterTheMomentAndWithinAnInterval) {
  for (const Second interval : {1U, 7U, 60U, 3600U, 86'400U}) {
    for (const Second points : {1U, (interval + 3) / 4, interval}) {
      const PhaseGrid grid(interval, points, (interval / points) / 2);
      for (std::int64_t id = 1; id <= 50; ++id) {
        const Second moment = 1'700'000'000U + static_cast<Second>(id) * 977U;
        const Second point = grid.next_point(moment, id);
        EXPECT_GT(point, moment);
        EXPECT_LE(point, moment + interval);
        EXPECT_EQ(point % interval, grid.phase_of(id));
        EXPECT_EQ(grid.next_point(point, id), point + interval);
        EXPECT_EQ(grid.next_point(point - 1, id), point);
      }
    }
  }
}

TEST(PhaseGrid, WithAPointForEverySecondIsThePlainPhase) {
  for (std::int64_t id = 1; id <= 1000; ++id) EXPECT_EQ(PhaseGrid(3600).phase_of(id), phase(id, 3600));
}

TEST(PhaseGrid, HasAsManyPhasesAsPointsAndSpreadsShipmentsOverThem) {
  const PhaseGrid grid(3600, 4, 100);
  std::map<Second, int> shipments;
  for (std::int64_t id = 1; id <= 4000; ++id) ++shipments[grid.phase_of(id)];
  EXPECT_THAT(shipments, testing::UnorderedElementsAre(
                             testing::Pair(100U, testing::Ge(900)), testing::Pair(1000U, testing::Ge(900)),
                             testing::Pair(1900U, testing::Ge(900)), testing::Pair(2800U, testing::Ge(900))));
}

TEST(PhaseGrid, TwiceThePointsKeepHalfOfTheShipmentsWhereTheyAre) {
  const PhaseGrid coarse(3600, 2, 0), fine(3600, 4, 0);
  int kept = 0;
  for (std::int64_t id = 1; id <= 1000; ++id) {
    kept += coarse.phase_of(id) == fine.phase_of(id) ? 1 : 0;
    EXPECT_LE(fine.phase_of(id) - coarse.phase_of(id), 900U);
  }
  EXPECT_NEAR(kept, 500, 60);
}

TEST(GridPoints, AreAsManyAsFourFullRequestsEachNeed) {
  const auto points = [](std::size_t shipments) { return grid_points(shipments, 50, 3600, 180, 1); };
  EXPECT_EQ(points(0), 1U);
  EXPECT_EQ(points(7 * 50), 1U);
  EXPECT_EQ(points(8 * 50), 2U);
  EXPECT_EQ(points(16 * 50), 4U);
  EXPECT_EQ(points(19 * 50), 4U);
  EXPECT_EQ(points(20 * 50), 3600U) << "who is due within three minutes fills a request";
  EXPECT_EQ(grid_points(5, 1, 3600, 0, 3600), 3600U) << "one to a request: there is nothing to fill";
}

TEST(GridPoints, StayUntilAQuarterLessShipmentsWouldLeaveThem) {
  EXPECT_EQ(grid_points(7 * 50, 50, 3600, 180, 2), 2U);
  EXPECT_EQ(grid_points(5 * 50, 50, 3600, 180, 2), 1U);
  EXPECT_EQ(grid_points(19 * 50, 50, 3600, 180, 3600), 3600U);
  EXPECT_EQ(grid_points(14 * 50, 50, 3600, 180, 3600), 4U);
}

TEST(GridOffset, LiesBeforeTheSecondPointAndDiffersBetweenCarriers) {
  std::set<Second> offsets;
  for (const char* carrier : {"norte", "sur", "este", "oeste", "centro"}) {
    EXPECT_LT(grid_offset(carrier, 3600, 4), 900U);
    offsets.insert(grid_offset(carrier, 3600, 4));
  }
  EXPECT_EQ(offsets.size(), 5U);
  EXPECT_EQ(grid_offset("norte", 3600, 3600), 0U);
}

}  // namespace
}  // namespace remitod::scheduler
