// The built-in profiles over answers that carriers really gave, where the collection of them is at hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "carriers/mapping.h"
#include "tests/carriers/built_in_profiles.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Corpus : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::shared_dir()) GTEST_SKIP() << "the collection of carriers' answers is not beside this checkout";
  }

  static std::expected<TrackAnswer, CarrierTrouble> track(const std::string& carrier, const std::string& file,
                                                          std::vector<std::string_view> remitos, int status = 200) {
    std::vector<TrackItem> items;
    for (const std::string_view remito : remitos) items.push_back({remito, Instant{}});
    return map_track(*test::built_in_profile(carrier), answer(carrier, file, status), items);
  }

  static CreateAnswer create(const std::string& carrier, const std::string& file) {
    return map_create(*test::built_in_profile(carrier), answer(carrier, file, 200),
                      CreateOrder{"0000001061015", 1, "", "r-1", "{}"});
  }

 private:
  static HttpAnswer answer(const std::string& carrier, const std::string& file, int status) {
    HttpAnswer answer;
    answer.status = status;
    answer.content_type = file.ends_with(".xml") ? "text/xml; charset=utf-8" : "application/json";
    answer.body = test::read_file(*test::shared_dir() / "corpus" / "latam" / carrier / file);
    return answer;
  }
};

/// "57 registered 2016-12-13T03:00:00Z", with the reason after the status where there is one.
std::vector<std::string> lines(const Report& report) {
  std::vector<std::string> lines;
  for (const TrackingEvent& event : report.events) {
    std::string line = event.code + " " + std::string{name(event.status)};
    if (event.reason != Reason::none) line += "/" + std::string{name(event.reason)};
    lines.push_back(line + " " + to_iso8601(event.occurred_at.value().at));
  }
  return lines;
}

const Report& report_of(const TrackAnswer& answer, std::string_view remito) {
  const auto report = std::ranges::find(answer.reports, remito, &Report::remito);
  if (report == answer.reports.end()) throw std::runtime_error("no report of " + std::string{remito});
  return *report;
}

TEST_F(Corpus, OcaTrackingWithCodesGivesThreeEventsOfWhichTwoAtTheSameTime) {
  const auto answer = track("oca", "response.Tracking_Pieza_ConIdEstado.xml", {"1217400000000082171"});
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_THAT(answer->reports, SizeIs(1));
  EXPECT_THAT(lines(answer->reports[0]),
              ElementsAre("57 registered 2016-12-13T03:00:00Z", "23 available_for_pickup 2017-01-13T03:00:00Z",
                          "63 delivered 2017-01-13T03:00:00Z"));
  const TrackingEvent& last = answer->reports[0].events.back();
  EXPECT_EQ(last.text, "Entregado");
  EXPECT_EQ(last.place, "PLANTA VELEZ SARSFIELD");
  EXPECT_EQ(last.position, 2u);
  EXPECT_EQ(last.occurred_at->zone, ZoneSource::offset);
  EXPECT_TRUE(last.occurred_at->date_only);
  EXPECT_THAT(answer->errors, IsEmpty());
}

TEST_F(Corpus, OcaTrackingWithoutCodesMeansTheSameByItsTexts) {
  const auto answer = track("oca", "response.Tracking_Pieza.xml", {"1217400000000082171"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(lines(answer->reports.at(0)),
              ElementsAre("En proceso de Admision registered 2016-12-13T03:00:00Z",
                          "En Espera de Retiro por Sucursal available_for_pickup 2017-01-13T03:00:00Z",
                          "Entregado delivered 2017-01-13T03:00:00Z"));
}

TEST_F(Corpus, OcaEmptyDiffgramIsNotFoundYet) {
  const auto answer = track("oca", "response.GetOperativasByUsuario.bad_login_empty.xml", {"1"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->reports.at(0).kind, Report::Kind::not_found_yet);
}

TEST_F(Corpus, OcaAnswerOfAnotherOperationIsNoReport) {
  const auto answer = track("oca", "response.GetEpackUser.bad_login_200.xml", {"1"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(answer->reports, IsEmpty());
  EXPECT_THAT(answer->missing, ElementsAre("1"));
  EXPECT_THAT(answer->errors, SizeIs(1));
}

TEST_F(Corpus, OcaFaultAt500SpeaksInTheCarriersWords) {
  const auto answer = track("oca", "response.GetPdfDeEtiquetas.fault500.xml", {"1"}, 500);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, CarrierTrouble::Kind::http_status);
  EXPECT_EQ(answer.error().message, "HTTP 500: Server was unable to process request. ---> The document has no pages.");
}

TEST_F(Corpus, OcaOrderLeftInTheCartHasNoRemito) {
  const CreateAnswer answer = create("oca", "response.IngresoOR.xml");
  EXPECT_EQ(answer.kind, CreateAnswer::Kind::unknown);
  EXPECT_EQ(answer.refusal_text, "accepted without a number");
}

TEST_F(Corpus, OcaBadLoginRefusesNoOrder) {
  const CreateAnswer answer = create("oca", "response.GetOperativasByUsuario.bad_login_empty.xml");
  EXPECT_EQ(answer.kind, CreateAnswer::Kind::unknown);
  EXPECT_EQ(answer.refusal_code, "auth");
}

TEST_F(Corpus, CorreiosHistoryOfAReturnedObjectIsReadFromItsEnd) {
  const auto answer = track("correios", "response.sro.buscaEventosLista.returned.xml", {"BE058714266BR"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(
      lines(answer->reports.at(0)),
      ElementsAre(
          "PO-09 picked_up 2018-07-10T22:40:00Z", "OEC-01 out_for_delivery 2018-07-12T14:24:00Z",
          "BDE-20 attempt_failed/recipient_absent 2018-07-12T20:42:00Z", "OEC-01 out_for_delivery 2018-07-13T14:16:00Z",
          "BDE-20 attempt_failed/recipient_absent 2018-07-13T18:21:00Z", "OEC-01 out_for_delivery 2018-07-16T14:43:00Z",
          "BDE-20 attempt_failed/recipient_absent 2018-07-16T19:53:00Z",
          "BDE-21 attempt_failed/recipient_absent 2018-07-16T20:02:00Z", "RO-01 in_transit 2018-07-17T16:34:00Z",
          "OEC-09 returning 2018-07-23T10:49:00Z", "BDE-23 returned 2018-07-23T12:48:00Z"));
  const TrackingEvent& forwarded = answer->reports[0].events.at(8);
  EXPECT_EQ(forwarded.text, "Objeto encaminhado");
  EXPECT_EQ(forwarded.place, "CDD IMIRIM, SAO PAULO/SP");
  EXPECT_EQ(forwarded.occurred_at->zone, ZoneSource::profile);
}

TEST_F(Corpus, CorreiosBatchIsMatchedByNumber) {
  const auto answer = track("correios", "response.sro.buscaEventosLista.two_objects.xml",
                            {"JT365572014BR", "BE058714266BR", "SI047624825BR"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(report_of(*answer, "BE058714266BR").events, SizeIs(11));
  EXPECT_THAT(lines(report_of(*answer, "JT365572014BR")), ElementsAre("PO-01 picked_up 2018-06-21T18:30:00Z"));
  EXPECT_THAT(answer->missing, ElementsAre("SI047624825BR"));
}

TEST_F(Corpus, CorreiosSummerTimeShiftsTheHour) {
  const auto answer = track("correios", "response.sro.many_delivered.xml", {"SI047624825BR", "SX104110463BR"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(lines(report_of(*answer, "SI047624825BR")),
              ElementsAre("PO-01 picked_up 2016-12-24T14:57:00Z", "DO-01 in_transit 2016-12-24T15:32:00Z",
                          "DO-01 in_transit 2016-12-25T08:54:00Z", "BDR-66 in_transit 2016-12-25T16:38:00Z",
                          "OEC-01 out_for_delivery 2016-12-26T09:15:00Z", "BDI-01 delivered 2016-12-26T17:22:00Z"));
  EXPECT_EQ(report_of(*answer, "SX104110463BR").events.back().status, Status::delivered);
  EXPECT_THAT(answer->errors, IsEmpty());
}

TEST_F(Corpus, CorreiosObjectWaitsAtTheCounter) {
  const auto answer = track("correios", "response.sro.one_object.xml", {"SI047624825BR"});
  ASSERT_TRUE(answer) << answer.error().message;
  const std::vector<TrackingEvent>& events = answer->reports.at(0).events;
  ASSERT_THAT(events, SizeIs(6));
  EXPECT_EQ(events[4].code, "LDI-01");
  EXPECT_EQ(events[4].status, Status::available_for_pickup);
  EXPECT_EQ(events[4].place, "AC SAO JOSE DE UBA, Sao Jose de Uba/RJ");
}

TEST_F(Corpus, CorreiosUnknownObjectsAreNotFoundYet) {
  for (const auto& [file, remito] : {std::pair{"response.sro.not_found.xml", "XDG257670520BR"},
                                     std::pair{"response.sro.not_found_200.xml", "DU055087593BR"},
                                     std::pair{"response.sro.no_city.xml", "FJ064849483BR"}}) {
    const auto answer = track("correios", file, {remito});
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_THAT(answer->reports, SizeIs(1)) << file;
    EXPECT_EQ(answer->reports[0].remito, remito);
    EXPECT_EQ(answer->reports[0].kind, Report::Kind::not_found_yet);
  }
}

TEST_F(Corpus, CorreiosLoginFaultAt500IsAnAuthTrouble) {
  const auto answer = track("correios", "response.sigep.auth_fault_500.xml", {"DU055087593BR"}, 500);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, CarrierTrouble::Kind::auth);
  EXPECT_EQ(answer.error().message, "HTTP 500: A autenticacao de sigep falhou!");
}

TEST_F(Corpus, ChazkiVisitsAreReadFromKeysThatAreCounted) {
  const auto answer = track("chazki", "response.track.record.shape.json", {"0000001061015"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(lines(answer->reports.at(0)),
              ElementsAre("Nuevo registered 2018-04-26T13:01:11Z", "Aceptado registered 2018-04-26T13:20:40Z",
                          "Recogido picked_up 2018-04-26T14:00:12Z",
                          "Fallo Entrega attempt_failed/recipient_absent 2018-04-26T14:26:03Z",
                          "Recogido picked_up 2018-04-26T17:00:09Z", "Entregado delivered 2018-04-26T17:44:30Z"));
}

TEST_F(Corpus, ChazkiRemitoIsOurOrderNumber) {
  EXPECT_EQ(create("chazki", "response.create.ok.shape.json").remito, "0000001061015");
  EXPECT_EQ(create("chazki", "response.create.functional_error_200.shape.json").kind, CreateAnswer::Kind::refused);
  EXPECT_EQ(create("chazki", "response.create.technical_error_200.shape.json").kind, CreateAnswer::Kind::unknown);
}

TEST_F(Corpus, OlvaDaysAreReadFromTheOldest) {
  const auto answer = track("olva", "response.tracking.delivered.json", {"1234567"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(
      lines(answer->reports.at(0)),
      ElementsAre("REGISTRADO registered 2026-09-17T05:00:00Z", "EN VALIJA picked_up 2026-09-18T05:00:00Z",
                  "DESPACHADO in_transit 2026-09-19T05:00:00Z",
                  "CONFIRMACION EN TIENDA available_for_pickup 2026-09-21T05:00:00Z",
                  "ASIGNADO out_for_delivery 2026-09-23T05:00:00Z", "ENTREGADO delivered 2026-09-23T05:00:00Z"));
  for (const TrackingEvent& event : answer->reports[0].events) {
    EXPECT_TRUE(event.occurred_at->date_only);
    EXPECT_EQ(event.text.find("DNI"), std::string::npos) << "personal data";
  }
}

TEST_F(Corpus, OlvaShipmentMayHaveNoEventsOrNotBeKnown) {
  const auto registered = track("olva", "response.tracking.no_events.json", {"1234567"});
  ASSERT_TRUE(registered) << registered.error().message;
  EXPECT_EQ(registered->reports.at(0).kind, Report::Kind::events);
  EXPECT_THAT(registered->reports[0].events, IsEmpty());
  const auto unknown = track("olva", "response.tracking.not_found_200.shape.json", {"1234567"});
  ASSERT_TRUE(unknown) << unknown.error().message;
  EXPECT_EQ(unknown->reports.at(0).kind, Report::Kind::not_found_yet);
}

}  // namespace
}  // namespace remitod::carriers
