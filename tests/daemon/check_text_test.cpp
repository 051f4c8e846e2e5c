#include "daemon/check_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace remitod::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

carriers::ProfileCheck one_deviation() {
  carriers::ProfileCheck check;
  check.name = "rapidos";
  check.file = "rapidos/carrier.toml";
  carriers::Deviation deviation{"0417, event at position 2: status", "\"delivered\"", "", {{"track.status.2", 83}}};
  check.samples = {{"good", "", {}, ""}, {"late", "", {deviation}, ""}};
  check.remarks = {{{"track.status", 70}, "no sample touches these rules: 1 (line 71)"}};
  return check;
}

TEST(CheckText, ShowsWhatWasExpectedAndReadAndTheLineThatDecided) {
  EXPECT_EQ(check_text(one_deviation(), false),
            "  FAILED samples/late\n"
            "    0417, event at position 2: status\n"
            "      - expected \"delivered\"\n"
            "      + read     nothing\n"
            "        decided by rapidos/carrier.toml:83 track.status.2\n"
            "  look at rapidos/carrier.toml:70 track.status: no sample touches these rules: 1 (line 71)\n"
            "FAILED rapidos: 1 of 2 samples as expected, 1 to look at\n");
}

TEST(CheckText, IsColouredOnlyWhereColoursAreWanted) {
  EXPECT_THAT(check_text(one_deviation(), true), HasSubstr("\033[32m      - expected \"delivered\"\033[0m\n"));
  EXPECT_THAT(check_text(one_deviation(), false), Not(HasSubstr("\033")));
}

TEST(CheckText, OfAProfileThatCannotBeUsedIsItsErrors) {
  carriers::ProfileCheck check;
  check.name = "rapidos";
  check.errors = {{"rapidos/carrier.toml", 7, "track.answer.event", "is not a key here (did you mean 'events'?)"}};
  EXPECT_EQ(check_text(check, false),
            "  rapidos/carrier.toml:7: track.answer.event: is not a key here (did you mean 'events'?)\n"
            "FAILED rapidos: the profile cannot be used\n");
}

TEST(CheckText, ShowsARequestThatNoSampleHolds) {
  carriers::ProfileCheck check;
  check.name = "rapidos";
  check.requests = {{"create", "POST https://rapidos.example/\nX: 1\n\n<a>\n</a>\n", ""}};
  EXPECT_THAT(check_text(check, false),
              HasSubstr("    POST https://rapidos.example/\n    X: 1\n    \n    <a>\n    </a>\n"));
}

TEST(CheckText, AsJsonHoldsTheSame) {
  const auto object = nlohmann::json::parse(check_json(one_deviation()));
  EXPECT_EQ(object["ok"], false);
  EXPECT_EQ(object["samples"][1]["deviations"][0]["deciders"][0]["line"], 83);
  EXPECT_EQ(object["remarks"][0]["key"], "track.status");
}

}  // namespace
}  // namespace remitod::daemon
