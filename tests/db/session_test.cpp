#include "db/session.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/db/store_fixture.h"

namespace remitod::test {
namespace {

using db::DbResult;
using db::Session;
using namespace std::chrono_literals;

TEST(DatabaseUrl, SqliteIsAPath) {
  const auto url = db::DatabaseUrl::parse("sqlite:/var/lib/remitod/remitod.db");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->engine, Engine::sqlite);
  EXPECT_EQ(url->connect, "/var/lib/remitod/remitod.db");
}

TEST(DatabaseUrl, PostgresqlIsUnderstoodInBothOfItsForms) {
  for (const char* text : {"postgresql://platform@db.example/remitos?sslmode=require",
                           "postgresql:user=platform host=db.example dbname=remitos sslmode=require"}) {
    const auto url = db::DatabaseUrl::parse(text);
    ASSERT_TRUE(url) << url.error();
    EXPECT_EQ(url->engine, Engine::postgresql);
    for (const char* part :
         {"user='platform'", "host='db.example'", "dbname='remitos'", "sslmode='require'", "tcp_user_timeout='30000'"})
      EXPECT_THAT(url->connect, testing::HasSubstr(part)) << text;
  }
}

TEST(DatabaseUrl, WhatTheTextSaysWinsAndQuotesAreEscaped) {
  const auto url = db::DatabaseUrl::parse(R"(postgresql:password='it\'s' connect_timeout=2)");
  ASSERT_TRUE(url) << url.error();
  EXPECT_THAT(url->connect, testing::HasSubstr(R"(password='it\'s')"));
  EXPECT_THAT(url->connect, testing::HasSubstr("connect_timeout='2'"));
}

TEST(DatabaseUrl, AnythingElseIsRefusedWithAReason) {
  for (const char* text : {"", "sqlite:", "sqlite:a\"b", "mysql://x", "postgresql:nonsense=1", "postgresql://["}) {
    const auto url = db::DatabaseUrl::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_NE(url.error(), "") << text;
  }
}

TEST(SqliteFile, CanBeSharedWithAGroupAndKeepsEveryCommit) {
  const FreshDatabase database(Engine::sqlite);
  const mode_t before = ::umask(0007);
  db::OwnSession own = open_own(database.url());
  value_of(own.transact<int>([](Session& session) -> DbResult<int> {
    session.run_script("create table notes (id integer)");
    return 0;
  }));
  ::umask(before);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat status{};
    ASSERT_EQ(::stat((database.url().connect + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777U, 0660U) << suffix;
  }
  std::string mode;
  std::int64_t synchronous = 0, foreign_keys = 0;
  own.session().query_row("pragma journal_mode", {}, {&mode});
  own.session().query_row("pragma synchronous", {}, {&synchronous});
  own.session().query_row("pragma foreign_keys", {}, {&foreign_keys});
  EXPECT_EQ(mode, "wal");
  EXPECT_EQ(synchronous, 2);
  EXPECT_EQ(foreign_keys, 1);
}

class SessionTest : public StoreTest {};
REMITOD_ON_BOTH_ENGINES(SessionTest);

TEST_P(SessionTest, ValuesCrossUnchanged) {
  sql("create table sample (number bigint, instant bigint, flag integer, word text)");
  const Instant instant = Instant{1'700'000'000'123'456us};
  const std::string word = "Ñandú 'quoted' \\ :name \"x\"\n";
  session().execute(
      "insert into sample values (:number, :instant, :flag, :word)",
      {{"number", std::int64_t{-9'007'199'254'740'993}}, {"instant", instant}, {"flag", true}, {"word", word}});
  std::int64_t number_read = 0;
  Instant instant_read;
  bool flag_read = false;
  std::string word_read;
  ASSERT_TRUE(session().query_row("select number, instant, flag, word from sample", {},
                                  {&number_read, &instant_read, &flag_read, &word_read}));
  EXPECT_EQ(number_read, -9'007'199'254'740'993);
  EXPECT_EQ(instant_read, instant);
  EXPECT_TRUE(flag_read);
  EXPECT_EQ(word_read, word);
}

TEST_P(SessionTest, AParameterMayOccurSeveralTimesAndAStatementMayBeSentAgainWithOthers) {
  for (const std::int64_t value : {3, 4}) {
    std::int64_t twice = 0;
    ASSERT_TRUE(
        session().query_row("select cast(:value as bigint) + cast(:value as bigint)", {{"value", value}}, {&twice}));
    EXPECT_EQ(twice, 2 * value);
  }
}

TEST_P(SessionTest, NullNeedsAnOptional) {
  std::optional<Instant> absent = Instant{};
  ASSERT_TRUE(session().query_row("select cast(:at as bigint)", {{"at", std::optional<Instant>{}}}, {&absent}));
  EXPECT_EQ(absent, std::nullopt);
  const auto result = try_run<int>([](Session& at) -> DbResult<int> {
    std::int64_t value = 0;
    at.query_row("select cast(null as bigint)", {}, {&value});
    return 0;
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, db::DbError::Kind::bug);
}

TEST_P(SessionTest, StreamGivesEveryRowOnceAndInOrder) {
  sql("create table sample (id bigint)");
  sql(engine() == Engine::sqlite ? "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) "
                                   "insert into sample select i from n"
                                 : "insert into sample select generate_series(1, 5000)");
  std::int64_t id = 0, expected = 0;
  run<int>([&](Session& at) -> DbResult<int> {
    EXPECT_EQ(at.stream("select id from sample order by id", {&id}, [&] { EXPECT_EQ(id, ++expected); }), 5000U);
    EXPECT_EQ(at.stream("select id from sample where id < 0", {&id}, [] { FAIL(); }), 0U);
    return 0;
  });
  EXPECT_EQ(expected, 5000);
}

TEST_P(SessionTest, AStatementThatFailedCanBeSentAgain) {
  sql("create table sample (id integer primary key)");
  const db::Work<std::int64_t> insert_one = [](Session& at) -> DbResult<std::int64_t> {
    return at.execute("insert into sample values (:id)", {{"id", 1}});
  };
  EXPECT_EQ(run(insert_one), 1);
  EXPECT_EQ(try_run(insert_one).error().kind, db::DbError::Kind::constraint);
  sql("delete from sample");
  EXPECT_EQ(run(insert_one), 1);
}

TEST_P(SessionTest, ErrorsDoNotShowTheParameters) {
  sql("create table sample (id integer)");
  const auto result = try_run<std::int64_t>([](Session& at) -> DbResult<std::int64_t> {
    return at.execute("insert into nowhere values (:secret)", {{"secret", "a person's address"}});
  });
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, testing::HasSubstr("nowhere"));
  EXPECT_THAT(result.error().message, testing::Not(testing::HasSubstr("address")));
}

}  // namespace
}  // namespace remitod::test
