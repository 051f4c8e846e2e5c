// Carriers that tell by files, from real folders and servers to a real database, on a virtual clock: whatever a sender
// does, nothing is read twice and nothing is missed.
#include "daemon/file_poller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "tests/daemon/file_poller_fixture.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string header = "remito;estado;fecha;ciudad\n";

// ------------------------------------------------------------------ from every kind of place

struct Kind {
  const char* name;
  std::unique_ptr<Place> (*make)();
};

class FilesOfEveryPlace : public FilePollerTest, public testing::WithParamInterface<Kind> {
 protected:
  void begin_there(const std::string& keys = "") { begin(GetParam().make(), keys); }
};
INSTANTIATE_TEST_SUITE_P(
    Kinds, FilesOfEveryPlace,
    testing::Values(
        Kind{"folder", []() -> std::unique_ptr<Place> { return std::make_unique<LocalPlace>(); }},
        Kind{"sftp_with_key", []() -> std::unique_ptr<Place> { return std::make_unique<SshPlace>(true); }},
        Kind{"sftp_with_password", []() -> std::unique_ptr<Place> { return std::make_unique<SshPlace>(false); }},
        Kind{"ftp", []() -> std::unique_ptr<Place> { return std::make_unique<FtpPlace>(FtpServer::Speaks::plain); }},
        Kind{"ftp_over_tls",
             []() -> std::unique_ptr<Place> { return std::make_unique<FtpPlace>(FtpServer::Speaks::tls); }}),
    [](const auto& kind) { return kind.param.name; });

TEST_P(FilesOfEveryPlace, FileThatArrivesInTwoPiecesIsReadOnceAndWhole) {
  begin_there();
  follow("0001");
  follow("0002");
  put("a.csv", header + row("0001", "REC") + "0002;RE");
  pass(10min);
  append("a.csv", "C;24/11/2026 09:00;Lima\n");
  pass(30min);
  EXPECT_EQ(status("0001"), "picked_up");
  EXPECT_EQ(status("0002"), "picked_up");
  EXPECT_EQ(count("tracking_events"), 2);
}

TEST_P(FilesOfEveryPlace, FileThatIsSentAgainIsNotReadAgain) {
  begin_there();
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  ASSERT_EQ(status("0001"), "picked_up");
  put("a.csv", header + row("0001", "REC"));
  touch("a.csv", 5min);
  pass(20min);
  EXPECT_EQ(counters().files_read, 1u);
  EXPECT_EQ(counters().files_known, 1u);
  pass(3h);
  EXPECT_EQ(counters().files_known, 1u) << "nor fetched again";
}

TEST_P(FilesOfEveryPlace, FileThatIsSentAgainWithMoreInItIsReadAgain) {
  begin_there();
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  put("a.csv", header + row("0001", "REC") + row("0001", "ENT", "17:30"));
  pass(20min);
  EXPECT_EQ(status("0001"), "delivered");
  EXPECT_EQ(count("tracking_events"), 2);
  EXPECT_EQ(counters().files_read, 2u);
}

TEST_P(FilesOfEveryPlace, FileThatIsRenamedIsNotReadAgain) {
  begin_there();
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  fs::rename(path("a.csv"), path("b.csv"));
  pass(20min);
  EXPECT_EQ(counters().files_read, 1u);
  EXPECT_EQ(counters().files_known, 1u);
}

TEST_P(FilesOfEveryPlace, HundredThousandRowsAreReadInTreesThatStaySmall) {
  begin_there();
  for (const char* remito : {"R0", "R49999", "R99999"}) follow(remito);
  // Of so many cells that one tree of all of them would be over the cap.
  std::string text = "remito;estado;fecha;ciudad;a;b;c;d;e;f\n";
  for (int i = 0; i < 100'000; ++i) text += "R" + std::to_string(i) + ";REC;24/11/2026 09:00;Lima;1;2;3;4;5;6\n";
  put("long.csv", text);
  pass(20min);
  for (const char* remito : {"R0", "R49999", "R99999"}) EXPECT_EQ(status(remito), "picked_up") << remito;
  EXPECT_EQ(counters().files_read, 1u) << counters().last_error;
  EXPECT_EQ(counters().reports, 3u);
  EXPECT_EQ(counters().extra, 99'997u);
  EXPECT_EQ(reader->transitions_told, 1);
}

TEST_P(FilesOfEveryPlace, WhatWasReadIsArchived) {
  begin_there("after = 'archive'\narchive_dir = 'done'\n");
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  EXPECT_FALSE(fs::exists(path("a.csv")));
  put("a.csv", header + row("0001", "ENT"));
  pass(20min);
  EXPECT_EQ(status("0001"), "delivered");
  const auto archived = fs::directory_iterator(path("done"));
  EXPECT_EQ(std::distance(fs::begin(archived), fs::end(archived)), 2);
  EXPECT_EQ(counters().failures, 0u) << counters().last_error;
}

TEST_P(FilesOfEveryPlace, WhatWasReadIsDeleted) {
  begin_there("after = 'delete'\n");
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  put("note.txt", "not ours");
  pass(20min);
  EXPECT_EQ(status("0001"), "picked_up");
  EXPECT_FALSE(fs::exists(path("a.csv")));
  EXPECT_TRUE(fs::exists(path("note.txt")));
}

TEST_F(FilePollerTest, InShadowNothingIsTakenAwayFromTheSystemBeforeUs) {
  shadow = true;
  begin_locally("after = 'delete'\n");
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  pass(60min);
  EXPECT_EQ(status("0001"), "picked_up");
  EXPECT_TRUE(fs::exists(path("a.csv")));
  shadow = false;
  restart();
  pass(20min);
  EXPECT_FALSE(fs::exists(path("a.csv")));
  EXPECT_EQ(count("transitions"), 1);
}

// ------------------------------------------------------------------ what goes wrong

TEST_F(FilePollerTest, RestartReadsNothingAgain) {
  begin_locally();
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  ASSERT_EQ(counters().files_read, 1u);
  restart();
  pass(60min);
  EXPECT_EQ(counters().files_read, 0u);
  EXPECT_EQ(counters().files_known, 0u);
}

TEST_F(FilePollerTest, FileWhoseLastPartWasNotCommittedIsReadAgainAfterARestart) {
  begin_locally();
  std::string text = header;
  for (int i = 0; i < 1200; ++i) {
    follow("R" + std::to_string(i));
    text += row("R" + std::to_string(i), "REC");
  }
  put("a.csv", text);
  const auto work_before = reader->executor.works();
  reader->runtime.run_until_true([&] { return reader->executor.works() == work_before + 2; }, monday + 1h);
  ASSERT_LT(count("tracking_events"), 1200);
  ASSERT_GT(count("tracking_events"), 0);
  restart();
  pass(20min);
  EXPECT_EQ(counters().files_read, 1u);
  EXPECT_EQ(count("tracking_events"), 1200);
  EXPECT_EQ(count("transitions"), 1200) << "told once";
}

TEST_F(FilePollerTest, DatabaseThatIsAwayDelaysAndLosesNothing) {
  begin_locally();
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  reader->executor.fail_always(db::DbError::Kind::connection);
  pass(30min);
  EXPECT_EQ(status("0001"), "registered");
  reader->executor.stop_failing();
  pass(2min);
  EXPECT_EQ(status("0001"), "picked_up");
  EXPECT_EQ(counters().files_read, 1u);
}

TEST_F(FilePollerTest, WhatWasCommittedUnheardIsToldAllTheSame) {
  begin_locally();
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  database.commits().deny(1);
  pass(20min);
  ASSERT_EQ(database.commits().denied(), 1);
  EXPECT_EQ(count("transitions"), 1);
  EXPECT_EQ(reader->transitions_told, 1);
}

TEST_F(FilePollerTest, FileWithAReportThatTheDatabaseRefusesIsKept) {
  begin_locally();
  follow("0001");
  database.sql("create trigger refuse before insert on tracking_events begin select raise(abort, 'no'); end");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  EXPECT_THAT(database.text("select why from raw_answers"), HasSubstr("refused the report of 0001"));
}

TEST_F(FilePollerTest, DatabaseThatIsAwayAtTheStartIsAskedUntilItTellsWhatWasRead) {
  begin_locally();
  follow("0001");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  make_reader();
  reader->executor.fail_always(db::DbError::Kind::connection);
  reader->poller.start();
  pass(20min);
  EXPECT_EQ(counters().looks, 0u);
  reader->executor.stop_failing();
  pass(20min);
  EXPECT_GT(counters().looks, 0u);
  EXPECT_EQ(counters().files_read, 0u);
}

TEST_F(FilePollerTest, StopDoesNotWaitForADatabaseThatIsAway) {
  begin_locally();
  put("a.csv", header + row("0001", "REC"));
  reader->executor.fail_always(db::DbError::Kind::connection);
  pass(20min);
  EXPECT_FALSE(reader->poller.idle());
  reader->poller.stop();
  EXPECT_TRUE(reader->poller.idle());
}

TEST_F(FilePollerTest, FileThatCannotBeUnderstoodIsKeptLeftThereAndHoldsUpNoOther) {
  begin_locally("after = 'delete'\n");
  follow("0001");
  follow("0002");
  put("a.csv", "<html><body>Login</body></html>");
  put("b.csv", header + row("0002", "REC"));
  pass(60min);
  EXPECT_EQ(status("0002"), "picked_up");
  EXPECT_TRUE(fs::exists(path("a.csv")));
  EXPECT_EQ(counters().failures, 1u) << "tried once";
  const auto kept = db::load_raw_answers(database.session(), "files_express", 10).value();
  ASSERT_THAT(kept, SizeIs(2)) << "and what told something new";
  EXPECT_EQ(kept[0].remito, "b.csv");
  EXPECT_EQ(kept[0].why, "something new");
  EXPECT_EQ(kept[1].remito, "a.csv");
  EXPECT_EQ(kept[1].operation, "feed");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  EXPECT_EQ(status("0001"), "picked_up");
}

TEST_F(FilePollerTest, WrongRowIsLeftOutToldAndKept) {
  begin_locally();
  follow("0001");
  follow("0002");
  put("a.csv", header + "0001;REC;99/99/2026 09:00;Lima\n" + row("0002", "REC"));
  pass(20min);
  EXPECT_EQ(status("0001"), "registered");
  EXPECT_EQ(status("0002"), "picked_up");
  EXPECT_EQ(counters().wrong_rows, 1u);
  EXPECT_THAT(db::load_raw_answers(database.session(), "files_express", 10).value(), SizeIs(1));
}

TEST_F(FilePollerTest, CodeThatNobodyKnowsIsCountedAndItsFileKept) {
  begin_locally();
  follow("0001");
  put("a.csv", header + row("0001", "ZZZ"));
  pass(20min);
  EXPECT_EQ(counters().unmapped, 1u);
  EXPECT_EQ(count("unmapped_codes"), 1);
  const auto kept = db::load_raw_answers(database.session(), "files_express", 10).value();
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept.front().why, "a code that the profile does not know");
}

TEST_F(FilePollerTest, StopWaitsUntilWhatIsKeptIsWritten) {
  begin_locally();
  put("a.csv", header + "0001;REC;99/99/2026 09:00;Lima\n");
  reader->runtime.run_until_true([&] { return counters().files_read == 1; }, monday + 1h);
  reader->poller.stop();
  reader->raw.stop();
  reader->runtime.run_until_true([&] { return reader->poller.idle() && reader->raw.idle(); }, monday + 1h);
  EXPECT_EQ(count("raw_answers"), 1);
}

TEST_F(FilePollerTest, WhatItSaysOfAShipmentThatIsNotTakenUpYetIsNotLost) {
  begin_locally("after = 'delete'\n");
  follow("0001");
  database.sql("update shipments set accepted_at = null");
  put("a.csv", header + row("0001", "REC"));
  pass(20min);
  EXPECT_EQ(counters().files_read, 0u);
  EXPECT_TRUE(fs::exists(path("a.csv")));
  database.sql("update shipments set accepted_at = registered_at");
  pass(20min);
  EXPECT_EQ(status("0001"), "picked_up");
  EXPECT_EQ(counters().files_read, 1u);
}

TEST_F(FilePollerTest, ClockThatIsSetBackHoldsUpNoFile) {
  begin_locally();
  put("a.csv", header);
  reader->runtime.set_clock_error(24h);
  reader->runtime.run_until_true([&] { return counters().looks == 2; }, monday + 1h);
  reader->runtime.run_queued();
  reader->runtime.set_clock_error(0h);
  pass(20min);
  EXPECT_EQ(counters().files_read, 1u);
}

TEST_F(FilePollerTest, FilesOverTheCapAreToldOnceAndLeftHoweverMany) {
  begin_locally("after = 'delete'\n");
  std::ofstream(path("a.csv")).close();
  fs::resize_file(path("a.csv"), (32u << 20) + 1);
  for (int i = 0; i < 15'000; ++i) fs::create_hard_link(path("a.csv"), path(std::to_string(i) + ".csv"));
  pass(60min);
  EXPECT_EQ(counters().failures, 15'001u);
  EXPECT_THAT(counters().last_error, HasSubstr("33554433 bytes"));
  EXPECT_TRUE(fs::exists(path("a.csv")));
}

TEST_F(FilePollerTest, FolderThatIsAwayIsLookedForAgain) {
  begin_locally();
  follow("0001");
  const fs::path out = path("");
  fs::rename(out.parent_path(), out.parent_path().string() + "-away");
  pass(30min);
  EXPECT_GE(counters().failures, 2u);
  EXPECT_THAT(counters().last_error, HasSubstr("transport"));
  fs::rename(out.parent_path().string() + "-away", out.parent_path());
  put("a.csv", header + row("0001", "REC"));
  pass(30min);
  EXPECT_EQ(status("0001"), "picked_up");
}

TEST_F(FilePollerTest, FolderThatIsAwayIsTroubleUntilItIsBack) {
  begin_locally();
  EXPECT_THAT(reader->poller.trouble(), IsEmpty());
  const fs::path out = path("").parent_path();
  fs::rename(out, out.string() + "-away");
  pass(10min);
  const auto trouble = reader->poller.trouble();
  ASSERT_THAT(trouble, SizeIs(1));
  EXPECT_EQ(trouble[0].kind, "carrier");
  EXPECT_EQ(trouble[0].subject, "files_express");
  EXPECT_THAT(trouble[0].text, HasSubstr("carrier files_express fails: transport: "));
  fs::rename(out.string() + "-away", out);
  pass(10min);
  EXPECT_THAT(reader->poller.trouble(), IsEmpty());
}

TEST_F(FilePollerTest, ListingOfWhichNothingIsUnderstoodIsTrouble) {
  begin_locally();
  put("d\xed"
      "a.csv",
      header);
  pass(10min);
  const auto trouble = reader->poller.trouble();
  ASSERT_THAT(trouble, SizeIs(1));
  EXPECT_THAT(trouble[0].why, HasSubstr("listing: no line of it is understood"));
  put("a.csv", header);
  pass(10min);
  EXPECT_THAT(reader->poller.trouble(), IsEmpty());
}

TEST_F(FilePollerTest, FileThatCannotBeReadIsTroubleForAsLongAsItLiesThere) {
  begin_locally();
  put("a.csv", "<html><body>Login</body></html>");
  pass(3h);
  const auto trouble = reader->poller.trouble();
  ASSERT_THAT(trouble, SizeIs(1));
  EXPECT_THAT(trouble[0].why, HasSubstr("1 file(s) cannot be read, the last of them a.csv: malformed"));
  fs::remove(path("a.csv"));
  pass(10min);
  EXPECT_THAT(reader->poller.trouble(), IsEmpty());
}

TEST_F(FilePollerTest, StoppedPollerLooksNoMore) {
  begin_locally();
  follow("0001");
  reader->poller.stop();
  put("a.csv", header + row("0001", "REC"));
  pass(60min);
  EXPECT_EQ(counters().looks, 1u);
  EXPECT_TRUE(reader->poller.idle());
  EXPECT_EQ(status("0001"), "registered");
}

}  // namespace
}  // namespace remitod::test
