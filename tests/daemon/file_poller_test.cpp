// Carriers that tell by files, from real folders and servers to a real database, on a virtual clock: whatever a sender
// does, nothing is read twice and nothing is missed.
#include "daemon/file_poller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "daemon/log.h"
#include "tests/support/file_servers.h"
#include "tests/support/files_profile.h"
#include "tests/support/virtual_daemon.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string header = "remito;estado;fecha;ciudad\n";

/// A folder, how a profile names it, and with which key.
class Place {
 public:
  virtual ~Place() = default;
  virtual fs::path out() const = 0;
  virtual std::string feed() const = 0;
  virtual std::string key() const { return "no key"; }
};

class LocalPlace : public Place {
 public:
  fs::path out() const override { return folder_.path(); }
  std::string feed() const override { return "url = 'file://" + folder_.path().string() + "/*.csv'\n"; }

 private:
  TemporaryFolder folder_;
};

class SshPlace : public Place {
 public:
  explicit SshPlace(bool with_key) : with_key_(with_key) {}
  fs::path out() const override { return server_.out(); }
  std::string feed() const override {
    return "url = 'sftp://" + server_.authority() + "/~/out/*.csv'\nuser = '" + file_user + "'\nhost_key = '" +
           server_.host_key() + "'\n" +
           (with_key_ ? "key = '{{secrets.key}}'\n" : "password = '{{secrets.password}}'\n");
  }
  std::string key() const override { return server_.private_key(); }

 private:
  bool with_key_;
  SshServer server_;
};

class FtpPlace : public Place {
 public:
  explicit FtpPlace(FtpServer::Speaks speaks) : speaks_(speaks), server_(speaks) {}
  fs::path out() const override { return server_.out(); }
  std::string feed() const override {
    const std::string scheme = speaks_ == FtpServer::Speaks::tls ? "ftpes" : "ftp";
    return "url = '" + scheme + "://" + server_.authority() + "/out/*.csv'\nuser = '" + file_user +
           "'\npassword = '{{secrets.password}}'\n";
  }
  fs::path ca_file() const { return server_.ca_file(); }

 private:
  FtpServer::Speaks speaks_;
  FtpServer server_;
};

/// What a daemon has of file carriers; a restart is a new one.
struct Reader {
  Reader(VirtualDatabase& database, const std::shared_ptr<const carriers::Profile>& profile,
         const carriers::FileSite& site, Instant now)
      : runtime(now),
        executor(runtime, database),
        offload(runtime),
        raw(runtime, executor),
        poller(runtime, offload, executor, raw, {[this] { ++transitions_told; }}) {
    daemon::set_up_log("off");
    poller.add_carrier(profile, carriers::open_files(site));
  }
  const daemon::FileCounters& counters() const { return poller.carriers().front().counters; }

  int transitions_told = 0;
  VirtualRuntime runtime;
  VirtualExecutor executor;
  VirtualOffload offload;
  daemon::RawKeeper raw;
  daemon::FilePoller poller;
};

class FilePollerTest : public testing::Test {
 protected:
  void begin(std::unique_ptr<Place> place, const std::string& keys = "") {
    place_ = std::move(place);
    keys_ = keys;
    restart();
  }
  void begin_locally(const std::string& keys = "") { begin(std::make_unique<LocalPlace>(), keys); }
  void restart() {
    make_reader();
    reader->poller.start();
    reader->runtime.run_queued();
  }
  /// A new process, before its start.
  void make_reader() {
    const Instant now = reader ? reader->runtime.now() : monday;
    reader.reset();
    const auto profile = files_profile(place_->feed() + keys_, place_->key());
    carriers::FileSite site = carriers::file_feed(*profile)->site;
    if (const auto* const ftp = dynamic_cast<const FtpPlace*>(place_.get())) site.ca_file = ftp->ca_file().string();
    reader = std::make_unique<Reader>(database, profile, site, now);
  }
  void follow(const std::string& remito) {
    database.sql(
        "insert into shipments (order_number, carrier, remito, accepted_at, registered_at, cycle) values ('1001', "
        "'files_express', '" +
        remito + "', " + std::to_string(to_micros(monday)) + ", " + std::to_string(to_micros(monday)) + ", 1)");
  }
  fs::path path(const std::string& name) const { return place_->out() / name; }
  void put(const std::string& name, const std::string& text) { write_file(path(name), text); }
  void append(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::app | std::ios::binary) << text;
  }
  /// As if the file had been written so much later.
  void touch(const std::string& name, std::chrono::minutes later) {
    fs::last_write_time(path(name), fs::last_write_time(path(name)) + later);
  }
  static std::string row(const std::string& remito, const std::string& state, const std::string& time = "09:00") {
    return remito + ";" + state + ";24/11/2026 " + time + ";Lima\n";
  }
  void pass(std::chrono::minutes time) { reader->runtime.run_for(time); }
  std::string status(const std::string& remito) {
    return database.text("select status from shipments where remito = '" + remito + "'");
  }
  std::int64_t count(const std::string& from_where) { return database.number("select count(*) from " + from_where); }
  const daemon::FileCounters& counters() const { return reader->counters(); }

  VirtualDatabase database;
  std::unique_ptr<Reader> reader;

 private:
  std::unique_ptr<Place> place_;
  std::string keys_;
};

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

TEST_F(FilePollerTest, FileOverTheCapIsToldOnceAndLeft) {
  begin_locally("after = 'delete'\n");
  std::ofstream(path("a.csv")).close();
  fs::resize_file(path("a.csv"), (32u << 20) + 1);
  pass(60min);
  EXPECT_EQ(counters().failures, 1u);
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
