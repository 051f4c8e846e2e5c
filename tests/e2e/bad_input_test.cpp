// Carriers that answer nonsense, and queue rows that cannot be: each is told, kept and counted, and hurts nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {
namespace {

using std::chrono::hours;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string json_headers = "Content-Type: application/json\r\n";

class BadAnswer : public testing::Test {
 protected:
  BadAnswer() {
    installation_.configure(installation_.carrier("oca", carrier_.url(), asked_by_hand_only) +
                            installation_.carrier("correios", carrier_.url(), asked_by_hand_only) +
                            installation_.carrier("olva", carrier_.url(), asked_by_hand_only));
    installation_.start();
  }
  void follow(const std::string& carrier, const std::vector<std::string>& remitos) {
    for (const std::string& remito : remitos) platform().follow(carrier, remito, "order-of-" + remito);
    ASSERT_TRUE(eventually([&] { return status(carrier).at("shipments") == remitos.size(); }));
  }
  demo::Parcel delivered(const std::string& remito) const {
    return {remito,
            {{demo::Step::on_the_way, installation_.now() - hours{3}, {}},
             {demo::Step::delivered, installation_.now() - hours{1}, {}}}};
  }
  std::string soap_delivered(const std::string& remito) const {
    const demo::Parcel parcel = delivered(remito);
    return demo::soap_tracking(&parcel);
  }

  // One shipment of a carrier is answered badly, another one well. The bad one is trouble: counted, logged with carrier
  // and remito, and the answer kept; the good one moves.
  void expect_trouble(const std::string& carrier, const std::string& kind, const std::string& well) {
    ASSERT_EQ(installation_.remitod({"--resync", carrier}).exit_code, 0);
    ASSERT_TRUE(eventually([&] {
      return status(carrier).at("failed_requests") != 0 &&
             platform().text("select status from shipments where remito = '" + well + "'") == "delivered";
    })) << installation_.log();
    EXPECT_THAT(status(carrier).at("last_error").get<std::string>(), HasSubstr(kind));
    EXPECT_THAT(installation_.log_lines({"poll_failed", "carrier=" + carrier, "remito=100", "kind=" + kind}),
                Not(IsEmpty()));
    EXPECT_EQ(platform().text("select status from shipments where remito = '100'"), "registered");
    EXPECT_TRUE(installation_.daemon().running());
  }
  void expect_kept(const std::string& carrier, const std::string& remito) {
    EXPECT_TRUE(eventually([&] {
      return platform().number("select count(*) from raw_answers where carrier = '" + carrier + "' and remito = '" +
                               remito + "' and why <> '' and body <> ''") != 0;
    }));
  }
  void oca_answers_100_with(ScriptedAnswer answer) {
    carrier_.says("<NumeroEnvio>100<", std::move(answer));
    carrier_.says("<NumeroEnvio>200<", ScriptedAnswer::ok(soap_delivered("200"), xml_headers));
    follow("oca", {"100", "200"});
  }

  Platform& platform() { return installation_.platform(); }
  nlohmann::json status(const std::string& carrier) const { return installation_.carrier_status(carrier); }
  std::string status_of(const std::string& remito) {
    return platform().text("select status from shipments where remito = '" + remito + "'");
  }

  ScriptedCarrier carrier_;
  Installation installation_{{.time_scale = quiet}};
};

TEST_F(BadAnswer, HtmlPageAt200) {
  oca_answers_100_with(
      ScriptedAnswer::ok("<!DOCTYPE html><html><body>Mantenimiento</body></html>", "Content-Type: text/html\r\n"));
  expect_trouble("oca", "malformed", "200");
  expect_kept("oca", "100");
}

TEST_F(BadAnswer, TruncatedXml) {
  const std::string whole = soap_delivered("100");
  oca_answers_100_with(ScriptedAnswer::ok(whole.substr(0, whole.size() * 2 / 3), xml_headers));
  expect_trouble("oca", "malformed", "200");
  expect_kept("oca", "100");
}

TEST_F(BadAnswer, CharsetThatIsNotTheOneClaimed) {
  std::string body = soap_delivered("100");
  body.replace(body.find("CENTRO"), 6, "C\xD3RDOBA");
  oca_answers_100_with(ScriptedAnswer::ok(body, xml_headers));
  expect_trouble("oca", "malformed", "200");
  expect_kept("oca", "100");
}

TEST_F(BadAnswer, BodyWithoutEnd) {
  oca_answers_100_with({.bytes = "HTTP/1.1 200 OK\r\n" + xml_headers + "\r\n<?xml version=\"1.0\"?>",
                        .again = std::string(64 * 1024, ' '),
                        .drip = {},
                        .then = ScriptedAnswer::Then::close});
  expect_trouble("oca", "too_large", "200");
}

TEST_F(BadAnswer, JsonNestedAHundredThousandDeep) {
  carrier_.says("tracking=100",
                ScriptedAnswer::ok(std::string(100'000, '[') + std::string(100'000, ']'), json_headers));
  const demo::Parcel parcel = delivered("200");
  carrier_.says("tracking=200", ScriptedAnswer::ok(demo::json_tracking(&parcel), json_headers));
  follow("olva", {"100", "200"});
  expect_trouble("olva", "malformed", "200");
  expect_kept("olva", "100");
}

TEST_F(BadAnswer, NumberThatWasNotAskedForAndOneThatIsMissing) {
  const std::vector<demo::Parcel> parcels{delivered("200BR"), delivered("999BR")};
  carrier_.says("buscaEventosLista", ScriptedAnswer::ok(demo::batch_tracking(parcels), xml_headers));
  follow("correios", {"100BR", "200BR"});
  installation_.resync("correios");
  EXPECT_EQ(status_of("200BR"), "delivered");
  EXPECT_EQ(status_of("100BR"), "registered") << "missing is not deleted";
  EXPECT_EQ(status("correios").at("missing"), 1);
  EXPECT_EQ(status("correios").at("extra"), 1);
  EXPECT_EQ(platform().number("select count(*) from shipments"), 2) << "nobody asked for 999BR";
  EXPECT_THAT(installation_.log_lines({"answer_without_shipment", "carrier=correios", "remito=100BR"}), Not(IsEmpty()));
  EXPECT_THAT(installation_.log_lines({"answer_with_strangers", "carrier=correios"}), Not(IsEmpty()));
  expect_kept("correios", "100BR");
}

TEST_F(BadAnswer, CodeThatTheProfileDoesNotKnow) {
  std::string body = demo::batch_tracking(std::vector<demo::Parcel>{delivered("100BR"), delivered("200BR")});
  body.replace(body.find("<tipo>BDE</tipo>"), 16, "<tipo>XYZ</tipo>");
  carrier_.says("buscaEventosLista", ScriptedAnswer::ok(body, xml_headers));
  follow("correios", {"100BR", "200BR"});
  installation_.resync("correios");
  EXPECT_EQ(status_of("100BR"), "in_transit") << "a code that nobody knows moves nothing";
  EXPECT_EQ(status_of("200BR"), "delivered");
  EXPECT_EQ(status("correios").at("unmapped"), 1);
  EXPECT_EQ(installation_.status().at("unmapped").at(0).at("code"), "XYZ-01");
  EXPECT_THAT(installation_.log_lines({"unmapped_code", "carrier=correios", "remito=100BR", "code=XYZ-01"}),
              Not(IsEmpty()));
  EXPECT_EQ(platform().number("select count(*) from tracking_events where status = 'unmapped'"), 1);
  EXPECT_TRUE(eventually([&] { return platform().number("select count(*) from raw_answers") != 0; }));
}

TEST_F(BadAnswer, DateThatDoesNotExist) {
  std::string body = demo::batch_tracking(std::vector<demo::Parcel>{delivered("100BR"), delivered("200BR")});
  const std::size_t at = body.find("<data>") + 6;
  body.replace(at, 10, "31/02/2026");
  carrier_.says("buscaEventosLista", ScriptedAnswer::ok(body, xml_headers));
  follow("correios", {"100BR", "200BR"});
  installation_.resync("correios");
  EXPECT_NE(status_of("100BR"), "delivered");
  EXPECT_EQ(status_of("200BR"), "delivered");
  EXPECT_GE(status("correios").at("wrong_rows"), 1);
  EXPECT_THAT(installation_.log_lines({"answer_row_left_out", "carrier=correios", "remito=100BR", "31/02/2026"}),
              Not(IsEmpty()));
  expect_kept("correios", "100BR");
}

}  // namespace
}  // namespace remitod::test
