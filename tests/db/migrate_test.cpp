#include <gmock/gmock.h>

#include "db/migrations.h"
#include "tests/db/store_fixture.h"

namespace remitod::test {
namespace {

using db::DbResult;
using db::Session;

class MigrateTest : public testing::TestWithParam<Engine> {
 protected:
  MigrateTest() : database_(GetParam()), own_(open_own(database_.url())) {}
  DbResult<int> migrate() {
    return own_.transact<int>([](Session& session) { return db::migrate(session); });
  }
  DbResult<int> script(const std::string& text) {
    return own_.transact<int>([&](Session& session) -> DbResult<int> {
      session.run_script(text);
      return 0;
    });
  }

  FreshDatabase database_;
  db::OwnSession own_;
};
REMITOD_ON_BOTH_ENGINES(MigrateTest);

TEST_P(MigrateTest, AFreshDatabaseReachesTheNewestVersion) {
  EXPECT_EQ(migrate(), db::migrations(GetParam()).back().version);
  EXPECT_TRUE(script("insert into shipments (order_number, carrier, remito) values ('1', 'oca', '2')"));
}

TEST_P(MigrateTest, TheSecondTimeChangesNothing) {
  ASSERT_TRUE(migrate());
  ASSERT_TRUE(script("insert into shipments (order_number, carrier, remito) values ('1', 'oca', '2')"));
  EXPECT_EQ(migrate(), db::migrations(GetParam()).back().version);
  std::int64_t shipments = 0;
  own_.session().query_row("select count(*) from shipments", {}, {&shipments});
  EXPECT_EQ(shipments, 1);
}

TEST_P(MigrateTest, ADatabaseNewerThanTheProgramIsRefused) {
  ASSERT_TRUE(migrate());
  ASSERT_TRUE(script("insert into schema_migrations (version, name) values (9999, 'of the future')"));
  const DbResult<int> result = migrate();
  ASSERT_FALSE(result);
  EXPECT_FALSE(result.error().retryable());
  EXPECT_THAT(result.error().message, testing::HasSubstr("9999"));
}

TEST_P(MigrateTest, AFailureInTheMiddleLeavesNothingBehind) {
  if (GetParam() == Engine::postgresql) {
    ASSERT_TRUE(script("create schema remitod"));
  }
  ASSERT_TRUE(script("create table transitions (in_the_way integer)"));
  EXPECT_FALSE(migrate());
  EXPECT_FALSE(script("select * from remito_requests"));
  ASSERT_TRUE(script("drop table transitions"));
  EXPECT_TRUE(migrate());
}

TEST(Migrations, AreTheSameOnBothEngines) {
  const auto sqlite = db::migrations(Engine::sqlite), postgresql = db::migrations(Engine::postgresql);
  ASSERT_EQ(sqlite.size(), postgresql.size());
  for (std::size_t i = 0; i < sqlite.size(); ++i) EXPECT_EQ(sqlite[i].name, postgresql[i].name);
}

/// "table.column" of everything in the schema.
std::vector<std::string> columns(Engine engine) {
  const FreshDatabase database(engine);
  db::OwnSession own = open_own(database.url());
  value_of(own.transact<int>([](Session& session) { return db::migrate(session); }));
  std::vector<std::string> result;
  std::string column;
  own.session().query({"select t.name || '.' || c.name from sqlite_schema t, pragma_table_info(t.name) c "
                       "where t.type = 'table' and t.name not like 'sqlite_%'",
                       "select table_name || '.' || column_name from information_schema.columns "
                       "where table_schema = 'remitod'"},
                      {}, {&column}, [&] { result.push_back(column); });
  std::ranges::sort(result);
  return result;
}

TEST(Migrations, GiveBothEnginesTheSameTablesAndColumns) {
  EXPECT_EQ(columns(Engine::sqlite), columns(Engine::postgresql));
}

class PlatformRole : public testing::Test {
 protected:
  PlatformRole() : database_(Engine::postgresql), own_(open_own(database_.url())) {
    value_of(own_.transact<int>([](Session& session) { return db::migrate(session); }));
  }
  bool allowed(const std::string& statement) {
    return own_
        .transact<int>([&](Session& session) -> DbResult<int> {
          session.run_script("set local role remitod_platform");
          session.run_script(statement);
          return 0;
        })
        .has_value();
  }
  FreshDatabase database_;
  db::OwnSession own_;
};

TEST_F(PlatformRole, MayAskFollowAndRead) {
  EXPECT_TRUE(
      allowed("insert into remito_requests (request_key, order_number, carrier, payload) "
              "values ('k', '1', 'oca', '{}') returning id"));
  EXPECT_TRUE(
      allowed("insert into shipments (order_number, carrier, remito, baseline) values ('1', 'oca', '2', true)"));
  EXPECT_TRUE(allowed("insert into resync_requests (target) values ('all')"));
  EXPECT_TRUE(allowed("select * from shipments, tracking_events, transitions, remito_requests, resync_requests"));
}

TEST_F(PlatformRole, MayNotWriteWhatTheDaemonWrites) {
  EXPECT_FALSE(
      allowed("insert into remito_requests (request_key, order_number, carrier, state) "
              "values ('k', '1', 'oca', 'granted')"));
  EXPECT_FALSE(
      allowed("insert into shipments (order_number, carrier, remito, status) values ('1', 'o', '2', 'delivered')"));
  EXPECT_FALSE(allowed("update shipments set status = 'delivered'"));
  EXPECT_FALSE(allowed("delete from transitions"));
  EXPECT_FALSE(allowed("insert into tracking_events (shipment_id) values (1)"));
  EXPECT_FALSE(allowed("select * from raw_answers"));
}

}  // namespace
}  // namespace remitod::test
