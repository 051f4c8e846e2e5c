// A copy of a database that is in use.
#include "db/backup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "db/migrations.h"
#include "tests/db/store_fixture.h"

namespace remitod::test {
namespace {

namespace fs = std::filesystem;
using db::DbError;
using db::Session;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BackupTest : public testing::Test {
 protected:
  BackupTest() : database_(Engine::sqlite), own_(open_own(database_.url())) {
    value_of(own_.transact<int>([](Session& session) { return db::migrate(session); }));
  }
  void follow(const std::string& remito) {
    own_.session().run_script("insert into shipments (order_number, carrier, remito) values ('1', 'oca', '" + remito +
                              "')");
  }
  fs::path target() const { return folder_.path() / "backup.db"; }
  static std::int64_t shipments_in(const fs::path& file) {
    db::OwnSession copy = open_own(db::DatabaseUrl::parse("sqlite:" + file.string()).value());
    std::int64_t count = 0;
    copy.session().query_row("select count(*) from shipments", {}, {&count});
    return count;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) names.push_back(entry.path().filename().string());
    return names;
  }

  FreshDatabase database_;
  TemporaryFolder folder_;
  db::OwnSession own_;
};

TEST_F(BackupTest, HoldsWhatWasCommittedWhileAnotherWrites) {
  follow("a");
  follow("b");
  own_.session().begin();
  follow("not committed");
  const db::Backup backup = value_of(db::back_up_sqlite(database_.url(), target()));
  own_.session().commit();
  EXPECT_EQ(shipments_in(target()), 2);
  EXPECT_EQ(backup.bytes, fs::file_size(target()));
  EXPECT_EQ(backup.schema_version, db::migrations(Engine::sqlite).back().version);
}

TEST_F(BackupTest, IsForItsOwnerAloneAndReplacesTheLastOne) {
  follow("a");
  ASSERT_TRUE(db::back_up_sqlite(database_.url(), target()));
  follow("b");
  ASSERT_TRUE(db::back_up_sqlite(database_.url(), target()));
  EXPECT_EQ(shipments_in(target()), 2);
  struct stat rights{};
  ASSERT_EQ(::stat(target().c_str(), &rights), 0);
  EXPECT_EQ(rights.st_mode & 0777, 0600u);
  EXPECT_THAT(files(), testing::ElementsAre("backup.db"));
}

TEST_F(BackupTest, WhereItCannotBeWrittenIsAnErrorOfTheDisk) {
  const auto made = db::back_up_sqlite(database_.url(), folder_.path() / "nowhere" / "backup.db");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, DbError::Kind::disk);
  EXPECT_FALSE(db::is_unusable_file(made.error())) << "the database is as it should be";
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(BackupTest, NeverTakesTheNameOfTheDatabaseOrOfAFileThatBelongsToIt) {
  follow("a");
  const fs::path database = database_.url().connect, other_name = folder_.path() / "link.db";
  fs::create_symlink(database, other_name);
  struct stat before{}, after{};
  ASSERT_EQ(::stat(database.c_str(), &before), 0);
  for (const fs::path& file : {database, fs::path(database.string() + "-wal"), other_name}) {
    const auto made = db::back_up_sqlite(database_.url(), file);
    ASSERT_FALSE(made) << file;
    EXPECT_EQ(made.error().kind, DbError::Kind::constraint);
  }
  ASSERT_EQ(::stat(database.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "those who have it open still write into it";
}

TEST_F(BackupTest, OfNoDatabaseMakesNone) {
  const fs::path missing = folder_.path() / "missing.db";
  const auto made = db::back_up_sqlite(db::DatabaseUrl::parse("sqlite:" + missing.string()).value(), target());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, DbError::Kind::connection);
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(BackupTest, OfADamagedDatabaseFailsAndLeavesTheLastGoodOne) {
  for (int i = 0; i < 5000; ++i) follow("shipment number " + std::to_string(i));
  ASSERT_TRUE(db::back_up_sqlite(database_.url(), target()));
  own_.session().run_script("pragma wal_checkpoint(truncate)");
  {
    std::fstream file(database_.url().connect, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(database_.url().connect) / 2));
    file << std::string(20'000, 'x');
  }
  const auto made = db::back_up_sqlite(database_.url(), target());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, DbError::Kind::disk);
  EXPECT_TRUE(db::is_unusable_file(made.error())) << "not the place of the copy";
  EXPECT_THAT(made.error().message, HasSubstr("the database " + database_.url().connect + " is damaged: "));
  EXPECT_EQ(shipments_in(target()), 5000);
  EXPECT_THAT(files(), testing::ElementsAre("backup.db"));
}

TEST_F(BackupTest, OfAnotherProgramsDatabaseIsRefused) {
  const fs::path other = folder_.path() / "other.db";
  {
    db::OwnSession theirs = open_own(db::DatabaseUrl::parse("sqlite:" + other.string()).value());
    theirs.session().run_script("create table t (x)");
  }
  const auto made = db::back_up_sqlite(db::DatabaseUrl::parse("sqlite:" + other.string()).value(), target());
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("no database of remitod"));
  EXPECT_THAT(files(), Not(testing::Contains("backup.db")));
}

TEST(PgDumpCommand, NamesTheDatabaseAndNoPassword) {
  const auto url = db::DatabaseUrl::parse("postgresql://shop:s3cret@db.example:5433/market").value();
  const std::string command = db::pg_dump_command(url, "/backups/it's.dump");
  EXPECT_THAT(command, Not(HasSubstr("s3cret")));
  EXPECT_EQ(command,
            "pg_dump --format=custom --schema=remitod --file='/backups/it'\\''s.dump' "
            "--dbname='user=shop dbname=market host=db.example port=5433'");
}

}  // namespace
}  // namespace remitod::test
