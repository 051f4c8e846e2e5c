// The outbox: numbers without gaps, in order.
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using test::noon;

class Outbox : public test::RequestStoreTest {
 protected:
  /// A transition of a shipment that exists for nothing else; `key` tells it from others.
  static std::string insert(const std::string& key) {
    return "insert into transitions (subject, order_number, parcel_group, carrier, event_key, from_status, to_status, "
           "detected_at, created_at) values ('shipment', '1001', 1, 'oca', '" +
           key + "', 'registered', 'in_transit', 1, 1);";
  }
};
REMITOD_ON_BOTH_ENGINES(Outbox);

TEST_P(Outbox, NumbersWithoutGapsInTheOrderOfInsertion) {
  sql(insert("a") + insert("b") + insert("c"));
  const auto first = dispatch(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].seq, 1);
  EXPECT_EQ(first[1].seq, 2);
  EXPECT_LT(first[0].id, first[1].id);
  const auto second = dispatch(2);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].seq, 3);
  EXPECT_TRUE(dispatch().empty());
  EXPECT_EQ(number("select count(*) from transitions where dispatched_at is null"), 0);
}

TEST_P(Outbox, EmptyDispatchWritesNothing) {
  const std::uint64_t before = session().statements();
  EXPECT_TRUE(dispatch().empty());
  EXPECT_EQ(session().statements() - before, 2u);
}

TEST_P(Outbox, RolledBackTransactionsLeaveNoGap) {
  sql(insert("a"));
  EXPECT_EQ(dispatch().at(0).seq, 1);
  sql(insert("b"));
  const auto undone = another().transact<int>([&](Session& at) -> DbResult<int> {
    at.run_script(insert("c"));
    EXPECT_EQ(dispatch_transitions(at, noon, 10)->size(), 2u);
    return std::unexpected(DbError{DbError::Kind::bug, "", "cut off"});
  });
  EXPECT_FALSE(undone);
  sql(insert("d"));
  const auto transitions = dispatch();
  ASSERT_EQ(transitions.size(), 2u);
  EXPECT_EQ(transitions[0].seq, 2);
  EXPECT_EQ(transitions[1].seq, 3);
  EXPECT_EQ(number("select count(*) from transitions where event_key = 'c'"), 0);
}

TEST_P(Outbox, EveryColumnComesBack) {
  sql("insert into transitions (subject, order_number, parcel_group, carrier, remito, event_key, from_status, "
      "to_status, reason, attempt, text, occurred_at, detected_at, inferred, late, correction, created_at) values "
      "('shipment', '1001', 3, 'oca', '0001', 'k', 'in_transit', 'attempt_failed', 'recipient_absent', 2, 'no "
      "estaba', 5, 6, '0', '1', '0', 6)");
  const Transition transition = dispatch().at(0);
  EXPECT_EQ(transition.subject, "shipment");
  EXPECT_EQ(transition.parcel_group, 3);
  EXPECT_EQ(transition.remito, "0001");
  EXPECT_EQ(transition.from, "in_transit");
  EXPECT_EQ(transition.to, "attempt_failed");
  EXPECT_EQ(transition.reason, "recipient_absent");
  EXPECT_EQ(transition.attempt, 2);
  EXPECT_EQ(transition.text, "no estaba");
  EXPECT_EQ(transition.occurred_at, from_micros(5));
  EXPECT_EQ(transition.detected_at, from_micros(6));
  EXPECT_FALSE(transition.inferred);
  EXPECT_TRUE(transition.late);
  EXPECT_FALSE(transition.correction);
}

TEST_P(Outbox, RequestsTransitionComesBeforeThoseOfItsShipment) {
  const RemitoRequest request = claimed({});
  const auto settled = settle({granted(request, "0001")});
  sql("insert into transitions (subject, shipment_id, order_number, parcel_group, carrier, event_key, from_status, "
      "to_status, detected_at, created_at) select 'shipment', id, '1001', 1, 'oca', 'k', 'registered', 'in_transit', "
      "1, 1 from shipments");
  const auto transitions = dispatch();
  ASSERT_EQ(transitions.size(), 2u);
  EXPECT_EQ(transitions[0].to, "ready_to_ship");
  EXPECT_EQ(transitions[1].to, "in_transit");
}

}  // namespace
}  // namespace remitod::db
