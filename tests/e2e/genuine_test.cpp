// Answers that OCA and Correios really gave, served to the running daemon: what it reports and tells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Genuine : public testing::Test {
 protected:
  void SetUp() override {
    if (!shared_dir()) GTEST_SKIP() << "the collection of carriers' answers is not beside this checkout";
    installation_.configure(installation_.carrier("oca", carrier_.url(), asked_by_hand_only) +
                            installation_.carrier("correios", carrier_.url(), asked_by_hand_only));
    installation_.start();
  }

  static ScriptedAnswer genuine(const std::string& file, int status = 200) {
    return ScriptedAnswer::status(status, read_file(*shared_dir() / "corpus" / "latam" / file), xml_headers);
  }
  Platform& platform() { return installation_.platform(); }
  /// Once accepted, a shipment can be asked about by hand.
  void follow(const std::string& carrier, const std::string& remito) {
    platform().follow(carrier, remito, "order-of-" + remito);
    ASSERT_TRUE(eventually([&] {
      return installation_.remitod({"--resync", carrier + ":" + remito, "--dry-run"}).exit_code == 0;
    })) << installation_.log();
  }
  std::vector<std::string> told_of(const std::string& remito) {
    EXPECT_TRUE(
        eventually([&] { return platform().number("select count(*) from transitions where seq is null") == 0; }));
    return told(platform(), remito);
  }
  std::string status_of(const std::string& remito) {
    return platform().text("select status from shipments where remito = '" + remito + "'");
  }
  std::int64_t events_of(const std::string& remito) {
    return platform().number(
        "select count(*) from tracking_events e join shipments s on s.id = e.shipment_id where s.remito = '" + remito +
        "'");
  }

  ScriptedCarrier carrier_;
  Installation installation_{{.time_scale = quiet}};
};

TEST_F(Genuine, OcaNumberIsUnknownForHoursAndThenHasAHistory) {
  const std::string remito = "1217400000000082171";
  carrier_.says(remito, genuine("oca/response.GetOperativasByUsuario.bad_login_empty.xml"));
  follow("oca", remito);
  installation_.resync("oca:" + remito);
  EXPECT_EQ(carrier_.asked(remito), 1u);
  EXPECT_EQ(status_of(remito), "registered");
  EXPECT_EQ(events_of(remito), 0);
  EXPECT_THAT(told_of(remito), IsEmpty());
  EXPECT_EQ(installation_.carrier_status("oca").at("failed_requests"), 0) << "not known yet is no trouble";

  carrier_.says(remito, genuine("oca/response.Tracking_Pieza_ConIdEstado.xml"));
  installation_.resync("oca:" + remito);
  EXPECT_EQ(status_of(remito), "delivered");
  EXPECT_EQ(events_of(remito), 3);
  EXPECT_THAT(told_of(remito),
              ElementsAre("in_transit 2017-01-13 03:00:00 inferred", "available_for_pickup 2017-01-13 03:00:00",
                          "delivered 2017-01-13 03:00:00"));
  installation_.resync("oca:" + remito);
  EXPECT_EQ(told_of(remito).size(), 3u) << "the same answer tells nothing anew";
}

TEST_F(Genuine, CorreiosBatchTellsEachObjectByItsNumber) {
  carrier_.says("BE058714266BR", genuine("correios/response.sro.buscaEventosLista.two_objects.xml"));
  for (const std::string remito : {"JT365572014BR", "BE058714266BR", "SI047624825BR"}) follow("correios", remito);
  installation_.resync("correios");
  EXPECT_EQ(carrier_.asked("buscaEventosLista"), 1u);
  EXPECT_THAT(
      told_of("BE058714266BR"),
      ElementsAre("picked_up 2018-07-10 22:40:00", "in_transit 2018-07-12 14:24:00 inferred",
                  "out_for_delivery 2018-07-12 14:24:00", "attempt_failed/recipient_absent #1 2018-07-12 20:42:00",
                  "out_for_delivery 2018-07-13 14:16:00", "attempt_failed/recipient_absent #2 2018-07-13 18:21:00",
                  "out_for_delivery 2018-07-16 14:43:00", "attempt_failed/recipient_absent #3 2018-07-16 19:53:00",
                  "attempt_failed/recipient_absent #4 2018-07-16 20:02:00", "in_transit 2018-07-17 16:34:00",
                  "returning 2018-07-23 10:49:00", "returned 2018-07-23 12:48:00"));
  EXPECT_THAT(told_of("JT365572014BR"), ElementsAre("picked_up 2018-06-21 18:30:00"));
  EXPECT_THAT(told_of("SI047624825BR"), IsEmpty());
  EXPECT_EQ(events_of("BE058714266BR"), 11);
  EXPECT_EQ(installation_.carrier_status("correios").at("missing"), 1);
  EXPECT_EQ(platform().text("select attempts_failed || ' ' || status from shipments where remito = 'BE058714266BR'"),
            "4 returned");
}

TEST_F(Genuine, CorreiosHoursShiftWithSummerTime) {
  carrier_.says("SI047624825BR", genuine("correios/response.sro.many_delivered.xml"));
  follow("correios", "SI047624825BR");
  installation_.resync("correios:SI047624825BR");
  EXPECT_THAT(told_of("SI047624825BR"),
              ElementsAre("picked_up 2016-12-24 14:57:00", "in_transit 2016-12-24 15:32:00",
                          "out_for_delivery 2016-12-26 09:15:00", "delivered 2016-12-26 17:22:00"));
  EXPECT_GT(installation_.carrier_status("correios").at("extra"), 0);
}

TEST_F(Genuine, CorreiosObjectThatIsNotKnownYetCausesNothing) {
  carrier_.says("DU055087593BR", genuine("correios/response.sro.not_found_200.xml"));
  follow("correios", "DU055087593BR");
  installation_.resync("correios:DU055087593BR");
  EXPECT_EQ(status_of("DU055087593BR"), "registered");
  EXPECT_THAT(told_of("DU055087593BR"), IsEmpty());
  EXPECT_EQ(installation_.carrier_status("correios").at("failed_requests"), 0);
}

TEST_F(Genuine, FaultOfTheLoginAt500IsTroubleAndChangesNothing) {
  carrier_.says("DU055087593BR", genuine("correios/response.sigep.auth_fault_500.xml", 500));
  follow("correios", "DU055087593BR");
  ASSERT_EQ(installation_.remitod({"--resync", "correios:DU055087593BR"}).exit_code, 0);
  ASSERT_TRUE(eventually([&] { return installation_.carrier_status("correios").at("failed_requests") != 0; }));
  EXPECT_EQ(installation_.carrier_status("correios").at("last_error"),
            "auth: HTTP 500: A autenticacao de sigep falhou!");
  EXPECT_THAT(installation_.log_lines({"poll_failed", "carrier=correios", "remito=DU055087593BR", "kind=auth"}),
              testing::Not(IsEmpty()));
  EXPECT_TRUE(eventually([&] {
    return platform().number("select count(*) from raw_answers where carrier = 'correios' and http_status = 500") != 0;
  }));
  EXPECT_EQ(status_of("DU055087593BR"), "registered");
  EXPECT_THAT(told_of("DU055087593BR"), IsEmpty());
}

TEST_F(Genuine, OcaLoginThatIsNotAcceptedRefusesNoOrder) {
  carrier_.says("IngresoOR", genuine("oca/response.GetOperativasByUsuario.bad_login_empty.xml"));
  platform().ask_remito("K1", "1001");
  ASSERT_TRUE(eventually([&] { return platform().text("select state from remito_requests") == "needs_operator"; }))
      << installation_.log();
  EXPECT_THAT(platform().text("select refusal_text from remito_requests"),
              testing::HasSubstr("user and password were not accepted"));
  EXPECT_EQ(platform().number("select count(*) from transitions"), 0) << "the merchant has done nothing wrong";
  EXPECT_EQ(carrier_.asked("IngresoOR"), 1u);
}

TEST_F(Genuine, OcaOrderLeftInTheCartIsNoRemitoAndIsNotSentAgain) {
  carrier_.says("IngresoOR", genuine("oca/response.IngresoOR.xml"));
  platform().ask_remito("K1", "1001");
  ASSERT_TRUE(eventually([&] { return platform().text("select state from remito_requests") == "needs_operator"; }))
      << installation_.log();
  EXPECT_EQ(platform().number("select count(*) from transitions"), 0);
  EXPECT_EQ(installation_.remitod({"--status"}).exit_code, 1) << "a person has to look";
  EXPECT_EQ(carrier_.asked("IngresoOR"), 1u);
}

}  // namespace
}  // namespace remitod::test
