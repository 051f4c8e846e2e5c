#include "daemon/journal.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using daemon::journal_entry;
using daemon::Level;
using daemon::message_id;
using testing::Contains;
using testing::Not;
using testing::StartsWith;

TEST(Journal, AnEntryHasTheLineAndItsPriority) {
  EXPECT_THAT(journal_entry(Level::info, "resync_begun", {{"target", "all"}}),
              testing::UnorderedElementsAre("MESSAGE=resync_begun target=all", "PRIORITY=6",
                                            "SYSLOG_IDENTIFIER=remitod", "REMITOD_EVENT=resync_begun"));
}

TEST(Journal, LevelsAreThoseOfSyslog) {
  EXPECT_THAT(journal_entry(Level::debug, "x", {}), Contains("PRIORITY=7"));
  EXPECT_THAT(journal_entry(Level::warning, "x", {}), Contains("PRIORITY=4"));
  EXPECT_THAT(journal_entry(Level::error, "x", {}), Contains("PRIORITY=3"));
}

TEST(Journal, WhoAndWhatIsInFieldsOfTheirOwn) {
  const auto entry = journal_entry(Level::info, "transition",
                                   {{"seq", 7}, {"order", "1003"}, {"carrier", "oca"}, {"remito", "0039 A"}});
  EXPECT_THAT(entry, Contains("REMITOD_CARRIER=oca"));
  EXPECT_THAT(entry, Contains("REMITOD_ORDER=1003"));
  EXPECT_THAT(entry, Contains("REMITOD_SHIPMENT=oca:0039 A"));
}

TEST(Journal, AShipmentIsNamedOnlyWithItsCarrier) {
  EXPECT_THAT(journal_entry(Level::info, "x", {{"remito", "1"}}), Not(Contains(StartsWith("REMITOD_SHIPMENT="))));
  EXPECT_THAT(journal_entry(Level::info, "x", {{"carrier", "oca"}, {"remito", ""}}),
              Not(Contains(StartsWith("REMITOD_SHIPMENT="))));
}

TEST(Journal, NoCarrierSteersATerminalThroughAField) {
  EXPECT_THAT(journal_entry(Level::info, "x", {{"carrier", "oca"}, {"remito", "\x1B[2J\n1"}}),
              Contains("REMITOD_SHIPMENT=oca:\\x1b[2J\\n1"));
}

TEST(Journal, WarningsAndErrorsHaveAnIdOfTheirOwn) {
  EXPECT_THAT(journal_entry(Level::warning, "breaker", {}), Contains("MESSAGE_ID=" + message_id("breaker")));
  EXPECT_THAT(journal_entry(Level::info, "breaker", {}), Not(Contains(StartsWith("MESSAGE_ID="))));
  EXPECT_EQ(message_id("breaker").size(), 32U);
  EXPECT_NE(message_id("breaker"), message_id("breakers"));
}

/// Event and id of each explanation: "# EVENT" stands above "-- ID".
std::map<std::string, std::string> explained() {
  std::map<std::string, std::string> ids;
  std::istringstream catalog(read_file(source_dir() / "systemd" / "remitod.catalog"));
  std::string before;
  for (std::string line; std::getline(catalog, line); before = line)
    if (line.starts_with("-- ")) ids.emplace(before.substr(2), line.substr(3));
  return ids;
}

std::string sources_of_the_daemon() {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "daemon"))
    if (entry.path().extension() == ".cpp") text += read_file(entry.path());
  return text;
}

TEST(JournalCatalog, ExplainsEventsThatThereAreUnderTheirIds) {
  const std::string sources = sources_of_the_daemon();
  const auto ids = explained();
  ASSERT_GT(ids.size(), 5U);
  for (const auto& [event, id] : ids) {
    EXPECT_EQ(id, message_id(event)) << event;
    EXPECT_NE(sources.find('"' + event + '"'), std::string::npos) << event << " is not logged";
  }
}

}  // namespace
}  // namespace remitod::test
