// The database locked, lost, or somebody else's: polling pauses, nothing is lost, work goes on afterwards.
#include <gmock/gmock.h>

#include "db/session.h"
#include "tests/e2e/database_trouble.h"
#include "tests/support/postgres.h"

namespace remitod::test {
namespace {

/// Holds SQLite's one write lock.
class SqliteLock {
 public:
  explicit SqliteLock(const Installation& installation)
      : own_(db::OwnSession::open(db::DatabaseUrl::parse(installation.database_url()).value()).value()) {}
  void take() { own_.session().run_script("begin exclusive"); }
  void release() { own_.session().run_script("rollback"); }

 private:
  db::OwnSession own_;
};

TEST_F(DatabaseTrouble, LockedDatabasePausesThePollingAndLosesNothing) {
  Installation installation({.time_scale = time_scale});
  start_following(installation);
  SqliteLock lock(installation);
  lock.take();
  show_all_delivered(installation);
  const std::size_t asked_before = carrier_.asked("NumeroEnvio");
  ASSERT_TRUE(eventually([&] { return degraded(installation); })) << installation.log();
  // Each is asked once more, and then waits for its commit; two may have been under way when the answers changed.
  EXPECT_LE(carrier_.asked("NumeroEnvio"), asked_before + shipments + 2);
  lock.release();
  expect_all_delivered_and_told_once(installation);
}

TEST_F(DatabaseTrouble, RemitoGrantedWhileTheDatabaseIsLockedIsNotLost) {
  Installation installation({.time_scale = quiet});
  installation.configure(installation.carrier("oca", carrier_.url(), asked_by_hand_only));
  installation.start();
  SqliteLock lock(installation);
  carrier_.answers("IngresoOR", [&] {
    lock.take();
    return ScriptedAnswer::ok(demo::soap_granted("R", "500", installation.now()), xml_headers);
  });
  installation.platform().ask_remito("K1", "1001");
  ASSERT_TRUE(eventually([&] { return !installation.log_lines({"remito_settlement_delayed"}).empty(); }))
      << installation.log();
  EXPECT_EQ(installation.platform().text("select state from remito_requests"), "sending");
  lock.release();
  ASSERT_TRUE(eventually([&] {
    return installation.platform().text("select state || ' ' || remito from remito_requests") == "granted 500";
  })) << installation.log();
  EXPECT_EQ(carrier_.asked("IngresoOR"), 1u) << "what was granted is not asked for again";
}

/// The server's own database, from which one shuts the daemon out of its.
class Doorkeeper {
 public:
  explicit Doorkeeper(const std::string& url)
      : database_(url.substr(url.rfind('=') + 1)), server_(url.substr(0, url.rfind('=') + 1) + "postgres") {}
  void hang_up() {
    server_.rows("select cast(pg_terminate_backend(pid) as text) from pg_stat_activity where datname = '" + database_ +
                 "'");
  }
  void shut() {
    server_.execute("alter database " + database_ + " allow_connections false");
    hang_up();
  }
  void open() { server_.execute("alter database " + database_ + " allow_connections true"); }

 private:
  std::string database_;
  Platform server_;
};

TEST_F(DatabaseTrouble, PostgresqlThatHangsUpAgainAndAgainLosesNothing) {
  const std::string url = Postgres::server().take_database();
  Installation installation({.database_url = url, .time_scale = time_scale});
  start_following(installation);
  Doorkeeper door(url);
  for (int i = 0; i < shipments; ++i) {
    door.hang_up();
    show(installation, i, demo::Step::delivered);
    // The next hang-up comes after the daemon has been back at work.
    const std::size_t asked = carrier_.asked("NumeroEnvio");
    ASSERT_TRUE(eventually([&] { return carrier_.asked("NumeroEnvio") > asked + 5; })) << installation.log();
  }
  installation.forget_connections();
  expect_all_delivered_and_told_once(installation);
}

TEST_F(DatabaseTrouble, PostgresqlThatIsAwayPausesThePollingAndLosesNothing) {
  const std::string url = Postgres::server().take_database();
  Installation installation({.database_url = url, .time_scale = time_scale});
  start_following(installation);
  Doorkeeper door(url);
  door.shut();
  show_all_delivered(installation);
  const std::size_t asked_before = carrier_.asked("NumeroEnvio");
  ASSERT_TRUE(eventually([&] { return degraded(installation) && !installation.log_lines({"commit_delayed"}).empty(); }))
      << installation.log();
  EXPECT_LE(carrier_.asked("NumeroEnvio"), asked_before + shipments + 2);
  door.open();
  installation.forget_connections();
  expect_all_delivered_and_told_once(installation);
}

TEST_F(DatabaseTrouble, SecondDaemonOnTheSameDatabaseWaitsAndTakesOverWhenTheFirstDies) {
  Installation first;
  first.configure(first.carrier("oca", carrier_.url()));
  first.start();
  Installation second({.database_url = first.database_url()});
  second.configure(second.carrier("oca", carrier_.url()));
  second.launch();
  ASSERT_TRUE(eventually([&] { return !second.log_lines({"database_not_ready", "kind=busy"}).empty(); }));
  EXPECT_FALSE(second.answers());
  first.kill();
  EXPECT_TRUE(eventually([&] { return second.answers(); })) << second.log();
}

TEST_F(DatabaseTrouble, SecondDaemonGivesUpWith75WhenTheFirstStays) {
  Installation first;
  first.configure(first.carrier("oca", carrier_.url()));
  first.start();
  Installation second({.database_url = first.database_url()});
  second.configure(second.carrier("oca", carrier_.url()));
  second.launch();
  EXPECT_EQ(second.daemon().wait(std::chrono::minutes{2}), 75) << second.log();
  EXPECT_TRUE(first.answers());
}

}  // namespace
}  // namespace remitod::test
