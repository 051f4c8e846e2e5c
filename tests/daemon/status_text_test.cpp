#include "daemon/status_text.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/explain_text.h"

namespace remitod::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::size_t widest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);)
    widest = std::max(widest, static_cast<std::size_t>(std::ranges::count_if(
                                  line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; })));
  return widest;
}

bool steers_a_terminal(const std::string& text) {
  return std::ranges::any_of(text,
                             [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == '\x7F'; });
}

json carrier(const std::string& name) {
  return {{"carrier", name},
          {"shipments", 123456},
          {"due", 12},
          {"in_flight", 4},
          {"requests", 98765},
          {"polls", 98765},
          {"unchanged", 97},
          {"transitions", 1234},
          {"failed_requests", 3},
          {"breaker", "half_open"},
          {"last_answer_at", "2026-11-23T10:00:00Z"},
          {"last_error", ""}};
}

TEST(StatusText, SaysWhatIsWrongFirst) {
  const std::string text = daemon::status_text(
      {{"version", "0.1.0"}, {"started_at", "2026-11-23T10:00:00Z"}, {"ok", false}, {"degraded", {"oca rests"}}});
  EXPECT_EQ(text, "remitod 0.1.0, up since 2026-11-23T10:00:00Z, DEGRADED\n  ! oca rests\n");
}

TEST(StatusText, TellsWhatWasTakenAwayAndWhatIsKept) {
  const std::string text = daemon::status_text({{"retention",
                                                 {{{"kind", "transitions"},
                                                   {"removed", 12},
                                                   {"removed_ever", 345},
                                                   {"kept", 6789},
                                                   {"done_at", "2026-11-23T07:00:00Z"}}}}});
  for (const char* part : {"old rows of", "transitions", "12", "345", "6789", "2026-11-23T07:00:00Z"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(StatusText, ColumnsStandUnderTheirHeads) {
  const std::string text =
      daemon::status_text({{"ok", true}, {"requests", {{{"carrier", "oca"}, {"state", "granted"}, {"count", 12}}}}});
  EXPECT_THAT(text, HasSubstr("  remito requests  state    count\n"
                              "  oca              granted  12\n"));
}

TEST(StatusText, TheCarriersFitOnATerminal) {
  const std::string text = daemon::status_text({{"version", "0.1.0"},
                                                {"started_at", "2026-11-23T10:00:00Z"},
                                                {"ok", true},
                                                {"carriers", {carrier("oca"), carrier("correios")}}});
  EXPECT_LE(widest_line(text), 120u);
}

std::string remarks_on(const json& state) {
  json one = carrier("rapidos");
  one["breaker"] = "closed";
  one.update(state);
  const std::string text = daemon::status_text({{"ok", true}, {"carriers", {one, carrier("tortugas")}}});
  const std::size_t begin = text.find('\n', text.find("  rapidos")) + 1;
  return text.substr(begin, text.find("  tortugas") - begin);
}

TEST(StatusText, UnderACarrierStandsWhatIsWrongAndUntilWhen) {
  EXPECT_EQ(remarks_on(json::object()), "");
  EXPECT_EQ(remarks_on({{"failures_in_row", 2},
                        {"last_error", "connect: Connection refused"},
                        {"resting_until", nullptr},
                        {"next_due", "2026-11-23T10:07:00Z"}}),
            "    fails (2 in a row): connect: Connection refused; tried again at 2026-11-23T10:07:00Z\n");
  EXPECT_EQ(remarks_on({{"failures_in_row", 3},
                        {"breaker", "open"},
                        {"last_error", "timeout"},
                        {"resting_until", "2026-11-23T10:30:00Z"},
                        {"next_due", "2026-11-23T10:07:00Z"}}),
            "    fails (3 in a row): timeout; tried again at 2026-11-23T10:30:00Z\n");
  const json held{{"failures_in_row", 1},
                  {"last_error", "timeout"},
                  {"next_due", "2026-11-23T10:07:00Z"},
                  {"hold", "quota"},
                  {"hold_until", "2026-11-23T18:00:00Z"}};
  EXPECT_THAT(remarks_on(held), HasSubstr("    fails (1 in a row): timeout; tried again at 2026-11-23T18:00:00Z\n"))
      << "not at a moment that is over";
  json unknown = held, empty = held;
  unknown["hold_until"] = nullptr;
  empty["next_due"] = nullptr;
  for (const json& state : {unknown, empty})
    EXPECT_THAT(remarks_on(state), HasSubstr("    fails (1 in a row): timeout\n"));
  EXPECT_EQ(remarks_on({{"failures_in_row", 0}, {"last_error", "of yesterday"}, {"resting_until", "T"}}),
            "    rests until T\n");
  EXPECT_EQ(remarks_on({{"hold", "quota"}, {"hold_until", "T"}}), "    its quota is spent until T\n");
  EXPECT_EQ(remarks_on({{"hold", "quota"}, {"hold_until", nullptr}}), "    its quota is spent, or not known yet\n");
  EXPECT_EQ(remarks_on({{"hold", "hours"}, {"hold_until", "T"}}), "    outside of its hours until T\n");
  EXPECT_EQ(remarks_on({{"hold", "rate"}, {"hold_until", "T"}}),
            "    has had all the requests that its rate allows until T\n");
}

TEST(StatusText, OfOneCarrierAreItsOwnRowsAndWhatIsOfTheDaemon) {
  const json report{{"ok", false},
                    {"degraded", {"rapido rests"}},
                    {"carriers", {carrier("rapido"), carrier("rapidos")}},
                    {"requests", {{{"carrier", "rapido"}, {"count", 1}}, {{"carrier", "rapidos"}, {"count", 2}}}},
                    {"unmapped", {{{"carrier", "rapido"}, {"code", "1"}}}},
                    {"sinks", {{{"sink", "platform"}}}}};
  const auto one = daemon::status_of_carrier(report, "rapidos");
  ASSERT_TRUE(one);
  EXPECT_EQ((*one)["carriers"], json::array({carrier("rapidos")}));
  EXPECT_EQ((*one)["requests"], json::array({{{"carrier", "rapidos"}, {"count", 2}}}));
  EXPECT_TRUE((*one)["unmapped"].empty());
  EXPECT_EQ((*one)["sinks"], report["sinks"]);
  EXPECT_EQ((*one)["degraded"], report["degraded"]);
  EXPECT_FALSE(daemon::status_of_carrier(report, "rapid"));
}

TEST(StatusText, ALetterWithAnAccentIsOneColumn) {
  const std::string text = daemon::status_text(
      {{"ok", true},
       {"unmapped",
        {{{"carrier", "oca"}, {"code", "ñandú"}, {"text", "a"}, {"seen", 1}, {"last_seen", "t"}},
         {{"carrier", "oca"}, {"code", "nandu"}, {"text", "b"}, {"seen", 2}, {"last_seen", "u"}}}}});
  EXPECT_THAT(text, HasSubstr("ñandú  a     1"));
  EXPECT_THAT(text, HasSubstr("nandu  b     2"));
}

TEST(StatusText, WhatCarriersWriteCannotSteerTheTerminal) {
  const std::string evil = "\x1B]0;owned\x07\x1B[2J\r\nok";
  const std::string status = daemon::status_text(
      {{"ok", false},
       {"degraded", {evil}},
       {"unmapped", {{{"carrier", "oca"}, {"code", evil}, {"text", evil}, {"seen", 1}, {"last_seen", "t"}}}}});
  EXPECT_FALSE(steers_a_terminal(status));
  EXPECT_THAT(status, HasSubstr("\\x1b[2J"));
  const std::string shipments = daemon::shipments_text(
      {{"shipments",
        {{{"carrier", "oca"},
          {"remito", evil},
          {"order_number", evil},
          {"status", "delivered"},
          {"label", "Entregado"},
          {"events", {{{"status", "delivered"}, {"code", evil}, {"text", evil}, {"place", evil}}}}}}},
       {"requests", {{{"request_key", evil}, {"order_number", "1"}, {"refusal_text", evil}}}}});
  EXPECT_FALSE(steers_a_terminal(shipments));
  EXPECT_THAT(shipments, HasSubstr("delivered (Entregado)"));
  EXPECT_FALSE(steers_a_terminal(daemon::resync_text({{"target", evil}, {"shipments", 1}})));
}

TEST(StatusText, WhatIsNotInTheAnswerIsADash) {
  EXPECT_EQ(daemon::status_text(json::object()), "remitod -, up since -, DEGRADED\n");
  EXPECT_EQ(daemon::shipments_text(json::object()), "");
}

TEST(ExplainText, ACarrierThatFailsIsToldWithItsErrorAndWithoutAMomentThatNobodyKnows) {
  json report{{"carrier", "oca"}, {"breaker", "open"}, {"held_by", "none"}, {"last_error", "connect: refused"}};
  report["resting_until"] = "2026-11-23T10:30:00Z";
  EXPECT_THAT(daemon::explain_carrier_text(report),
              HasSubstr("  the carrier fails (open): connect: refused; rests until 2026-11-23 10:30Z\n"));
  report.update({{"resting_until", nullptr}, {"last_error", ""}, {"held_by", "quota"}, {"held_until", nullptr}});
  EXPECT_THAT(daemon::explain_carrier_text(report),
              HasSubstr("  the carrier fails (open)\n  held by its limits (quota)\n"));
  EXPECT_THAT(daemon::explain_carrier_text(report), Not(HasSubstr("until")));
}

TEST(ExplainText, NobodyIsSaidToBeAskedWhileTheCarrierRestsOrItsLimitsHoldIt) {
  json report{{"carrier", "oca"}, {"breaker", "closed"}, {"held_by", "quota"}, {"next_due", "2026-11-23T10:07:00Z"}};
  report["held_until"] = "2026-11-23T18:00:00Z";
  report["shipments_explained"] = json::array({{{"remito", "1"},
                                                {"followed", true},
                                                {"next_due", "2026-11-23T10:07:00Z"},
                                                {"last_asked", "2026-11-23T09:07:00Z"},
                                                {"because", "phase"}}});
  EXPECT_THAT(daemon::explain_carrier_text(report), HasSubstr("next one asked 2026-11-23 18:00Z\n"));
  EXPECT_THAT(daemon::explain_shipments_text(report), HasSubstr("  next asked 2026-11-23 18:00Z: its moment"));
  report["resting_until"] = "2026-11-23T20:30:00Z";
  EXPECT_THAT(daemon::explain_shipments_text(report), HasSubstr("  next asked 2026-11-23 20:30Z: its moment"));
  report["shipments_explained"][0]["because"] = "under_way";
  EXPECT_THAT(daemon::explain_shipments_text(report), HasSubstr("  next asked 2026-11-23 10:07Z: a request"));
  report.erase("next_due");
  EXPECT_THAT(daemon::explain_carrier_text(report), HasSubstr("next one asked -\n")) << "it has no shipments";
}

TEST(ResyncText, SaysWhatWillBeAskedOrWas) {
  const json asked{{"target", "oca"}, {"shipments", 3}, {"carriers", {{"oca", 3}}}};
  EXPECT_EQ(daemon::resync_text(asked), "resync oca: 3 shipment(s) will be asked\n  oca: 3\n");
  EXPECT_THAT(daemon::resync_text({{"target", "oca"}, {"shipments", 3}, {"dry_run", true}}),
              HasSubstr("would be asked"));
  EXPECT_THAT(daemon::resync_text({{"target", "oca"}, {"shipments", 3}, {"finished", true}}), HasSubstr("answered"));
}

}  // namespace
}  // namespace remitod::test
