#include "daemon/database_start.h"

#include <gmock/gmock.h>

#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using daemon::Config;
using daemon::wants_a_person;
using db::DbError;
using Engine = db::DatabaseUrl::Engine;
using testing::AllOf;
using testing::HasSubstr;

class DatabaseStart : public testing::Test {
 protected:
  static Config config(const std::filesystem::path& file) {
    Config result;
    result.database = {Engine::sqlite, file.string()};
    return result;
  }
  /// What a start with this file ends in.
  static DbError failure(const std::filesystem::path& file) {
    std::unique_ptr<db::InstanceLock> lock;
    const auto taken = daemon::take_database(config(file), lock);
    EXPECT_FALSE(taken);
    EXPECT_FALSE(lock);
    return taken ? DbError{} : taken.error();
  }
  static bool of_sqlite_wants_a_person(const std::string& code) {
    return wants_a_person({Engine::sqlite, "remitod.db"}, {DbError::Kind::disk, code, ""});
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "remitod.db";
};

TEST_F(DatabaseStart, AFileThatIsNoDatabaseIsNamedAndWantsAPerson) {
  write_file(file_, std::string(2000, 'x'));
  const DbError error = failure(file_);
  EXPECT_THAT(error.message, AllOf(HasSubstr(file_.string() + ": "), HasSubstr("not a database"),
                                   HasSubstr("ls -ld " + folder_.path().string() + " " + file_.string() + "*")));
  EXPECT_TRUE(wants_a_person(config(file_).database, error));
  EXPECT_TRUE(error.retryable()) << "where a daemon works already, somebody may put it right";
}

TEST_F(DatabaseStart, AFolderThatDoesNotExistIsNamedAndWantsAPerson) {
  const std::filesystem::path file = folder_.path() / "nowhere" / "remitod.db";
  const DbError error = failure(file);
  EXPECT_THAT(error.message, HasSubstr("the folder " + file.parent_path().string() + " does not exist"));
  EXPECT_TRUE(wants_a_person(config(file).database, error));
}

TEST_F(DatabaseStart, AFolderInWhichNobodyMayMakeFilesIsNamedAndWantsAPerson) {
  const DbError error = failure("/sys/remitod.db");  // not even root may
  EXPECT_THAT(error.message, AllOf(HasSubstr("/sys/remitod.db"), HasSubstr("ls -ld /sys ")));
  EXPECT_TRUE(wants_a_person(config("/sys/remitod.db").database, error));
}

TEST_F(DatabaseStart, ADatabaseThatMayOnlyBeReadWantsAPerson) {
  EXPECT_TRUE(of_sqlite_wants_a_person("8"));     // SQLITE_READONLY
  EXPECT_TRUE(of_sqlite_wants_a_person("1544"));  // SQLITE_READONLY_DIRECTORY
  EXPECT_TRUE(of_sqlite_wants_a_person("14"));    // SQLITE_CANTOPEN
}

TEST_F(DatabaseStart, WhatMayPassIsTriedAgain) {
  EXPECT_FALSE(of_sqlite_wants_a_person("13"));  // SQLITE_FULL
  EXPECT_FALSE(of_sqlite_wants_a_person("10"));  // SQLITE_IOERR
  EXPECT_FALSE(of_sqlite_wants_a_person(""));
  const db::DatabaseUrl postgresql{Engine::postgresql, "dbname='x'"};
  EXPECT_FALSE(wants_a_person(postgresql, {DbError::Kind::connection, "", "not there yet"}));
  EXPECT_FALSE(wants_a_person(postgresql, {DbError::Kind::disk, "53000", "no room"}));
}

TEST_F(DatabaseStart, ADatabaseOfSomebodyElseIsTriedAgainAndNamed) {
  std::unique_ptr<db::InstanceLock> lock;
  ASSERT_TRUE(daemon::take_database(config(file_), lock));
  const DbError error = failure(file_);
  EXPECT_THAT(error.message, AllOf(HasSubstr("another remitod"), HasSubstr(file_.string())));
  EXPECT_FALSE(wants_a_person(config(file_).database, error));
}

}  // namespace
}  // namespace remitod::test
