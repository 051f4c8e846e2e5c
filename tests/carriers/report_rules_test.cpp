// What a profile may say of the shapes in which carriers tell histories: rows, milestones, states, failures of one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/carriers/one_answer.h"

namespace remitod::carriers {
namespace {

using test::head;
using test::json_answer;
using test::load_small_profile;
using test::one_number_profile;
using test::read_answer;
using test::read_events;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view plain_event = "code = 'code'\ntime = 'at'\nformats = ['iso']";

std::vector<std::string> codes(const std::vector<TrackingEvent>& events) {
  std::vector<std::string> codes;
  for (const TrackingEvent& event : events) codes.push_back(event.code);
  return codes;
}

std::vector<std::uint32_t> positions(const std::vector<TrackingEvent>& events) {
  std::vector<std::uint32_t> positions;
  for (const TrackingEvent& event : events) positions.push_back(event.position);
  return positions;
}

/// A carrier that takes ten numbers; `answer` is the rest of [track.answer].
std::expected<TrackAnswer, CarrierTrouble> read_batch(std::string_view answer, const std::string& body,
                                                      int status = 200) {
  const auto profile = load_small_profile(std::string{head} + R"toml(
[track]
url = "{{base_url}}/?{{#items}}id={{remito}}&{{/items}}"
[track.answer]
format = "json"
remito = "id"
)toml" + std::string{answer} + "\n[track.event]\n" +
                                          std::string{plain_event});
  const std::vector<TrackItem> asked{{"1", Instant{}}, {"2", Instant{}}};
  return map_track(*profile, json_answer(body, status), asked);
}

constexpr std::string_view row_per_event = "shipments = '/json/row'\nevents = '.'";
constexpr std::string_view rows = R"({"row":[
  {"id":"1","code":"A","at":"2026-11-01T10:00:00Z"}, {"id":"2","code":"A","at":"2026-11-01T10:00:00Z"},
  {"id":"1","code":"B","at":"never"},                {"id":"9","code":"B","at":"2026-11-02T10:00:00Z"},
  {"id":"1","code":"C","at":"2026-11-03T10:00:00Z"}]})";

TEST(Rows, OfOneNumberAreOneReport) {
  const auto answer = read_batch(row_per_event, std::string{rows});
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(2));
  EXPECT_EQ(answer->reports[0].remito, "1");
  EXPECT_THAT(codes(answer->reports[0].events), ElementsAre("A", "C"));
  EXPECT_THAT(positions(answer->reports[0].events), ElementsAre(0, 2));
  EXPECT_THAT(codes(answer->reports[1].events), ElementsAre("A"));
  EXPECT_EQ(answer->extra, 1u);
  ASSERT_THAT(answer->errors, SizeIs(1));
  EXPECT_EQ(answer->errors[0].remito, "1");
  EXPECT_THAT(answer->errors[0].message, HasSubstr("event 2: at: 'never'"));
}

TEST(Rows, ListedNewestFirstAreTurnedRoundTogether) {
  const auto answer = read_batch(std::string{row_per_event} + "\norder = 'newest_first'", std::string{rows});
  ASSERT_TRUE(answer);
  EXPECT_THAT(codes(answer->reports.at(0).events), ElementsAre("C", "A"));
  EXPECT_THAT(positions(answer->reports[0].events), ElementsAre(0, 2));
}

TEST(Rows, BeyondAllMeasureAreNoReport) {
  std::string body = R"({"row":[{"id":"2","code":"A","at":"2026-11-01T10:00:00Z"})";
  for (int i = 0; i < 5'001; ++i) body += R"(,{"id":"1","code":"A","at":"2026-11-01T10:00:00Z"})";
  const auto answer = read_batch(row_per_event, body + "]}");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(1));
  EXPECT_EQ(answer->reports[0].remito, "2");
  ASSERT_THAT(answer->errors, SizeIs(1));
  EXPECT_THAT(answer->errors[0].message, HasSubstr("5001 events"));
}

TEST(Shipment, ThatTheCarrierFailedOnLeavesTheOthers) {
  const auto answer = read_batch("shipments = '/json/s'\nevents = 'e'\nshipment_error = 'fault/text'",
                                 R"({"s":[{"id":"1","fault":{"text":"locked"}},{"id":"2","fault":null}]})");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(1));
  EXPECT_EQ(answer->reports[0].remito, "2");
  EXPECT_THAT(answer->missing, IsEmpty());
  ASSERT_THAT(answer->errors, SizeIs(1));
  EXPECT_EQ(answer->errors[0].remito, "1");
  EXPECT_THAT(answer->errors[0].message, HasSubstr("locked"));
}

TEST(Shipment, IsFailedOnWithoutWordsWhereTheProfileTakesTheNameOfTheElementForThem) {
  constexpr const char* body = R"({"s":[{"id":"1","errorInterno":""},{"id":"2"}]})";
  const auto failed =
      read_batch("shipments = '/json/s'\nevents = 'e'\nshipment_error = ['errorInterno', 'name(errorInterno)']", body);
  ASSERT_TRUE(failed);
  ASSERT_THAT(failed->reports, SizeIs(1));
  EXPECT_EQ(failed->reports[0].remito, "2");
  ASSERT_THAT(failed->errors, SizeIs(1));
  EXPECT_THAT(failed->errors[0].message, HasSubstr("errorInterno"));
  const auto well = read_batch("shipments = '/json/s'\nevents = 'e'\nshipment_error = 'errorInterno'", body);
  ASSERT_TRUE(well);
  EXPECT_THAT(well->reports, SizeIs(2)) << "an empty text is no error: most carriers send one with all that is well";
}

TEST(Shipment, ThatTheCarrierFailedOnIsReadWhereItIsListedAgain) {
  const auto answer = read_batch("shipments = '/json/s'\nevents = 'e'\nshipment_error = 'fault/text'",
                                 R"({"s":[{"id":"1","fault":{"text":"locked"}},
                                          {"id":"1","e":{"code":"A","at":"2026-11-01T10:00:00Z"}}]})");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(1));
  EXPECT_THAT(codes(answer->reports[0].events), ElementsAre("A"));
  ASSERT_THAT(answer->errors, SizeIs(1));
  EXPECT_THAT(answer->errors[0].message, HasSubstr("locked"));
}

TEST(Shipment, ThatIsGoneIsToldApartFromOneNotFoundYet) {
  const auto answer = read_batch(
      "shipments = '/json/s'\nevents = 'e'\nshipment_gone = \"state = 'purged'\"\nshipment_not_found = 'not(e)'",
      R"({"s":[{"id":"1","state":"purged"},{"id":"2","state":"new"}]})");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(2));
  EXPECT_EQ(answer->reports[0].kind, Report::Kind::gone);
  EXPECT_EQ(answer->reports[1].kind, Report::Kind::not_found_yet);
}

TEST(Document, SaysOfAllThatWereAskedForThatTheyAreGoneOrNotThereYet) {
  const std::string_view rules =
      "shipments = '/json/s'\nevents = 'e'\ngone = \"/json/state = 'purged'\"\nnot_found = '/json/state'";
  const auto gone = read_batch(rules, R"({"state":"purged"})");
  ASSERT_TRUE(gone);
  ASSERT_THAT(gone->reports, SizeIs(2));
  EXPECT_EQ(gone->reports[1].kind, Report::Kind::gone);
  EXPECT_EQ(read_batch(rules, R"({"state":"new"})")->reports.at(0).kind, Report::Kind::not_found_yet);
}

TEST(Shipment, WithoutANumberNamesTheKeyThatIsEmpty) {
  const auto answer =
      read_batch("shipments = '/json/s'\nevents = 'e'\nshipment_gone = 'purged'", R"({"s":{"purged":true}})");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->errors, SizeIs(1));
  EXPECT_EQ(
      answer->errors[0].message,
      "remito 'id' is empty: the answer does not say which shipment this is (what an answer says without a number "
      "is for `not_found` and `gone`)");
}

TEST(Text, RepeatsNoReasonThatSaysTheSame) {
  const std::string profile =
      one_number_profile("events = '/json/e'", std::string{plain_event} + "\ntext = 'text'\nreason = 'why'");
  const auto text = [&](const std::string& words) {
    return read_events(profile, R"({"e":{"code":"9","at":"2026-11-01T10:00:00Z",)" + words + "}}").at(0).text;
  };
  EXPECT_EQ(text(R"("text":"Visita fallida","why":"Cliente ausente")"), "Visita fallida: Cliente ausente");
  EXPECT_EQ(text(R"("text":"Cliente ausente","why":"CLIENTE  AUSENTE")"), "Cliente ausente");
  EXPECT_EQ(text(R"("text":"","why":"Cliente ausente")"), "Cliente ausente");
}

TEST(Shipment, WithEventsAndSaidToBeUnknownKeepsItsEvents) {
  const auto answer = read_batch("shipments = '/json/s'\nevents = 'e'\nshipment_not_found = 'unknown'",
                                 R"({"s":[{"id":"1","e":{"code":"A","at":"2026-11-01T10:00:00Z"}},
                                          {"id":"1","unknown":true}]})");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(1));
  EXPECT_THAT(answer->reports[0].events, SizeIs(1));
  EXPECT_THAT(answer->errors, SizeIs(1));
}

TEST(HttpStatus, SaysOfAllWhatTheProfileStates) {
  const std::string_view statuses =
      "shipments = '/json/s'\nevents = 'e'\nnot_found_statuses = [404]\ngone_statuses = [410]";
  const auto unknown = read_batch(statuses, "<html>no such page</html>", 404);
  ASSERT_TRUE(unknown);
  ASSERT_THAT(unknown->reports, SizeIs(2));
  EXPECT_EQ(unknown->reports[1].kind, Report::Kind::not_found_yet);
  const auto gone = read_batch(statuses, "", 410);
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->reports.at(0).kind, Report::Kind::gone);
  const auto failed = read_batch(statuses, "", 500);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, CarrierTrouble::Kind::http_status);
}

TEST(Throttled, IsWhatTheProfileSaysAtAnyHttpStatus) {
  const std::string_view throttled =
      "shipments = '/json/s'\nevents = 'e'\nthrottled = \"/json/code = 'SLOW'\"\nerror = '/json/text'";
  for (const int status : {200, 503}) {
    const auto answer = read_batch(throttled, R"({"code":"SLOW","text":"ten a minute"})", status);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, CarrierTrouble::Kind::throttled);
    EXPECT_THAT(answer.error().message, HasSubstr("ten a minute"));
  }
}

TEST(Error, IsAFieldLikeAnyOther) {
  const auto answer = read_batch(
      "shipments = '/json/s'\nevents = 'e'\nsuccess = 'false()'\n"
      "error = {join = ['/json/errors/text'], with = '; '}",
      R"({"errors":[{"text":"one"},{"text":"two"}]})");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "one; two");
}

TEST(Milestones, AreEventsWithTheirKeysAsCodes) {
  const std::string profile = one_number_profile("events = \"/json/dates/*[. != '']\"",
                                                 "code = ['@key', 'name()']\ntime = '.'\nformats = ['%d/%m/%Y %H:%M']");
  const std::vector<TrackingEvent> events = read_events(
      profile, R"({"dates":{"picked_up":"01/11/2026 10:00","1st visit":"02/11/2026 09:30","delivered":null}})");
  EXPECT_THAT(codes(events), ElementsAre("picked_up", "1st visit"));
  EXPECT_EQ(to_iso8601(events[1].occurred_at->at), "2026-11-02T14:30:00Z");
}

TEST(Milestones, MayBeAttributes) {
  std::string profile = one_number_profile("events = \"//s/@*[starts-with(name(), 'at_')]\"",
                                           "code = 'substring-after(name(), \"_\")'\ntime = '.'\nformats = ['iso']");
  profile.replace(profile.find("\"json\""), 6, "\"xml\"");
  const auto events =
      read_events(profile, R"(<a><s id="1" at_depot="2026-11-01T10:00:00Z" at_door="2026-11-02T10:00:00Z"/></a>)");
  EXPECT_THAT(codes(events), ElementsAre("depot", "door"));
}

TEST(Milestones, AndAPresentStateStandInOneHistory) {
  const std::string profile = one_number_profile("events = '/json/history | /json/now'",
                                                 "code = ['code', 'state']\ntime = ['at', 'since']\nformats = ['iso']");
  const auto events = read_events(profile, R"({"history":[{"code":"A","at":"2026-11-01T10:00:00Z"}],
                                               "now":{"state":"B","since":"2026-11-02T10:00:00Z"}})");
  EXPECT_THAT(codes(events), ElementsAre("A", "B"));
}

std::string with_rules(std::string_view rules) {
  return one_number_profile("events = '/json/e'", std::string{plain_event} + "\ntext = 'text'\nreason = 'why'", rules);
}

std::string status_of(std::string_view rules, const std::string& members) {
  const auto events =
      read_events(with_rules(rules), R"({"state":"Devuelto","e":{"at":"2026-11-03T10:00:00Z",)" + members + "}}");
  if (events.empty()) return "ignored";
  const std::string reason{name(events[0].reason)};
  return std::string{name(events[0].status)} + (reason.empty() ? "" : " " + reason);
}

TEST(StatusRule, TakesAnyOfItsTextsAndPrefixes) {
  const std::string_view rules = R"toml([[track.status]]
texts = ["Entregado", "Entrega a vecino"]
text = "Delivered"
status = "delivered"
[[track.status]]
prefixes = ["en ruta", "salió"]
status = "out_for_delivery")toml";
  EXPECT_EQ(status_of(rules, R"("text":"ENTREGA A  VECINO")"), "delivered");
  EXPECT_EQ(status_of(rules, R"("text":"delivered")"), "delivered");
  EXPECT_EQ(status_of(rules, R"("text":"Salio del centro")"), "out_for_delivery");
  EXPECT_EQ(status_of(rules, R"("text":"Entregado!")"), "unmapped");
}

TEST(StatusRule, TakesWhatStandsAnywhereInTheTextWithoutCaseAccentsAndSpacing) {
  const std::string_view rules = R"toml([[track.status]]
contains = ["no ubicado", "DIRECCIÓN  errada"]
status = "attempt_failed"
[[track.status]]
contains = "tránsito"
prefix = "en"
status = "in_transit")toml";
  EXPECT_EQ(status_of(rules, R"("text":"Visita: direccion errada, se reintenta")"), "attempt_failed");
  EXPECT_EQ(status_of(rules, R"("text":"Cliente NO UBICADO")"), "attempt_failed");
  EXPECT_EQ(status_of(rules, R"("text":"En TRANSITO a Lima")"), "in_transit");
  EXPECT_EQ(status_of(rules, R"("text":"Sale a tránsito")"), "unmapped") << "each key has to hold";
  EXPECT_EQ(status_of(rules, R"("text":"direccion")"), "unmapped");
}

TEST(StatusRule, MayLookAtAnotherField) {
  const std::string_view rules = R"toml([[track.status]]
of = "../state"
text = "devuelto"
code = "Z"
status = "returned"
[[track.status]]
of = "detail"
pattern = "^visita (?:1|2)"
status = "attempt_failed")toml";
  EXPECT_EQ(status_of(rules, R"("code":"Z")"), "returned");
  EXPECT_EQ(status_of(rules, R"("code":"Y","detail":"visita 2")"), "attempt_failed");
  EXPECT_EQ(status_of(rules, R"("code":"visita 1","text":"visita 1")"), "unmapped")
      << "neither the code nor the text stands for a field that is empty";
}

TEST(StatusRule, MayReachTheShipmentAndTheDocument) {
  const std::string_view rules = R"toml([[track.status]]
when = "/json/state = 'Devuelto' and not(following-sibling::e)"
status = "returned")toml";
  EXPECT_EQ(status_of(rules, R"("code":"Z")"), "returned");
}

TEST(StatusRule, IgnoresWhatIsNoEvent) {
  const std::string_view rules = R"toml([[track.status]]
code = "ETA"
ignore = true
[[track.status]]
code = "D"
status = "delivered")toml";
  EXPECT_EQ(status_of(rules, R"("code":"ETA")"), "ignored");
  EXPECT_EQ(status_of(rules, R"("code":"D")"), "delivered");
  const auto events = read_events(with_rules(rules), R"({"e":[{"code":"ETA","at":"soon"},
                                                              {"code":"D","at":"2026-11-03T10:00:00Z"}]})");
  EXPECT_THAT(positions(events), ElementsAre(1)) << "what is ignored need not be readable, and keeps its place";
}

TEST(ReasonRule, LooksAtTheReasonOrAtAnotherField) {
  const std::string_view rules = R"toml([[track.status]]
code = "F"
status = "attempt_failed"
[[track.reason]]
texts = ["NE", "NH"]
reason = "recipient_absent"
[[track.reason]]
of = "note"
prefix = "calle"
reason = "address_not_found"
[[track.reason]]
of = "note"
contains = ["desistió"]
reason = "recipient_refused")toml";
  EXPECT_EQ(status_of(rules, R"("code":"F","why":"nh")"), "attempt_failed recipient_absent");
  EXPECT_EQ(status_of(rules, R"("code":"F","why":"99","note":"Calle cerrada")"), "attempt_failed address_not_found");
  EXPECT_EQ(status_of(rules, R"("code":"F","why":"99","note":"El cliente DESISTIO")"),
            "attempt_failed recipient_refused");
  EXPECT_EQ(status_of(rules, R"("code":"F","why":"99")"), "attempt_failed other");
}

TEST(Rules, ThatCannotMeanAnythingAreRefused) {
  EXPECT_THROW(load_small_profile(with_rules("[[track.status]]\ncode = 'A'\nignore = true\nstatus = 'delivered'")),
               std::runtime_error);
  EXPECT_THROW(load_small_profile(with_rules("[[track.status]]\ncode = 'A'\nof = 'b'\nstatus = 'delivered'")),
               std::runtime_error);
  EXPECT_THROW(load_small_profile(with_rules("[[track.status]]\ntexts = [' - ', '\u00a0']\nstatus = 'delivered'")),
               std::runtime_error);
  EXPECT_THROW(load_small_profile(with_rules("[[track.status]]\ncontains = '\u00a0'\nstatus = 'delivered'")),
               std::runtime_error)
      << "it would stand in every text";
  EXPECT_THROW(load_small_profile(with_rules("[[track.status]]\nstatus = 'delivered'")), std::runtime_error);
}

TEST(Zone, StandsBesideTheTime) {
  const std::string profile = one_number_profile(
      "events = '/json/e'",
      "code = 'code'\ntime = {join = ['day', 'hour']}\nformats = ['%Y%m%d %H%M%S', '%Y%m%d']\nzone = 'zone'\n"
      "zones = {ET = 'America/New_York'}");
  const auto at = [&](const std::string& members) {
    const auto events = read_events(profile, R"({"e":{"code":"A",)" + members + "}}");
    const OccurredAt& occurred_at = events.at(0).occurred_at.value();
    return to_iso8601(occurred_at.at) + " " + std::string{name(occurred_at.zone)} +
           (occurred_at.date_only ? " date_only" : "");
  };
  EXPECT_EQ(at(R"("day":"20261123","hour":"210405","zone":"ET")"), "2026-11-24T02:04:05Z offset");
  EXPECT_EQ(at(R"("day":"20261123","hour":"210405","zone":"-03:00")"), "2026-11-24T00:04:05Z offset");
  EXPECT_EQ(at(R"("day":"20261123","hour":"210405")"), "2026-11-24T02:04:05Z profile");
  EXPECT_EQ(at(R"("day":"20261123","hour":"210405","zone":"XX")"), "2026-11-24T02:04:05Z assumed");
  EXPECT_EQ(at(R"("day":"20261123")"), "2026-11-23T05:00:00Z profile date_only");
}

}  // namespace
}  // namespace remitod::carriers
