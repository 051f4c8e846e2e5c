#include "daemon/suggested_rule.h"

#include <gmock/gmock.h>
#include <toml++/toml.h>

#include "daemon/activity_log.h"

namespace remitod::test {
namespace {

using daemon::ActivityLog;
using daemon::suggest_meaning;
using daemon::suggested_rule;
using namespace std::chrono_literals;

TEST(SuggestedRule, WordsThatSayMoreGoBeforeWordsThatSayLess) {
  struct Example {
    const char* text;
    Status status;
    Reason reason = Reason::none;
  };
  for (const auto& [text, status, reason] : {
           Example{"ENTREGADO", Status::delivered},
           {"No entregado: cliente ausente", Status::attempt_failed, Reason::recipient_absent},
           {"Dirección errada", Status::attempt_failed, Reason::address_not_found},
           {"El cliente RECHAZÓ el envío", Status::attempt_failed, Reason::recipient_refused},
           {"Devuelto al remitente", Status::returned},
           {"En devolución", Status::returning},
           {"Objeto saiu para entrega ao destinatário", Status::out_for_delivery},
           {"Envío en  REPARTO", Status::out_for_delivery},
           {"Paquete extraviado", Status::exception, Reason::lost},
           {"Out for delivery", Status::out_for_delivery},
           {"Anulado", Status::cancelled},
           {"En tránsito a destino", Status::in_transit},
           {"ZX-9", Status::unmapped},
           {"", Status::unmapped},
       }) {
    EXPECT_EQ(name(suggest_meaning(text).status), name(status)) << text;
    EXPECT_EQ(name(suggest_meaning(text).reason), name(reason)) << text;
  }
}

TEST(SuggestedRule, IsTomlWhateverTheCarrierSays) {
  for (const std::string text : {"Cliente ausente", "\"]\nstatus = \"delivered", "\x1B[31m\xFF", "# a\\b\t\r\n", ""}) {
    const toml::table read = toml::parse(suggested_rule("60", text));
    EXPECT_EQ(read["track"]["status"][0]["code"].value<std::string>(), "60");
  }
  EXPECT_EQ(suggested_rule("60", "Cliente ausente"),
            "[[track.status]]\ncode = \"60\"   # \"Cliente ausente\"\nstatus = \"attempt_failed\"\nreason = "
            "\"recipient_absent\"\n");
  EXPECT_EQ(suggested_rule("", "Entregado"), "[[track.status]]\ntext = \"Entregado\"\nstatus = \"delivered\"\n");
}

constexpr Instant noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + 12h;

TEST(ActivityLog, WhatCameSinceTheLastTimeBelongsToTheSpanOfNow) {
  ActivityLog log;
  log.note("oca", {2, 10, 0, 1}, noon + 1min);
  log.note("oca", {3, 15, 1, 1}, noon + 4min);
  log.note("oca", {4, 20, 1, 3}, noon + 7min);
  EXPECT_THAT(log.of("oca"), testing::ElementsAre(ActivityLog::Span{noon, {3, 15, 1, 1}},
                                                  ActivityLog::Span{noon + 5min, {1, 5, 0, 2}}));
  EXPECT_TRUE(log.of("olva").empty());
}

TEST(ActivityLog, QuietSpansTakeNoRoomAndADayIsKept) {
  ActivityLog log;
  std::uint64_t polls = 0;
  for (Instant at = noon; at < noon + 48h; at += 1min) log.note("oca", {polls, ++polls, 0, 0}, at);
  EXPECT_EQ(log.of("oca").size(), 288u);
  EXPECT_EQ(log.of("oca").front().begins_at, noon + 24h);
  for (Instant at = noon + 48h; at < noon + 96h; at += 1min) log.note("oca", {polls - 1, polls, 0, 0}, at);
  EXPECT_TRUE(log.of("oca").empty());
}

TEST(ActivityLog, AClockThatIsSetBackLosesNothing) {
  ActivityLog log;
  log.note("oca", {1, 1, 0, 0}, noon);
  log.note("oca", {2, 2, 0, 0}, noon - 1h);
  EXPECT_THAT(log.of("oca"), testing::ElementsAre(ActivityLog::Span{noon, {2, 2, 0, 0}}));
}

}  // namespace
}  // namespace remitod::test
