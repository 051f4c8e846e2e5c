// Rows of the queue that cannot be granted: refused with the reason in the row, before anything is sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {
namespace {

using testing::HasSubstr;

class Queue : public testing::Test {
 protected:
  Queue() {
    installation_.configure(installation_.carrier("oca", carrier_.url(), asked_by_hand_only) +
                            installation_.carrier("olva", carrier_.url(), asked_by_hand_only));
    installation_.start();
  }
  Platform& platform() { return installation_.platform(); }
  // "refused unknown_carrier", once it is settled.
  std::string outcome(const std::string& request_key) {
    const std::string row = "from remito_requests where request_key = '" + request_key + "'";
    EXPECT_TRUE(eventually([&] {
      return platform().number("select count(*) " + row + " and state in ('granted', 'refused')") == 1;
    })) << installation_.log();
    return platform().text("select state || ' ' || refusal_code || remito " + row);
  }
  std::string refusal_text(const std::string& request_key) {
    return platform().text("select refusal_text from remito_requests where request_key = '" + request_key + "'");
  }
  void carrier_grants(const std::string& remito) {
    carrier_.says("IngresoOR", ScriptedAnswer::ok(demo::soap_granted("R", remito, installation_.now()), xml_headers));
  }

  ScriptedCarrier carrier_;
  Installation installation_{{.time_scale = quiet}};
};

TEST_F(Queue, UnknownCarrierIsRefusedWithTheNamesOfThoseThereAre) {
  platform().ask_remito("K1", "1001", "occa");
  EXPECT_EQ(outcome("K1"), "refused unknown_carrier");
  EXPECT_THAT(refusal_text("K1"), HasSubstr("oca"));
  EXPECT_EQ(carrier_.asked(""), 0u);
}

TEST_F(Queue, CarrierThatMakesNoShipmentsIsRefused) {
  platform().ask_remito("K1", "1001", "olva");
  EXPECT_EQ(outcome("K1"), "refused unknown_carrier");
}

TEST_F(Queue, EmptyRequiredFieldIsRefusedByItsName) {
  platform().ask_remito("K1", "1001", "oca", "1001", "");
  EXPECT_EQ(outcome("K1"), "refused request");
  EXPECT_THAT(refusal_text("K1"), HasSubstr("recipient.address.street"));
  EXPECT_EQ(carrier_.asked(""), 0u) << "a shipment never leaves with half an address";
  EXPECT_TRUE(eventually([&] {
    return platform().number("select count(*) from transitions where to_status = 'remito_refused' and seq = 1") == 1;
  }));
}

TEST_F(Queue, PayloadThatIsNoJsonIsRefused) {
  platform().execute(
      "insert into remito_requests (request_key, order_number, carrier, payload) values ('K1', '1001', 'oca', 'half')");
  EXPECT_EQ(outcome("K1"), "refused invalid_request");
  EXPECT_THAT(refusal_text("K1"), HasSubstr("payload"));
  EXPECT_EQ(carrier_.asked(""), 0u);
}

TEST_F(Queue, RepeatedRequestKeyIsRefusedByTheDatabase) {
  carrier_grants("500");
  platform().ask_remito("K1", "1001");
  EXPECT_THROW(platform().ask_remito("K1", "1001"), std::runtime_error);
  EXPECT_EQ(outcome("K1"), "granted 500");
  EXPECT_EQ(carrier_.asked("IngresoOR"), 1u);
}

TEST_F(Queue, SecondRequestOfAnOrderIsADuplicateButOneOfAnotherParcelGroupIsNot) {
  carrier_grants("500");
  platform().ask_remito("K1", "1001");
  EXPECT_EQ(outcome("K1"), "granted 500");
  platform().ask_remito("K2", "1001");
  EXPECT_EQ(outcome("K2"), "refused duplicate_request");
  carrier_grants("501");
  platform().execute(
      "insert into remito_requests (request_key, order_number, parcel_group, carrier, payload) "
      "select 'K3', order_number, 2, carrier, payload from remito_requests where request_key = 'K1'");
  EXPECT_EQ(outcome("K3"), "granted 501");
  EXPECT_EQ(carrier_.asked("IngresoOR"), 2u);
  EXPECT_EQ(platform().number("select count(*) from shipments where order_number = '1001'"), 2);
}

TEST_F(Queue, OrderMayAskAgainAfterARefusal) {
  carrier_.says("IngresoOR",
                ScriptedAnswer::ok(demo::soap_refused("R", "Fuera de cobertura", installation_.now()), xml_headers));
  platform().ask_remito("K1", "1001");
  EXPECT_THAT(outcome("K1"), HasSubstr("refused"));
  EXPECT_EQ(refusal_text("K1"), "Fuera de cobertura") << "in the carrier's words";
  carrier_grants("500");
  platform().ask_remito("K2", "1001");
  EXPECT_EQ(outcome("K2"), "granted 500");
  ASSERT_TRUE(
      eventually([&] { return platform().number("select count(*) from transitions where seq is not null") == 2; }));
  EXPECT_THAT(platform().rows("select from_status || ' ' || to_status from transitions order by seq"),
              testing::ElementsAre("confirmed remito_refused", "confirmed ready_to_ship"));
}

TEST_F(Queue, DaemonThatIsTerminatedFinishesTheCallThatIsUnderWay) {
  ScriptedAnswer slow = ScriptedAnswer::ok(demo::soap_granted("R", "500", installation_.now()), xml_headers);
  slow.drip = std::chrono::milliseconds{1};
  carrier_.says("IngresoOR", slow);
  platform().ask_remito("K1", "1001");
  ASSERT_TRUE(eventually([&] { return carrier_.asked("IngresoOR") == 1; }));
  EXPECT_EQ(installation_.stop(), 0);
  EXPECT_EQ(outcome("K1"), "granted 500");
  EXPECT_EQ(platform().number("select count(*) from shipments where remito = '500'"), 1);
}

TEST_F(Queue, CarrierThatIsNotThereIsTriedAgainBecauseNothingLeft) {
  // A port on which nobody listens: provably unsent.
  installation_.stop();
  installation_.configure(installation_.carrier("oca", "http://127.0.0.1:" + std::to_string(closed_port())));
  installation_.start();
  platform().ask_remito("K1", "1001");
  ASSERT_TRUE(eventually([&] {
    return platform().text("select state || cast(attempts as text) from remito_requests") == "pending1";
  })) << installation_.log();
  installation_.stop();
  installation_.configure(installation_.carrier("oca", carrier_.url()));
  carrier_grants("500");
  platform().execute("update remito_requests set retry_at = 0");  // rather than to wait for it
  installation_.start();
  EXPECT_EQ(outcome("K1"), "granted 500");
}

}  // namespace
}  // namespace remitod::test
