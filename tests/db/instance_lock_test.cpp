#include "db/instance_lock.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/db/store_fixture.h"

namespace remitod::test {
namespace {

using db::InstanceLock;

class InstanceLockTest : public testing::TestWithParam<Engine> {
 protected:
  InstanceLockTest() : database_(GetParam()) {}
  FreshDatabase database_;
};
REMITOD_ON_BOTH_ENGINES(InstanceLockTest);

TEST_P(InstanceLockTest, IsGivenToOneAtATime) {
  auto first = InstanceLock::acquire(database_.url());
  ASSERT_TRUE(first);
  EXPECT_TRUE((*first)->still_held());
  const auto second = InstanceLock::acquire(database_.url());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, db::DbError::Kind::busy);
  EXPECT_THAT(second.error().message, testing::HasSubstr("another remitod"));
}

TEST_P(InstanceLockTest, IsForOneDatabaseOnly) {
  const FreshDatabase other(GetParam());
  const auto first = InstanceLock::acquire(database_.url());
  EXPECT_TRUE(first);
  EXPECT_TRUE(InstanceLock::acquire(other.url()));
}

TEST_P(InstanceLockTest, IsGivenBackWithTheObject) {
  auto first = InstanceLock::acquire(database_.url());
  ASSERT_TRUE(first);
  first->reset();
  // PostgreSQL gives it back when it has read our farewell, a moment later.
  db::DbResult<std::unique_ptr<InstanceLock>> again;
  do again = InstanceLock::acquire(database_.url());
  while (!again && GetParam() == Engine::postgresql && again.error().kind == db::DbError::Kind::busy);
  EXPECT_TRUE(again) << again.error().message;
}

TEST(SqliteInstanceLock, IsOneForADatabaseThatHasAnotherNameToo) {
  const FreshDatabase database(Engine::sqlite);
  const TemporaryFolder folder;
  {
    const db::OwnSession made = open_own(database.url());
  }
  const std::filesystem::path link = folder.path() / "link.db";
  std::filesystem::create_symlink(database.url().connect, link);
  const auto first = InstanceLock::acquire(database.url());
  ASSERT_TRUE(first);
  const auto second = InstanceLock::acquire(db::DatabaseUrl::parse("sqlite:" + link.string()).value());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, db::DbError::Kind::busy);
}

TEST(SqliteInstanceLock, IsOneThoughTheDatabaseThatALinkLeadsToIsNotThereYet) {
  const TemporaryFolder folder;
  const std::filesystem::path link = folder.path() / "link.db";
  std::filesystem::create_symlink("real.db", link);
  const auto first = InstanceLock::acquire(db::DatabaseUrl::parse("sqlite:" + link.string()).value());
  ASSERT_TRUE(first);
  const auto second =
      InstanceLock::acquire(db::DatabaseUrl::parse("sqlite:" + (folder.path() / "real.db").string()).value());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, db::DbError::Kind::busy);
}

TEST(SqliteInstanceLock, IsGivenBackWhenItsProcessIsKilled) {
  const FreshDatabase database(Engine::sqlite);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = InstanceLock::acquire(database.url());
    const char answer = held ? 'y' : 'n';
    if (::write(ends[1], &answer, 1) == 1) ::pause();
    ::_exit(1);
  }
  char answer = 0;
  ASSERT_EQ(::read(ends[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(InstanceLock::acquire(database.url()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(InstanceLock::acquire(database.url()));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(PostgresqlInstanceLock, NoticesThatTheServerHungUp) {
  const FreshDatabase database(Engine::postgresql);
  const auto lock = InstanceLock::acquire(database.url());
  ASSERT_TRUE(lock);
  db::OwnSession other = open_own(database.url());
  std::int64_t terminated = 0;
  other.session().query_row(
      "select count(*) filter (where pg_terminate_backend(pid, 5000)) from pg_locks where locktype = 'advisory' "
      "and database = (select oid from pg_database where datname = current_database())",
      {}, {&terminated});
  ASSERT_EQ(terminated, 1);
  EXPECT_FALSE((*lock)->still_held());
}

}  // namespace
}  // namespace remitod::test
