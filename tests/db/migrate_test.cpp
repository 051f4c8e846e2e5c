#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "db/migrations.h"
#include "db/raw_answers.h"
#include "tests/db/store_fixture.h"
#include "tests/support/process.h"

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

TEST_P(MigrateTest, TheRowsOfTheFirstVersionKeepTheirPlace) {
  if (GetParam() == Engine::postgresql) {
    ASSERT_TRUE(script("create schema remitod"));
  }
  ASSERT_TRUE(script(std::string(db::migrations(GetParam()).front().sql)));
  ASSERT_TRUE(script(R"(
      create table schema_migrations (version integer not null primary key, name text not null, applied_at integer);
      insert into schema_migrations (version, name) values (1, 'first_schema');
      insert into remito_requests (request_key, order_number, carrier, accepted_at, state)
        values ('k1', '1', 'oca', 7, 'granted'), ('k2', '2', 'oca', 8, 'unknown');
      insert into shipments (order_number, carrier, remito, request_id) values ('1', 'oca', '0001', 1);
      update remito_requests set shipment_id = 1 where id = 1;
      insert into transitions (subject, request_id, shipment_id, order_number, parcel_group, carrier, from_status,
                               to_status, detected_at, created_at)
        values ('request', 1, 1, '1', 1, 'oca', 'confirmed', 'ready_to_ship', 9, 9))"));
  EXPECT_EQ(migrate(), db::migrations(GetParam()).back().version);
  std::int64_t whole = 0;
  own_.session().query_row(
      "select count(*) from remito_requests r join shipments s on s.id = r.shipment_id and s.request_id = r.id "
      "join transitions t on t.request_id = r.id where r.request_key = 'k1' and r.accepted_at = 7",
      {}, {&whole});
  EXPECT_EQ(whole, 1);
  EXPECT_FALSE(script("delete from remito_requests where id = 1")) << "still referred to";
  ASSERT_TRUE(script("insert into remito_requests (request_key, order_number, carrier) values ('k3', '3', 'oca')"));
  std::int64_t newest = 0;
  own_.session().query_row("select id from remito_requests where request_key = 'k3'", {}, {&newest});
  EXPECT_EQ(newest, 3) << "no id is given twice";
}

// The numbers of one engine's files in a folder of their own, put into a program.
int exit_of_embedding(const std::vector<std::string>& names) {
  const TemporaryFolder folder;
  for (const char* engine : {"sqlite", "postgresql"}) {
    std::filesystem::create_directories(folder.path() / engine);
    for (const std::string& name : names) write_file(folder.path() / engine / name, "select 1;");
  }
  return run_to_end({"cmake", "-DFOLDER=" + folder.path().string(), "-DOUTPUT=" + (folder.path() / "made.cpp").string(),
                     "-P", (source_dir() / "db/migrations/embed.cmake").string()})
      .exit_code;
}

TEST(MigrationFiles, AGapInTheirNumbersOrTwoOfOneNumberDoNotBuild) {
  EXPECT_EQ(exit_of_embedding({"0001_a.sql", "0002_b.sql"}), 0);
  EXPECT_NE(exit_of_embedding({"0001_a.sql", "0003_b.sql"}), 0);
  EXPECT_NE(exit_of_embedding({"0001_a.sql", "0002_b.sql", "0002_c.sql"}), 0);
  EXPECT_NE(exit_of_embedding({"0002_b.sql"}), 0);
}

// A row of each table, as programs of these versions wrote them.
const std::string rows_of_version_1 = R"(
    insert into remito_requests (request_key, order_number, carrier, payload, requested_at, accepted_at, state, remito,
                                 attempts, client_ref, request_hash, fencing_token, settled_at)
      values ('k1', '1001', 'oca', '{"notes": "ñ"}', 5, 7, 'granted', '0001', 1, 'R1-1001', 'h', 3, 9),
             ('k2', '1002', 'oca', '{}', 6, 8, 'pending', '', 0, 'R2-1002', '', 0, null);
    insert into shipments (order_number, carrier, remito, baseline, registered_at, accepted_at, request_id, cycle,
                           status, reason, status_at, detected_at, attempts_failed, terminal_at)
      values ('1001', 'oca', '0001', false, 9, 9, 1, 1, 'delivered', '', 20, 21, 1, 21),
             ('0998', 'oca', '0002', true, null, 9, null, 1, 'in_transit', '', 20, 21, 0, null);
    update remito_requests set shipment_id = 1 where id = 1;
    insert into tracking_events (shipment_id, event_key, code, text, status, reason, occurred_at, zone_source, date_only,
                                 resolved_by_rule, place, position, baseline, detected_at)
      values (1, '20|EN|LIMA', 'EN', 'Entregado', 'delivered', '', 20, 'offset', false, false, 'LIMA', 3, false, 21),
             (2, '19|X9|', 'X9', '?', 'unmapped', '', 19, 'assumed', true, true, '', 0, true, 21);
    insert into transitions (seq, subject, shipment_id, request_id, order_number, parcel_group, carrier, remito, cycle,
                             event_key, from_status, to_status, occurred_at, zone_source, detected_at, created_at,
                             dispatched_at)
      values (1, 'request', 1, 1, '1001', 1, 'oca', '0001', 1, '', 'confirmed', 'ready_to_ship', null, '', 9, 9, 10),
             (null, 'shipment', 1, 1, '1001', 1, 'oca', '0001', 1, '20|EN|LIMA', 'in_transit', 'delivered', 20,
              'offset', 21, 21, null);
    update counters set value = 1 where name = 'transition_seq';
    insert into resync_requests (target, requested_at, accepted_at, finished_at, shipments) values ('all', 1, 2, 3, 4);
    insert into raw_answers (carrier, operation, remito, why, http_status, content_type, body, kept_at)
      values ('oca', 'track', '0001', 'truncated', 200, 'text/xml', 'eJwDAAAAAAE=', 33);
    insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at)
      values ('oca', 'X9', '?', 3, 19, 21);
    insert into lane_checkpoints (carrier, asked, saved_at) values ('oca', 'AA==', 22);)";
const std::string rows_of_version_5 = R"(
    insert into remito_ranges (carrier, first_number, last_number, stated_at, accepted_at, numbers, taken)
      values ('oca', '000400001', '000400500', 1, 2, 500, 7);
    insert into remito_refills (carrier, next_try_at, failures, error) values ('oca', 5, 2, 'no answer');
    insert into read_files (carrier, name, bytes, modified, content, reports, read_at)
      values ('oca', 'a.csv', 10, 'then', 'hash', 2, 40);
    insert into sinks (name, cursor_seq, revision, owner, fencing_token) values ('shop', 1, 2, 'me', 3);
    insert into sink_letters (sink, seq, state, attempts, next_try_at, failed_at, error)
      values ('shop', 1, 'dead', 9, 50, 51, 'HTTP 500');
    insert into request_quotas (carrier, period, revision, reserved, saved_at) values ('oca', 'day', 4, '[]', 60);)";

class MigrateOldRows : public MigrateTest {
 protected:
  /// The schema as programs up to this version had it.
  void make_version(int version) {
    if (GetParam() == Engine::postgresql) {
      ASSERT_TRUE(script("create schema remitod"));
    }
    ASSERT_TRUE(
        script("create table schema_migrations (version integer not null primary key, name text not null, "
               "applied_at bigint)"));
    for (const db::Migration& migration : db::migrations(GetParam())) {
      if (migration.version > version) continue;
      ASSERT_TRUE(script(std::string(migration.sql)));
      ASSERT_TRUE(script("insert into schema_migrations (version, name) values (" + std::to_string(migration.version) +
                         ", '" + std::string(migration.name) + "')"));
    }
  }
  /// The columns of each table but for those of the schema itself, in their order.
  std::map<std::string, std::vector<std::string>> tables() {
    std::map<std::string, std::vector<std::string>> result;
    std::string table, column;
    own_.session().query({"select t.name, c.name from sqlite_schema t, pragma_table_info(t.name) c "
                          "where t.type = 'table' and t.name not like 'sqlite_%' order by t.name, c.cid",
                          "select table_name, column_name from information_schema.columns "
                          "where table_schema = 'remitod' order by table_name, ordinal_position"},
                         {}, {&table, &column}, [&] {
                           if (table != "schema_migrations") result[table].push_back(column);
                         });
    return result;
  }
  /// What these columns hold, row by row.
  std::vector<std::string> contents(const std::map<std::string, std::vector<std::string>>& tables) {
    std::vector<std::string> rows;
    for (const auto& [table, columns] : tables) {
      std::string all;
      for (const std::string& column : columns)
        all += (all.empty() ? "" : " || '|' || ") + ("coalesce(cast(" + column + " as text), 'null')");
      const std::string query = "select '" + table + ": ' || " + all + " from " + table + " order by 1";
      std::string row;
      own_.session().query(query.c_str(), {}, {&row}, [&] { rows.push_back(row); });
    }
    return rows;
  }
  std::int64_t number(const char* query) {
    std::int64_t result = 0;
    own_.session().query_row(query, {}, {&result});
    return result;
  }
};
REMITOD_ON_BOTH_ENGINES(MigrateOldRows);

TEST_P(MigrateOldRows, OfTheFirstVersionAreAllThereAndAsTheyWere) {
  make_version(1);
  ASSERT_TRUE(script(rows_of_version_1));
  const auto tables_then = tables();
  const auto rows = contents(tables_then);
  ASSERT_EQ(rows.size(), 13u);
  ASSERT_TRUE(migrate());
  EXPECT_EQ(contents(tables_then), rows);
}

TEST_P(MigrateOldRows, OfTheFifthVersionAreAllThereAndAsTheyWere) {
  make_version(5);
  ASSERT_TRUE(script(rows_of_version_1));
  ASSERT_TRUE(script(rows_of_version_5));
  const auto tables_then = tables();
  const auto rows = contents(tables_then);
  ASSERT_EQ(rows.size(), 19u);
  ASSERT_TRUE(migrate());
  EXPECT_EQ(contents(tables_then), rows);
}

TEST_P(MigrateOldRows, AreWorkedWithAsIfTheyWereNew) {
  make_version(5);
  ASSERT_TRUE(script(rows_of_version_1));
  ASSERT_TRUE(script(rows_of_version_5));
  ASSERT_TRUE(migrate());
  const auto told = value_of(own_.transact<std::vector<db::Transition>>(
      [](Session& session) { return db::dispatch_transitions(session, from_micros(100), 10); }));
  ASSERT_EQ(told.size(), 1u) << "the one that waited for its number";
  EXPECT_EQ(told[0].seq, 2);
  EXPECT_EQ(number("select count(*) from transitions where shadow or backfill"), 0);
  EXPECT_EQ(number("select received_at from raw_answers"), 33);
  const auto kept = value_of(own_.transact<db::KeptAnswers>(
      [](Session& session) { return db::count_kept_answers(session, "oca", std::nullopt); }));
  EXPECT_EQ(kept.not_whole, 1) << "nobody knows what it was asked about";
  const std::vector<db::PolledReport> reports{{2, {"0002", Report::Kind::events, {}}}};
  EXPECT_TRUE(own_.transact<std::vector<db::AppliedReport>>([&](Session& session) {
    return db::apply_reports(session, {.carrier = "oca", .reconcile = {}}, reports, from_micros(200));
  }));
  EXPECT_TRUE(own_.transact<db::Overview>([](Session& session) { return db::overview(session); }));
}

TEST_P(MigrateTest, AVersionThatIsMissingBelowTheNewestIsMadeUpFor) {
  ASSERT_TRUE(migrate());
  ASSERT_TRUE(script("drop table request_quotas; delete from schema_migrations where version = 5"));
  EXPECT_EQ(migrate(), db::migrations(GetParam()).back().version);
  EXPECT_TRUE(script("select * from request_quotas"));
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
