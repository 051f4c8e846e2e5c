// The decisions over new rows of remito_requests, without a database.
#include "db/request_rules.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace remitod::db {
namespace {

NewRequest request(std::int64_t id) {
  return {.request_id = id,
          .request_key = "key-" + std::to_string(id),
          .order_number = "1001",
          .parcel_group = 1,
          .carrier = "oca",
          .payload = "{}"};
}

Acceptance decide_one(const NewRequest& row, std::vector<ActiveRequest> active = {}) {
  return decide({&row, 1}, active).at(0);
}

TEST(RequestRules, GoodRowIsAccepted) {
  EXPECT_FALSE(decide_one(request(1)).refusal);
  NewRequest row = request(1);
  row.order_number = "Ñ-1001";
  EXPECT_FALSE(decide_one(row).refusal);
}

TEST(RequestRules, EachDefectIsNamedByItsColumn) {
  struct Case {
    void (*spoil)(NewRequest&);
    std::string text;
  };
  const std::vector<Case> cases{
      {[](NewRequest& row) { row.request_key = " \t"; }, "request_key is empty"},
      {[](NewRequest& row) { row.order_number = ""; }, "order_number is empty"},
      {[](NewRequest& row) { row.order_number = "\xd1-1001"; }, "order_number is not UTF-8"},
      {[](NewRequest& row) { row.carrier = "\n"; }, "carrier is empty"},
      {[](NewRequest& row) { row.payload = ""; }, "payload is not a JSON object"},
      {[](NewRequest& row) { row.payload = "[1]"; }, "payload is not a JSON object"},
      {[](NewRequest& row) { row.payload = "{\"recipient\": "; }, "payload is not a JSON object"},
      {[](NewRequest& row) { row.payload = "{\"name\": \"\xff\"}"; }, "payload is not a JSON object"},
      {[](NewRequest& row) { row.payload = std::string(payload_bytes_max + 1, '{'); },
       "payload is larger than 262144 bytes"},
  };
  for (const Case& defect : cases) {
    NewRequest row = request(1);
    defect.spoil(row);
    const Acceptance decision = decide_one(row);
    ASSERT_TRUE(decision.refusal) << defect.text;
    EXPECT_EQ(decision.refusal->code, "invalid_request");
    EXPECT_EQ(decision.refusal->text, defect.text);
    EXPECT_EQ(decision.refusal->moves_order, !defect.text.starts_with("order_number"));
  }
}

TEST(RequestRules, SecondRequestForTheSameParcelsIsRefusedWithoutMovingTheOrder) {
  const Acceptance decision = decide_one(request(2), {{"K", "1001", 1, "granted"}});
  ASSERT_TRUE(decision.refusal);
  EXPECT_EQ(decision.refusal->code, "duplicate_request");
  EXPECT_EQ(decision.refusal->text, "order 1001, parcel group 1 already has request K in state granted");
  EXPECT_FALSE(decision.refusal->moves_order);
}

TEST(RequestRules, DefectiveDuplicateDoesNotMoveTheOrderEither) {
  NewRequest row = request(2);
  row.payload = "";
  EXPECT_FALSE(decide_one(row, {{"K", "1001", 1, "pending"}}).refusal->moves_order);
}

TEST(RequestRules, OtherParcelGroupOfTheOrderIsAccepted) {
  NewRequest row = request(2);
  row.parcel_group = 2;
  EXPECT_FALSE(decide_one(row, {{"K", "1001", 1, "pending"}}).refusal);
}

TEST(RequestRules, OfTwoNewRequestsTheFirstAcceptableOneWins) {
  std::vector<NewRequest> rows{request(1), request(2), request(3)};
  rows[0].payload = "no JSON";
  const std::vector<Acceptance> decisions = decide(rows, {});
  EXPECT_EQ(decisions[0].refusal->code, "invalid_request");
  EXPECT_FALSE(decisions[1].refusal);
  EXPECT_EQ(decisions[2].refusal->text, "order 1001, parcel group 1 already has request key-2 in state pending");
}

TEST(ClientRef, IsReadable) {
  EXPECT_EQ(client_ref(12, "1001"), "R12-1001");
  EXPECT_EQ(client_ref(12, "ped-ñ 1001/a"), "R12-PED1001A");
  EXPECT_EQ(client_ref(12, "ñ"), "R12-");
  EXPECT_EQ(client_ref(9'223'372'036'854'775'807, "MARKETPLACE-0001234567"), "R9223372036854775807-001234567");
}

RC_GTEST_PROP(ClientRef, IsShortAndPlainAndUnique, (std::set<std::uint32_t> ids, const std::string& order)) {
  std::set<std::string> references;
  for (const std::int64_t id : ids) {
    const std::string reference = client_ref(id, order);
    RC_ASSERT(reference.size() <= 30u);
    RC_ASSERT(reference.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == std::string::npos);
    RC_ASSERT(references.insert(reference).second);
    // Another order with digits of the next id in front must not meet it either.
    RC_ASSERT(references.count(client_ref(id * 10, order)) == 0u || ids.contains(static_cast<std::uint32_t>(id * 10)));
  }
}

}  // namespace
}  // namespace remitod::db
