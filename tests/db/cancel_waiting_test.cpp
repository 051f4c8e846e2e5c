// Cancellations that wait for their turn while the shipment goes its way.
#include <gmock/gmock.h>

#include "db/cancel_requests.h"
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using test::noon;
using testing::IsEmpty;

class WaitingCancels : public test::RequestStoreTest {
 protected:
  /// A granted shipment whose cancellation has its turn at noon.
  void wait_for_their_turn() {
    settle({granted(claimed({}), "0001")});
    sql("insert into cancel_requests (request_key, order_number) values ('C', '1001')");
    take_up();
  }
  void take_up() {
    const std::vector<std::string> carriers{"oca"};
    run<CancelsTakenUp>([&](Session& at) { return take_up_cancels(at, carriers, carriers, noon, 100); });
  }
  std::vector<CancelRequest> claim_wishes() {
    return run<std::vector<CancelRequest>>(
        [](Session& at) { return claim_cancels(at, "oca", noon, noon + std::chrono::seconds{90}, 100); });
  }
};
REMITOD_ON_BOTH_ENGINES(WaitingCancels);

TEST_P(WaitingCancels, AreOverWhenTheCarrierHasCancelledItAndCancelNotTheNextOne) {
  wait_for_their_turn();
  sql("update shipments set status = 'cancelled', terminal_at = 1");
  take_up();
  EXPECT_EQ(text("select state || refusal_code from cancel_requests"), "cancelled");
  EXPECT_THAT(claim_wishes(), IsEmpty());
}

TEST_P(WaitingCancels, AreRefusedWhenItHasArrivedMeanwhile) {
  wait_for_their_turn();
  sql("update shipments set status = 'delivered', terminal_at = 1");
  take_up();
  EXPECT_EQ(text("select state || ' ' || refusal_code || ' ' || refusal_text from cancel_requests"),
            "refused already_ended the shipment is delivered");
  EXPECT_THAT(claim_wishes(), IsEmpty());
}

TEST_P(WaitingCancels, OfAShipmentOnItsWayAreSent) {
  wait_for_their_turn();
  take_up();
  EXPECT_EQ(claim_wishes().size(), 1u);
}

}  // namespace
}  // namespace remitod::db
