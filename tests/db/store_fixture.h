// A suite that runs on both engines: a fresh, migrated database and a session on it for every test.
//
//   class Shipments : public StoreTest {};
//   REMITOD_ON_BOTH_ENGINES(Shipments);
//   TEST_P(Shipments, AreAcceptedOnce) { ... }
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "db/executor.h"
#include "db/session.h"
#include "db/stores.h"
#include "tests/support/paths.h"
#include "tests/support/postgres.h"

namespace remitod::test {

using Engine = db::DatabaseUrl::Engine;

/// A database of one's own, without any table yet.
class FreshDatabase {
 public:
  explicit FreshDatabase(Engine engine)
      : text_(engine == Engine::sqlite ? "sqlite:" + (folder_.path() / "remitod.db").string()
                                       : Postgres::server().take_database()),
        url_(db::DatabaseUrl::parse(text_).value()) {}
  ~FreshDatabase() {
    if (url_.engine == Engine::postgresql) Postgres::server().give_back(text_);
  }
  FreshDatabase(const FreshDatabase&) = delete;
  FreshDatabase& operator=(const FreshDatabase&) = delete;
  const db::DatabaseUrl& url() const { return url_; }

 private:
  TemporaryFolder folder_;
  std::string text_;
  db::DatabaseUrl url_;
};

inline db::OwnSession open_own(const db::DatabaseUrl& url,
                               std::chrono::seconds busy_timeout = std::chrono::seconds{5}) {
  db::DbResult<db::OwnSession> opened = db::OwnSession::open(url, busy_timeout);
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

/// The value, or a failed test with the database's words.
template <class T>
T value_of(db::DbResult<T> result) {
  if (!result) throw std::runtime_error(std::string(db::name(result.error().kind)) + ": " + result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class StoreTest : public testing::TestWithParam<Engine> {
 protected:
  StoreTest() : database_(GetParam()), own_(open_own(database_.url())) {
    run<int>([](db::Session& session) { return db::migrate(session); });
  }

  Engine engine() const { return GetParam(); }
  const db::DatabaseUrl& url() const { return database_.url(); }
  db::Session& session() { return own_.session(); }
  /// A second connection, as another program has one.
  db::OwnSession another() const { return open_own(url()); }

  /// In a transaction of its own; an error fails the test.
  template <class T>
  T run(db::Work<T> work) {
    return value_of(own_.transact<T>(std::move(work)));
  }
  /// The same where an error is what is looked for.
  template <class T>
  db::DbResult<T> try_run(db::Work<T> work) {
    return own_.transact<T>(std::move(work));
  }
  /// As the platform would write it, in a transaction of its own. Throws on an error.
  void sql(const std::string& text) {
    run<void>([&](db::Session& at) -> db::DbResult<void> {
      at.run_script(text);
      return {};
    });
  }
  /// The one integer, or text, that a query gives.
  std::int64_t number(const char* query) {
    std::int64_t result = 0;
    if (!session().query_row(query, {}, {&result})) throw std::runtime_error("no row");
    return result;
  }
  std::string text(const char* query) {
    std::string result;
    if (!session().query_row(query, {}, {&result})) throw std::runtime_error("no row");
    return result;
  }

 private:
  FreshDatabase database_;
  db::OwnSession own_;
};

inline std::string engine_name(const testing::TestParamInfo<Engine>& info) {
  return info.param == Engine::sqlite ? "sqlite" : "postgresql";
}

#define REMITOD_ON_BOTH_ENGINES(suite)                                                                            \
  INSTANTIATE_TEST_SUITE_P(Engines, suite,                                                                        \
                           testing::Values(::remitod::test::Engine::sqlite, ::remitod::test::Engine::postgresql), \
                           ::remitod::test::engine_name)

}  // namespace remitod::test
