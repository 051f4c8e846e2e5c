// What the mapping makes of answers, in the words of small profiles written for each question.
#include "carriers/mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/carriers/small_profile.h"

namespace remitod::carriers {
namespace {

using test::head;
using test::json_answer;
using test::load_small_profile;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view track_request = R"toml(
[track]
method = "GET"
url = "{{base_url}}/track?ids={{#items}}{{remito}}{{#comma}},{{/comma}}{{/items}}"
)toml";

constexpr std::string_view batch_answer = R"toml(
[track.answer]
format = "json"
success = "not(/json/failure)"
error = "/json/failure"
auth_error = "/json/login = 'no'"
not_found = "/json/nothing = 'true'"
shipments = "/json/parcels"
remito = "id"
shipment_not_found = "state = 'unknown'"
events = "events[code or text]"
order = "oldest_first"
[track.event]
code = "code"
text = "text"
place = "place"
reason = "why"
time = "at"
formats = ["iso"]
)toml";

constexpr std::string_view rules = R"toml(
[[track.status]]
codes = ["D", "D2"]
status = "delivered"
[[track.status]]
code = "X"
when = "final = 'true'"
status = "returned"
[[track.status]]
code = "X"
status = "exception"
[[track.status]]
text = "Salió a REPARTO"
status = "out_for_delivery"
[[track.status]]
prefix = "visita fallida"
status = "attempt_failed"
[[track.status]]
pattern = '^Rechazado (por|del)'
status = "attempt_failed"
reason = "recipient_refused"
[[track.reason]]
prefix = "NE -"
reason = "recipient_absent"
[[track.reason]]
codes = ["X"]
reason = "weather"
)toml";

std::shared_ptr<const Profile> batch_profile() {
  return load_small_profile(std::string{head} + std::string{track_request} + std::string{batch_answer} +
                            std::string{rules});
}

std::vector<TrackItem> items(std::initializer_list<std::string_view> remitos) {
  std::vector<TrackItem> items;
  for (const std::string_view remito : remitos) items.push_back({remito, Instant{}});
  return items;
}

std::expected<TrackAnswer, CarrierTrouble> track(const std::string& body,
                                                 std::initializer_list<std::string_view> remitos = {"1"}) {
  return map_track(*batch_profile(), json_answer(body), items(remitos));
}

/// The one event of shipment "1" whose members are given; its time is filled in.
TrackingEvent read_event(const std::string& members) {
  const auto answer = track(R"({"parcels":[{"id":"1","events":[{"at":"2026-11-03T10:00:00Z",)" + members + "}]}]}");
  if (!answer) throw std::runtime_error(answer.error().message);
  return answer->reports.at(0).events.at(0);
}

std::vector<std::string> remitos(const std::vector<Report>& reports) {
  std::vector<std::string> remitos;
  for (const Report& report : reports) remitos.push_back(report.remito);
  return remitos;
}

CarrierTrouble trouble(const std::string& body, int status) {
  const auto answer = map_track(*batch_profile(), json_answer(body, status), items({"1"}));
  if (answer) throw std::runtime_error("expected trouble");
  return answer.error();
}

TEST(TrackTrouble, IsToldByTheHttpStatusWithTheCarriersWords) {
  EXPECT_EQ(trouble(R"({"failure":"slow down"})", 429).kind, CarrierTrouble::Kind::throttled);
  EXPECT_EQ(trouble(R"({"failure":"slow down"})", 429).message, "HTTP 429: slow down");
  EXPECT_EQ(trouble("", 401).kind, CarrierTrouble::Kind::auth);
  EXPECT_EQ(trouble("", 403).kind, CarrierTrouble::Kind::auth);
  EXPECT_EQ(trouble("", 403).message, "HTTP 403");
  EXPECT_EQ(trouble("<h1>Bad Gateway</h1>", 502).kind, CarrierTrouble::Kind::http_status);
  EXPECT_EQ(trouble("<h1>Bad Gateway</h1>", 502).message, "HTTP 502: <h1>Bad Gateway</h1>");
  EXPECT_EQ(trouble("", 302).kind, CarrierTrouble::Kind::http_status);
}

TEST(TrackTrouble, QuotesAtMostABoundedExcerptWithoutControlCharacters) {
  const CarrierTrouble quoted = trouble("\x1b[31m" + std::string(100'000, 'x'), 500);
  EXPECT_LT(quoted.message.size(), 250u);
  EXPECT_EQ(quoted.message.find('\x1b'), std::string::npos);
}

TEST(TrackTrouble, IsALoginThatTheCarrierRefusesAtAnyStatus) {
  EXPECT_EQ(trouble(R"({"login":"no","failure":"who are you"})", 200).kind, CarrierTrouble::Kind::auth);
  EXPECT_EQ(trouble(R"({"login":"no","failure":"who are you"})", 200).message, "who are you");
  EXPECT_EQ(trouble(R"({"login":"no"})", 500).kind, CarrierTrouble::Kind::auth);
}

TEST(TrackTrouble, IsAFailureThatTheCarrierTellsAtHttp200) {
  EXPECT_EQ(trouble(R"({"failure":"database down","nothing":true})", 200).kind, CarrierTrouble::Kind::business);
  EXPECT_EQ(trouble(R"({"failure":"database down"})", 200).message, "database down");
}

TEST(TrackTrouble, IsABodyThatIsNotTheFormatPromised) {
  EXPECT_EQ(trouble("<!DOCTYPE html><html><body>hello</body></html>", 200).kind, CarrierTrouble::Kind::malformed);
  EXPECT_THAT(trouble("<!DOCTYPE html><html><body>hello</body></html>", 200).message, HasSubstr("HTML"));
  EXPECT_EQ(trouble(R"({"parcels":[{"id":)", 200).kind, CarrierTrouble::Kind::malformed);
  EXPECT_EQ(trouble("", 200).kind, CarrierTrouble::Kind::malformed);
}

TEST(TrackTrouble, HasAWordForEachKind) {
  EXPECT_EQ(name(CarrierTrouble::Kind::throttled), "throttled");
  EXPECT_EQ(name(CarrierTrouble::Kind::auth), "auth");
  EXPECT_EQ(name(CarrierTrouble::Kind::http_status), "http_status");
  EXPECT_EQ(name(CarrierTrouble::Kind::malformed), "malformed");
  EXPECT_EQ(name(CarrierTrouble::Kind::business), "business");
}

TEST(TrackAnswer, MatchesShipmentsByNumberAndNeverByPosition) {
  const auto answer = track(R"({"parcels":[
    {"id":"2","events":[{"code":"D","at":"2026-11-03T10:00:00Z"}]},
    {"id":" 1 ","events":[]}]})",
                            {"1", "2"});
  ASSERT_TRUE(answer);
  EXPECT_THAT(remitos(answer->reports), ElementsAre("2", "1"));
  EXPECT_THAT(answer->reports[0].events, SizeIs(1));
  EXPECT_THAT(answer->reports[1].events, IsEmpty());
  EXPECT_THAT(answer->errors, IsEmpty());
}

TEST(TrackAnswer, KeepsLeadingZerosAndLongNumbersApart) {
  const auto answer = track(R"({"parcels":[{"id":"007","events":[]},{"id":1234567890123456789012,"events":[]}]})",
                            {"7", "007", "1234567890123456789012"});
  ASSERT_TRUE(answer);
  EXPECT_THAT(remitos(answer->reports), ElementsAre("007", "1234567890123456789012"));
  EXPECT_THAT(answer->missing, ElementsAre("7"));
}

TEST(TrackAnswer, ListsWhatIsMissingAndCountsWhatIsExtra) {
  const auto answer =
      track(R"({"parcels":[{"id":"8","events":[]},{"id":"9","events":[]},{"id":"2","events":[]}]})", {"1", "2", "3"});
  ASSERT_TRUE(answer);
  EXPECT_THAT(remitos(answer->reports), ElementsAre("2"));
  EXPECT_THAT(answer->missing, ElementsAre("1", "3"));
  EXPECT_EQ(answer->extra, 2u);
}

TEST(TrackAnswer, TakesTheFirstOfANumberThatIsListedTwice) {
  const auto answer = track(R"({"parcels":[{"id":"1","state":"unknown"},{"id":"1","events":[]}]})");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(1));
  EXPECT_EQ(answer->reports[0].kind, Report::Kind::not_found_yet);
  ASSERT_THAT(answer->errors, SizeIs(1));
  EXPECT_EQ(answer->errors[0].remito, "1");
}

TEST(TrackAnswer, ReportsAShipmentWithoutANumberAsAnErrorAndGoesOn) {
  const auto answer = track(R"({"parcels":[{"events":[]},{"id":"1","events":[]}]})");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->reports, SizeIs(1));
  ASSERT_THAT(answer->errors, SizeIs(1));
  EXPECT_EQ(answer->errors[0].remito, "");
}

TEST(TrackAnswer, TellsNotFoundYetForOneAndForAll) {
  const auto one = track(R"({"parcels":[{"id":"1","state":"unknown"},{"id":"2","events":[]}]})", {"1", "2"});
  ASSERT_TRUE(one);
  EXPECT_EQ(one->reports[0].kind, Report::Kind::not_found_yet);
  EXPECT_EQ(one->reports[1].kind, Report::Kind::events);
  const auto all = track(R"({"nothing":true})", {"1", "2"});
  ASSERT_TRUE(all);
  ASSERT_THAT(remitos(all->reports), ElementsAre("1", "2"));
  EXPECT_EQ(all->reports[1].kind, Report::Kind::not_found_yet);
  EXPECT_THAT(all->missing, IsEmpty());
}

TEST(TrackAnswer, LeavesABadEventOutNamingFieldAndValueWhileTheOthersKeepTheirPositions) {
  const auto answer = track(R"({"parcels":[
    {"id":"1","events":[{"code":"A","at":"2026-11-01T10:00:00Z"},{"code":"B","at":"2026-13-45"},
                        {"code":"C"},{"code":"D","at":"2026-11-03T10:00:00Z"}]},
    {"id":"2","events":[{"code":"A","at":"2026-11-01T10:00:00Z"}]}]})",
                            {"1", "2"});
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(2));
  ASSERT_THAT(answer->reports[0].events, SizeIs(2));
  EXPECT_EQ(answer->reports[0].events[0].position, 0u);
  EXPECT_EQ(answer->reports[0].events[1].position, 3u);
  EXPECT_THAT(answer->reports[1].events, SizeIs(1));
  ASSERT_THAT(answer->errors, SizeIs(2));
  EXPECT_EQ(answer->errors[0].remito, "1");
  EXPECT_THAT(answer->errors[0].message, HasSubstr("event 2: at: '2026-13-45'"));
  EXPECT_THAT(answer->errors[1].message, HasSubstr("event 3: at: is missing"));
}

TEST(TrackAnswer, CountsPositionsFromTheOldestEventWhicheverWayRoundTheyAreListed) {
  std::string newest_first{batch_answer};
  newest_first.replace(newest_first.find("oldest_first"), 12, "newest_first");
  const auto profile =
      load_small_profile(std::string{head} + std::string{track_request} + newest_first + std::string{rules});
  const auto answer = map_track(*profile, json_answer(R"({"parcels":[{"id":"1","events":[
    {"code":"C","at":"2026-11-03T10:00:00Z"},{"code":"B","at":"bad"},{"code":"A","at":"2026-11-01T10:00:00Z"}]}]})"),
                                items({"1"}));
  ASSERT_TRUE(answer);
  const std::vector<TrackingEvent>& events = answer->reports.at(0).events;
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].code, "A");
  EXPECT_EQ(events[0].position, 0u);
  EXPECT_EQ(events[1].code, "C");
  EXPECT_EQ(events[1].position, 2u);
  EXPECT_THAT(answer->errors.at(0).message, HasSubstr("event 2:"));  // as the carrier lists them
}

TEST(TrackAnswer, RefusesAHistoryBeyondAllMeasure) {
  std::string events;
  for (int i = 0; i < 5'001; ++i) events += R"({"code":"D","at":"2026-11-03T10:00:00Z"},)";
  events.pop_back();
  const auto answer = track(R"({"parcels":[{"id":"1","events":[)" + events + "]}]}");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->reports, IsEmpty());
  EXPECT_THAT(answer->missing, IsEmpty());
  ASSERT_THAT(answer->errors, SizeIs(1));
  EXPECT_THAT(answer->errors[0].message, HasSubstr("5001 events"));
}

TEST(TrackAnswer, CountsErrorsBeyondAThousandInsteadOfListingThem) {
  std::string parcels;
  for (int i = 0; i < 1'500; ++i) parcels += R"({"events":[]},)";
  parcels.pop_back();
  const auto answer = track(R"({"parcels":[)" + parcels + "]}");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->errors, SizeIs(1'001));
  EXPECT_EQ(answer->errors.back().message, "500 more errors are not listed");
}

TEST(TrackAnswer, TakesTheOneAskedForWhereTheAnswerNamesNoNumber) {
  const auto profile =
      load_small_profile(std::string{head}.replace(head.find("batch_max = 10"), 14, "batch_max = 1") + R"toml(
[track]
method = "GET"
url = "{{base_url}}/{{remito}}"
[track.answer]
format = "json"
events = "/json/events"
[track.event]
code = "code"
time = "at"
formats = ["iso"]
)toml");
  const auto answer =
      map_track(*profile, json_answer(R"({"events":[{"code":"D","at":"2026-11-03T10:00:00-05:00"}]})"), items({"R-1"}));
  ASSERT_TRUE(answer);
  ASSERT_THAT(remitos(answer->reports), ElementsAre("R-1"));
  const TrackingEvent& event = answer->reports[0].events.at(0);
  EXPECT_EQ(event.status, Status::unmapped);
  EXPECT_EQ(to_iso8601(event.occurred_at->at), "2026-11-03T15:00:00Z");
  EXPECT_EQ(event.occurred_at->zone, ZoneSource::offset);
}

std::shared_ptr<const Profile> snapshot_profile() {
  return load_small_profile(std::string{head} + std::string{track_request} + R"toml(
[track.answer]
format = "json"
shipments = "/json/parcels"
remito = "id"
snapshot = true
[track.event]
code = "state"
time = "at"
formats = ["iso"]
[[track.status]]
code = "DEL"
status = "delivered"
)toml");
}

TEST(Snapshot, IsOneEventAndMayLackATime) {
  const auto answer = map_track(*snapshot_profile(), json_answer(R"({"parcels":[
    {"id":"1","state":"DEL"},{"id":"2","state":"DEL","at":"2026-11-03T10:00:00Z"}]})"),
                                items({"1", "2"}));
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(2));
  EXPECT_EQ(answer->reports[0].kind, Report::Kind::snapshot);
  ASSERT_THAT(answer->reports[0].events, SizeIs(1));
  EXPECT_EQ(answer->reports[0].events[0].status, Status::delivered);
  EXPECT_EQ(answer->reports[0].events[0].occurred_at, std::nullopt);
  EXPECT_NE(answer->reports[1].events[0].occurred_at, std::nullopt);
}

TEST(Snapshot, ThatCannotBeReadIsNoReport) {
  const auto answer = map_track(
      *snapshot_profile(), json_answer(R"({"parcels":[{"id":"1","state":"DEL","at":"yesterday"}]})"), items({"1"}));
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->reports, IsEmpty());
  EXPECT_THAT(answer->errors, SizeIs(1));
}

TEST(Snapshot, ThatCannotBeReadLeavesTheNumbersNextOne) {
  const auto answer = map_track(*snapshot_profile(), json_answer(R"({"parcels":[
    {"id":"1","state":"DEL","at":"yesterday"},{"id":"1","state":"DEL","at":"2026-11-03T10:00:00Z"},
    {"id":"1","state":"NEW","at":"2026-11-04T10:00:00Z"}]})"),
                                items({"1"}));
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->reports, SizeIs(1));
  EXPECT_EQ(answer->reports[0].events.at(0).status, Status::delivered);
  EXPECT_THAT(answer->errors, SizeIs(2)) << "the first could not be read, the third came too late";
}

TEST(StatusRules, TheFirstThatMatchesDecides) {
  EXPECT_EQ(read_event(R"("code":"D2","text":"visita fallida")").status, Status::delivered);
  EXPECT_EQ(read_event(R"("code":"X","final":true)").status, Status::returned);
  EXPECT_EQ(read_event(R"("code":"X","final":false)").status, Status::exception);
}

TEST(StatusRules, TextsAreComparedWithoutCaseAccentsAndSpacing) {
  EXPECT_EQ(read_event(R"("code":"9","text":"  salio a  Reparto ")").status, Status::out_for_delivery);
  EXPECT_EQ(read_event(R"("code":"9","text":"salio a reparto!")").status, Status::unmapped);
  EXPECT_EQ(read_event(R"j("code":"9","text":"VISITA FALLIDA (2)")j").status, Status::attempt_failed);
}

TEST(StatusRules, PatternsSeeTheTextAsItIs) {
  const TrackingEvent event = read_event(R"("code":"9","text":"Rechazado por el cliente")");
  EXPECT_EQ(event.status, Status::attempt_failed);
  EXPECT_EQ(event.reason, Reason::recipient_refused);
  EXPECT_EQ(read_event(R"("code":"9","text":"rechazado por el cliente")").status, Status::unmapped);
}

TEST(StatusRules, AnUnknownCodeIsUnmappedAndNeverGuessed) {
  const TrackingEvent event = read_event(R"("code":"77","text":"Entregado","why":"NE - ausente")");
  EXPECT_EQ(event.status, Status::unmapped);
  EXPECT_EQ(event.reason, Reason::none);
}

TEST(ReasonRules, ExplainOnlyWhatNeedsAReason) {
  EXPECT_EQ(read_event(R"("code":"9","text":"visita fallida","why":"NE - No se encuentra")").reason,
            Reason::recipient_absent);
  EXPECT_EQ(read_event(R"("code":"9","text":"visita fallida","why":"perro bravo")").reason, Reason::other);
  EXPECT_EQ(read_event(R"("code":"9","text":"visita fallida")").reason, Reason::none);
  EXPECT_EQ(read_event(R"("code":"D","why":"NE - No se encuentra")").reason, Reason::none);
  EXPECT_EQ(read_event(R"("code":"X")").reason, Reason::weather);
  EXPECT_EQ(read_event(R"("code":"9","text":"Rechazado por X","why":"NE - a")").reason, Reason::recipient_refused);
}

TEST(Words, TheCarriersReasonStaysReadableInTheText) {
  EXPECT_EQ(read_event(R"("code":"9","text":"Visita fallida","why":"perro bravo")").text,
            "Visita fallida: perro bravo");
  EXPECT_EQ(read_event(R"("code":"X","why":"huaico")").text, "huaico");
}

TEST(Words, ATextStandsForACodeThatIsAbsent) {
  const TrackingEvent event = read_event(R"("text":"Visita fallida","why":"perro bravo")");
  EXPECT_EQ(event.code, "Visita fallida");
  EXPECT_EQ(event.status, Status::attempt_failed);
}

TEST(Words, AreOneTidyLine) {
  const TrackingEvent event =
      read_event(R"("code":" A\t1\n","text":"a\u0085b\u007fc  \u009b31m d","place":"\u00a0Lima \r\n Sur ")");
  EXPECT_EQ(event.code, "A 1");
  EXPECT_EQ(event.text, "a bc 31m d");
  EXPECT_EQ(event.place, "Lima Sur");
}

TEST(Words, AreCutBetweenCharacters) {
  std::string accents;
  for (int i = 0; i < 400; ++i) accents += "é";
  const TrackingEvent event =
      read_event(R"("code":"x)" + accents + R"(","text":"x)" + accents + R"(","place":"x)" + accents + "\"");
  EXPECT_EQ(event.code.size(), 99u);
  EXPECT_EQ(event.text.size(), 499u);
  EXPECT_EQ(event.place.size(), 199u);
  EXPECT_TRUE(event.place.ends_with("é"));
}

}  // namespace
}  // namespace remitod::carriers
