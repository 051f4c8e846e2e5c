#include "daemon/status_text.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace remitod::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

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

TEST(ResyncText, SaysWhatWillBeAskedOrWas) {
  const json asked{{"target", "oca"}, {"shipments", 3}, {"carriers", {{"oca", 3}}}};
  EXPECT_EQ(daemon::resync_text(asked), "resync oca: 3 shipment(s) will be asked\n  oca: 3\n");
  EXPECT_THAT(daemon::resync_text({{"target", "oca"}, {"shipments", 3}, {"dry_run", true}}),
              HasSubstr("would be asked"));
  EXPECT_THAT(daemon::resync_text({{"target", "oca"}, {"shipments", 3}, {"finished", true}}), HasSubstr("answered"));
}

}  // namespace
}  // namespace remitod::test
