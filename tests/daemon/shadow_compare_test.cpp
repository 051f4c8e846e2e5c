#include "daemon/shadow_compare.h"

#include <gmock/gmock.h>

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using daemon::compare_shadow;
using daemon::parse_legacy_csv;
using daemon::ShadowComparison;
using daemon::ShadowDifference;
using db::SeenStatus;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = ShadowDifference::Kind;

constexpr Instant noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + 12h;

SeenStatus seen(const std::string& remito, const std::string& status, Instant at) {
  return {remito, status, std::nullopt, at};
}

TEST(CompareShadow, EqualStoriesHaveNoDifferenceInWhicheverWords) {
  const ShadowComparison compared =
      compare_shadow({seen("1", "in_transit", noon), seen("1", "delivered", noon + 1h)},
                     {seen("1", "En Tránsito", noon + 40min), seen("1", "Entregado", noon + 2h)});
  EXPECT_EQ(compared.shipments, 1u);
  EXPECT_EQ(compared.same, 1u);
  EXPECT_THAT(compared.differences, IsEmpty());
  EXPECT_EQ(compared.both_saw, 2u);
  EXPECT_EQ(compared.median_lead, 1h);
}

TEST(CompareShadow, WhatOneSawLaterIsANegativeLead) {
  const ShadowComparison compared =
      compare_shadow({seen("1", "delivered", noon + 10min)}, {seen("1", "delivered", noon)});
  EXPECT_EQ(compared.median_lead, -10min);
}

TEST(CompareShadow, ADifferentEndIsTold) {
  const ShadowComparison compared =
      compare_shadow({seen("1", "in_transit", noon)}, {seen("1", "in_transit", noon), seen("1", "delivered", noon)});
  ASSERT_THAT(compared.differences, SizeIs(1));
  EXPECT_EQ(compared.differences[0].kind, Kind::other_end);
  EXPECT_EQ(compared.differences[0].ours, "in_transit");
  EXPECT_EQ(compared.differences[0].theirs, "delivered");
  EXPECT_EQ(compared.same, 0u);
}

TEST(CompareShadow, AStatusOnTheWayThatOneDidNotSeeIsTold) {
  const ShadowComparison compared = compare_shadow(
      {seen("1", "out_for_delivery", noon), seen("1", "delivered", noon + 1h), seen("2", "delivered", noon)},
      {seen("1", "delivered", noon), seen("2", "attempt_failed", noon - 1h), seen("2", "delivered", noon)});
  ASSERT_THAT(compared.differences, SizeIs(2));
  EXPECT_EQ(compared.differences[0].kind, Kind::only_ours);
  EXPECT_EQ(compared.differences[0].ours, "out_for_delivery");
  EXPECT_EQ(compared.differences[1].kind, Kind::only_theirs);
  EXPECT_EQ(compared.differences[1].theirs, "attempt_failed");
}

TEST(CompareShadow, AShipmentThatOneAloneSawChangeIsCounted) {
  const ShadowComparison compared =
      compare_shadow({seen("1", "delivered", noon)}, {seen("2", "delivered", noon), seen("3", "delivered", noon)});
  EXPECT_EQ(compared.shipments, 3u);
  EXPECT_EQ(compared.only_ours, 1u);
  EXPECT_EQ(compared.only_theirs, 2u);
}

TEST(CompareShadow, AWordThatIsNoStatusIsTold) {
  const ShadowComparison compared =
      compare_shadow({seen("1", "delivered", noon)}, {seen("1", "ENTR", noon), seen("1", "delivered", noon)});
  ASSERT_THAT(compared.differences, SizeIs(1));
  EXPECT_EQ(compared.differences[0].kind, Kind::unknown_word);
  EXPECT_EQ(compared.differences[0].theirs, "ENTR");
}

TEST(CompareShadow, TheOrderOfTheRowsDoesNotMatter) {
  const ShadowComparison compared = compare_shadow({seen("1", "delivered", noon + 1h), seen("1", "in_transit", noon)},
                                                   {seen("1", "delivered", noon + 1h), seen("1", "in_transit", noon)});
  EXPECT_EQ(compared.same, 1u);
}

TEST(LegacyCsv, RowsAreFoundByTheNamesOfTheirColumns) {
  const auto rows = parse_legacy_csv(
      "status;remito;occurred_at;seen_at\r\n"
      "Entregado;\"000123\";2026-11-23T11:00:00-05:00;2026-11-23T16:30:00Z\r\n"
      "\r\n"
      "En Tránsito;7;;1763894400000000\n");
  ASSERT_TRUE(rows) << rows.error();
  ASSERT_THAT(*rows, SizeIs(2));
  EXPECT_EQ((*rows)[0].remito, "000123");
  EXPECT_EQ((*rows)[0].occurred_at, noon + 4h);
  EXPECT_EQ((*rows)[0].seen_at, noon + 4h + 30min);
  EXPECT_EQ((*rows)[1].occurred_at, std::nullopt);
  EXPECT_EQ((*rows)[1].seen_at, from_micros(1763894400000000));
}

TEST(LegacyCsv, WhatIsWrongIsToldWithItsLine) {
  EXPECT_THAT(parse_legacy_csv("remito,status\n").error(), HasSubstr("line 1: expected the names"));
  EXPECT_THAT(parse_legacy_csv("remito,status,seen_at\n1,delivered\n").error(), HasSubstr("line 2"));
  EXPECT_THAT(parse_legacy_csv("remito,status,seen_at\n1,delivered,yesterday\n").error(), HasSubstr("seen_at"));
  EXPECT_THAT(parse_legacy_csv("").value(), IsEmpty());
}

}  // namespace
}  // namespace remitod::test
