#include <gtest/gtest.h>

#include <semaphore>

#include "tests/db/store_fixture.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;

/// Counts the calls; waits for the next one, far longer than it takes, so that a missing one fails and does not hang.
class Calls {
 public:
  std::function<void()> callback() {
    return [this] { calls_.release(); };
  }
  bool next() { return calls_.try_acquire_for(30s); }

 private:
  std::counting_semaphore<1'000'000> calls_{0};
};

class WatcherTest : public StoreTest {
 protected:
  Calls calls_;
};
REMITOD_ON_BOTH_ENGINES(WatcherTest);

TEST_P(WatcherTest, NoticesWhatAnotherConnectionInserts) {
  const auto watcher = db::Watcher::start(url(), calls_.callback());
  ASSERT_TRUE(calls_.next()) << "tells once that it watches";
  sql("insert into shipments (order_number, carrier, remito) values ('1', 'oca', '1')");
  EXPECT_TRUE(calls_.next());
  sql("insert into remito_requests (request_key, order_number, carrier) values ('k', '1', 'oca')");
  EXPECT_TRUE(calls_.next());
  sql("insert into resync_requests (target) values ('all')");
  EXPECT_TRUE(calls_.next());
}

TEST_P(WatcherTest, StopsAtOnceWhileItWaits) {
  auto watcher = db::Watcher::start(url(), calls_.callback());
  ASSERT_TRUE(calls_.next());
  watcher.reset();
}

TEST(SqliteWatcher, WaitsForADatabaseThatIsNotThereYet) {
  const FreshDatabase database(Engine::sqlite);
  Calls calls;
  const auto watcher = db::Watcher::start(database.url(), calls.callback());
  db::OwnSession own = open_own(database.url());
  EXPECT_TRUE(calls.next());
}

TEST(PostgresqlWatcher, ConnectsAgainAndTellsSo) {
  const FreshDatabase database(Engine::postgresql);
  Calls calls;
  const auto watcher = db::Watcher::start(database.url(), calls.callback());
  ASSERT_TRUE(calls.next());
  db::OwnSession own = open_own(database.url());
  std::int64_t terminated = 0;
  own.session().query_row(
      "select count(*) filter (where pg_terminate_backend(pid, 5000)) from pg_stat_activity "
      "where datname = current_database() and pid <> pg_backend_pid()",
      {}, {&terminated});
  EXPECT_EQ(terminated, 1);
  EXPECT_TRUE(calls.next()) << "what was inserted meanwhile was missed, so it tells to look";
  own.session().run_script("notify remitod_wakeup");
  EXPECT_TRUE(calls.next());
}

TEST(PostgresqlWatcher, StopsWhileTheServerIsAway) {
  Calls calls;
  db::Watcher::start(db::DatabaseUrl::parse("postgresql:host=/nowhere/at/all").value(), calls.callback());
}

}  // namespace
}  // namespace remitod::test
