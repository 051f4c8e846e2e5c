// The judge of the acceptance runner: what is wrong must be found wrong.
#include "tests/acceptance/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/acceptance/deviations.h"
#include "tests/acceptance/genuine.h"

namespace remitod::acceptance {
namespace {

using carriers::CarrierTrouble;
using carriers::CreateAnswer;
using carriers::TrackAnswer;

constexpr std::string_view lima = "America/Lima";

Instant at(std::string_view text) {
  return from_iso8601(text).value();
}

/// An event as a carrier in Lima may report it: 09:15 there.
TrackingEvent delivered_event() {
  TrackingEvent event;
  event.code = "E7";
  event.text = "Entregado";
  event.status = Status::delivered;
  event.occurred_at = OccurredAt{at("2026-11-03T14:15:40Z"), ZoneSource::profile};
  event.place = "Lima, Miraflores";
  return event;
}

ExpectedEvent expected_event() {
  ExpectedEvent event{"E7", "Entregado", "Miraflores, Lima", "delivered", {}, false};
  set_time(event, "2026-11-03", "09:15 AM", "");
  return event;
}

Case delivered_case() {
  Case of;
  of.kind = Case::Kind::shipments;
  of.expected = {{{"0417"}, "delivered", true, {expected_event()}}};
  return of;
}

Case failure_case() {
  Case of;
  of.kind = Case::Kind::failure;
  return of;
}

TrackReading reading_of(std::vector<TrackingEvent> events, const std::string& remito = "0417") {
  return TrackAnswer{{Report{remito, Report::Kind::events, std::move(events)}}, {}, {}, 0};
}

Verdict judged(const Case& of, const std::vector<TrackReading>& readings, const StatusTable& statuses = {}) {
  return judge_track(of, statuses, lima, readings);
}

/// The fields of all findings, "unread" behind those of which nothing was read.
std::vector<std::string> fields(const Verdict& verdict) {
  std::vector<std::string> names;
  for (const Finding& finding : verdict.findings)
    names.push_back(std::string{name(finding.field)} + (finding.unread ? " unread" : ""));
  return names;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Judge, AReportThatIsAsExpectedIsEntirelyRight) {
  const Verdict verdict = judged(delivered_case(), {reading_of({delivered_event()})});
  EXPECT_THAT(fields(verdict), IsEmpty());
  for (const Field field :
       {Field::number, Field::events, Field::time, Field::code, Field::text, Field::place, Field::status})
    EXPECT_EQ(verdict.counts[static_cast<std::size_t>(field)].right, 1) << name(field);
}

TEST(Judge, EachFieldThatDiffersIsWrong) {
  TrackingEvent event = delivered_event();
  event.code = "E8";
  event.text = "Devuelto";
  event.place = "Cusco";
  event.status = Status::returned;
  event.occurred_at->at += std::chrono::minutes{1};
  EXPECT_THAT(fields(judged(delivered_case(), {reading_of({event})})),
              ElementsAre("time", "code", "text", "place", "status"));
}

TEST(Judge, AShipmentThatIsNotReportedIsUnreadWithItsEvents) {
  EXPECT_THAT(fields(judged(delivered_case(), {reading_of({delivered_event()}, "0418")})),
              ElementsAre("number unread", "events unread", "number"));
  EXPECT_THAT(fields(judged(delivered_case(), {std::unexpected(CarrierTrouble{})})),
              ElementsAre("number unread", "events unread"));
}

TEST(Judge, AnEventTooManyIsWrong) {
  EXPECT_THAT(fields(judged(delivered_case(), {reading_of({delivered_event(), delivered_event()})})),
              ElementsAre("events"));
}

TEST(Judge, EventsAreMatchedWhicheverWayRoundTheyAreListed) {
  Case of = delivered_case();
  ExpectedEvent earlier{"E1", "Recogido", "", "", {}, false};
  set_time(earlier, "2026-11-02", "18:00", "");
  of.expected.front().events.push_back(earlier);
  TrackingEvent picked_up;
  picked_up.code = "E1";
  picked_up.text = "Recogido";
  picked_up.status = Status::picked_up;
  picked_up.occurred_at = OccurredAt{at("2026-11-02T23:00:00Z"), ZoneSource::profile};
  TrackingEvent delivered = delivered_event();
  delivered.position = 1;
  EXPECT_THAT(fields(judged(of, {reading_of({picked_up, delivered})})), IsEmpty());
}

TEST(Judge, AnOffsetHasToStandInTheAnswer) {
  TrackingEvent event = delivered_event();
  event.occurred_at = OccurredAt{at("2026-11-03T08:15:00Z"), ZoneSource::offset};
  Case of = delivered_case();
  of.answers = {R"({"at": "2026-11-03T09:15:00+01:00"})"};
  EXPECT_THAT(fields(judged(of, {reading_of({event})})), IsEmpty());
  of.answers = {R"({"at": "2026-11-03T09:15:00+02:00"})"};
  EXPECT_THAT(fields(judged(of, {reading_of({event})})), ElementsAre("time"));
}

TEST(Judge, ADayIsNoTime) {
  TrackingEvent event = delivered_event();
  event.occurred_at = OccurredAt{at("2026-11-03T05:00:00Z"), ZoneSource::profile, true};
  EXPECT_THAT(fields(judged(delivered_case(), {reading_of({event})})), ElementsAre("time"));
  Case of = delivered_case();
  set_time(of.expected.front().events.front(), "2026-11-03", "", "");
  EXPECT_THAT(fields(judged(of, {reading_of({event})})), IsEmpty());
}

TEST(Judge, TheCarriersOwnTableDecidesTheCurrentStatus) {
  TrackingEvent event = delivered_event();
  event.status = Status::available_for_pickup;
  EXPECT_THAT(fields(judged(delivered_case(), {reading_of({event})}, {{"e7", {"ready_for_pickup"}}})), IsEmpty());
  EXPECT_THAT(fields(judged(delivered_case(), {reading_of({event})}, {{"E7", {"delivered"}}})), ElementsAre("status"));
}

TEST(Judge, ACodeThatTheTableHasMustNotStayUnmapped) {
  TrackingEvent event = delivered_event();
  event.status = Status::unmapped;
  EXPECT_THAT(fields(judged(delivered_case(), {reading_of({event})}, {{"E7", {"delivered"}}})),
              ElementsAre("status unread"));
  Case of = delivered_case();
  of.expected.front().status = "in_transit";
  of.expected.front().delivered = false;
  EXPECT_THAT(fields(judged(of, {reading_of({event})})), IsEmpty());
}

TEST(Judge, TheLatestEventIsTheCurrentOneNotTheLastListed) {
  TrackingEvent later = delivered_event(), earlier = delivered_event();
  earlier.status = Status::exception;
  earlier.occurred_at->at -= std::chrono::hours{1};
  earlier.position = 1;
  Case of = delivered_case();
  of.expected.front().events.push_back(expected_event());
  EXPECT_THAT(fields(judged(of, {reading_of({later, earlier})})), ElementsAre("time"));
}

TEST(Judge, AFailureIsRightWhenItIsToldAndNothingIsReported) {
  EXPECT_THAT(fields(judged(failure_case(), {std::unexpected(CarrierTrouble{})})), IsEmpty());
  const TrackAnswer not_found{{Report{"0417", Report::Kind::not_found_yet, {}}}, {}, {}, 0};
  EXPECT_THAT(fields(judged(failure_case(), {not_found})), IsEmpty());
  EXPECT_THAT(fields(judged(failure_case(), {TrackAnswer{{}, {}, {"0417"}, 0}})), ElementsAre("failure unread"));
  EXPECT_THAT(fields(judged(failure_case(), {})), ElementsAre("failure unread"));
  EXPECT_THAT(fields(judged(failure_case(), {reading_of({delivered_event()})})), ElementsAre("failure"));
}

TEST(Judge, ARemitoIsRightByAnyOfItsNumbersAndNoFailureMakesOne) {
  Case of;
  of.kind = Case::Kind::shipments;
  of.expected = {{{"0417", "S-1"}, "", {}, {}}};
  const CreateAnswer granted{CreateAnswer::Kind::granted, "S-1", "", ""};
  EXPECT_THAT(fields(judge_create(of, std::vector{CreateAnswer{}, granted})), IsEmpty());
  EXPECT_THAT(fields(judge_create(of, std::vector{CreateAnswer{}})), ElementsAre("number unread"));
  EXPECT_THAT(fields(judge_create(failure_case(), std::vector{granted})), ElementsAre("failure"));
  EXPECT_THAT(fields(judge_create(failure_case(), std::vector{CreateAnswer{}})), IsEmpty());
  EXPECT_THAT(fields(judge_create(failure_case(), {})), ElementsAre("failure unread"));
}

TEST(Judge, ACancellationIsRightWhenOneOfItsAnswersAcceptsIt) {
  const carriers::CancelAnswer accepted{carriers::CancelAnswer::Kind::accepted, "", ""};
  EXPECT_THAT(fields(judge_cancel(std::vector{carriers::CancelAnswer{}, accepted})), IsEmpty());
  EXPECT_THAT(fields(judge_cancel(std::vector{carriers::CancelAnswer{}})), ElementsAre("cancel unread"));
}

TEST(Deviations, ExcuseExactlyWhatTheySay) {
  TrackingEvent event = delivered_event();
  event.code = "E8";
  const Verdict verdict = judged(delivered_case(), {reading_of({event})});
  const Deviation same{"tracking", "x", "c", Field::code, {"E8"}, "why"};
  const Deviation another{"tracking", "x", "c", Field::code, {"E9"}, "why"};
  EXPECT_THAT(fields(excuse(verdict, {&same})), IsEmpty());
  EXPECT_TRUE(same.met);
  EXPECT_THAT(fields(excuse(verdict, {&another})), ElementsAre("code"));
  EXPECT_FALSE(another.met);
}

TEST(Deviations, StateTheNumbersByWhichACarrierKnowsItsShipments) {
  const Deviation numbers{"tracking", "x", "c", Field::number, {"00417"}, "why"};
  const Case of = with_true_numbers(delivered_case(), {&numbers});
  EXPECT_THAT(of.asked, ElementsAre("00417"));
  EXPECT_THAT(fields(judged(of, {reading_of({delivered_event()}, "00417")})), IsEmpty());
}

GenuineAnswer known_answer() {
  GenuineAnswer known;
  known.shipments = {{"0417", 1, Status::delivered}};
  return known;
}

TEST(Genuine, AReportIsJudgedByItsNumberItsEventsAndItsStatus) {
  EXPECT_THAT(fields(judge_genuine(known_answer(), reading_of({delivered_event()}))), IsEmpty());
  EXPECT_THAT(fields(judge_genuine(known_answer(), reading_of({delivered_event()}, "0418"))),
              ElementsAre("number unread"));
  EXPECT_THAT(fields(judge_genuine(known_answer(), reading_of({}))), ElementsAre("events", "status"));
}

TEST(Genuine, ALineThatCouldNotBeReadIsTold) {
  TrackReading reading = reading_of({delivered_event()});
  reading->errors.push_back({"0417", "event 2: has no time"});
  EXPECT_THAT(fields(judge_genuine(known_answer(), reading)), ElementsAre("failure"));
}

TEST(Genuine, WhatIsNoReportHasToBeExactlyWhatItIs) {
  GenuineAnswer known;
  known.gives = GenuineAnswer::Gives::not_found;
  const TrackAnswer not_found{{Report{"0417", Report::Kind::not_found_yet, {}}}, {}, {}, 0};
  EXPECT_THAT(fields(judge_genuine(known, TrackReading{not_found})), IsEmpty());
  EXPECT_THAT(fields(judge_genuine(known, TrackReading{TrackAnswer{}})), ElementsAre("failure"));
  EXPECT_THAT(fields(judge_genuine(known, TrackReading{std::unexpected(CarrierTrouble{})})), ElementsAre("failure"));
}

TEST(Genuine, ACreateAnswerIsGrantedWithItsRemitoOrAsItIsSaid) {
  GenuineAnswer known;
  known.gives = GenuineAnswer::Gives::granted;
  known.remito = "0417";
  EXPECT_THAT(fields(judge_genuine(known, CreateAnswer{CreateAnswer::Kind::granted, "0417", "", ""})), IsEmpty());
  EXPECT_THAT(fields(judge_genuine(known, CreateAnswer{CreateAnswer::Kind::granted, "0418", "", ""})),
              ElementsAre("number"));
  EXPECT_THAT(fields(judge_genuine(known, CreateAnswer{})), ElementsAre("failure"));
  known.gives = GenuineAnswer::Gives::refused;
  known.remito.clear();
  EXPECT_THAT(fields(judge_genuine(known, CreateAnswer{CreateAnswer::Kind::refused, "", "7", "no"})), IsEmpty());
  EXPECT_THAT(fields(judge_genuine(known, CreateAnswer{})), ElementsAre("failure"));
}

}  // namespace
}  // namespace remitod::acceptance
