// A disk that is full, and one that fails: what was committed stays, what could not be is done when it can be again.
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <optional>

#include "db/session.h"
#include "tests/e2e/database_trouble.h"

namespace remitod::test {
namespace {

/// A small file system in memory. Only root can have one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    mounted_ = ::mount("remitod-test", folder_.path().c_str(), "tmpfs", MS_NOSUID, ("size=" + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }
  void fill() const {
    std::ofstream out(file("filler"), std::ios::binary);
    const std::string block(4096, 'x');
    while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void make_room() const { std::filesystem::remove(file("filler")); }

 private:
  TemporaryFolder folder_;
  bool mounted_ = false;
};

std::string integrity(Installation& installation) {
  return installation.platform().text("select * from pragma_integrity_check");
}

/// SQLite writes into its log what is there of it before it asks the disk for more.
void empty_the_log(const Installation& installation) {
  auto own = db::OwnSession::open(db::DatabaseUrl::parse(installation.database_url()).value()).value();
  ASSERT_TRUE(eventually([&] {
    std::int64_t busy = 1, in_log = 0, moved = 0;
    own.session().query_row(db::Sql{"pragma wal_checkpoint(truncate)"}, {}, {&busy, &in_log, &moved});
    return busy == 0;
  }));
}

/// These system calls of the daemon fail with this error as long as it lives.
class FailingCalls {
 public:
  FailingCalls(Installation& installation, const std::string& calls, const std::string& error)
      : strace_({"strace", "-f", "-qq", "-e", "trace=" + calls, "-e", "inject=" + calls + ":error=" + error, "-p",
                 std::to_string(installation.daemon().pid())},
                {installation.folder() / "strace.out", installation.folder() / "strace.err"}) {}
  ~FailingCalls() {
    strace_.signal(SIGINT);  // lets go of the process
    strace_.wait();
  }

 private:
  Process strace_;
};

TEST_F(DatabaseTrouble, DiskThatIsFullPausesThePollingAndLosesNothing) {
  const SmallDisk disk("8m");
  Installation installation({.database_url = "sqlite:" + disk.file("remitod.db").string(), .time_scale = time_scale});
  start_following(installation);
  empty_the_log(installation);
  std::optional<FailingCalls> full;  // where no file system of our own can be mounted: what a full one answers
  if (disk.mounted())
    disk.fill();
  else
    full.emplace(installation, "pwrite64", "ENOSPC");
  show_all_delivered(installation);
  ASSERT_TRUE(eventually([&] { return degraded(installation) && !installation.log_lines({"commit_delayed"}).empty(); }))
      << installation.log();
  EXPECT_LT(count(installation, "delivered"), shipments);
  full.reset();
  disk.make_room();
  expect_all_delivered_and_told_once(installation);
  EXPECT_EQ(integrity(installation), "ok");
}

TEST_F(DatabaseTrouble, DiskThatCannotSyncIsNotBelievedAndLosesNothing) {
  Installation installation({.time_scale = time_scale});
  start_following(installation);
  {
    const FailingCalls failing(installation, "fsync,fdatasync", "EIO");
    show_all_delivered(installation);
    ASSERT_TRUE(eventually([&] { return !installation.log_lines({"commit_delayed"}).empty(); })) << installation.log();
  }
  expect_all_delivered_and_told_once(installation);
  EXPECT_EQ(integrity(installation), "ok");
}

}  // namespace
}  // namespace remitod::test
