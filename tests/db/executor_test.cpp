#include "db/executor.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "tests/db/store_fixture.h"

namespace remitod::test {
namespace {

using db::DbError;
using db::DbResult;
using db::Executor;
using db::Session;

/// The deciding thread of a test: runs what was posted, here and now.
class Posted {
 public:
  Executor::Post post() {
    return [this](std::move_only_function<void()> handler) {
      const std::lock_guard lock(mutex_);
      handlers_.push_back(std::move(handler));
      arrived_.notify_all();
    };
  }
  void run_one() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !handlers_.empty(); });
    auto handler = std::move(handlers_.front());
    handlers_.pop_front();
    lock.unlock();
    handler();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> handlers_;
};

DbResult<std::int64_t> count_notes(Session& session) {
  std::int64_t count = 0;
  session.query_row("select count(*) from notes", {}, {&count});
  return count;
}

class ExecutorTest : public testing::TestWithParam<Engine> {
 protected:
  ExecutorTest() : database_(GetParam()), other_(open_own(database_.url())) {
    other([](Session& session) -> DbResult<std::int64_t> {
      if (session.engine() == Engine::postgresql) session.run_script("create schema remitod");
      session.run_script("create table notes (id integer primary key, text text not null)");
      return 0;
    });
    executor_ = Executor::threaded({.url = database_.url(), .threads = 1, .busy_timeout = std::chrono::seconds{1}},
                                   posted_.post());
  }

  /// Through the executor, waiting for its answer.
  DbResult<std::int64_t> run(db::Work<std::int64_t> work) {
    std::optional<DbResult<std::int64_t>> answer;
    executor_->run<std::int64_t>(std::move(work), [&](DbResult<std::int64_t> result) { answer = std::move(result); });
    while (!answer) posted_.run_one();
    return *answer;
  }
  DbResult<std::int64_t> script(std::string text) {
    return run([text = std::move(text)](Session& session) -> DbResult<std::int64_t> {
      session.run_script(text);
      return 0;
    });
  }
  DbError::Kind error_of(std::string text) {
    const DbResult<std::int64_t> result = script(std::move(text));
    if (result) throw std::runtime_error("an error was expected");
    return result.error().kind;
  }
  /// Through a connection of its own.
  std::int64_t other(db::Work<std::int64_t> work) { return value_of(other_.transact<std::int64_t>(std::move(work))); }

  FreshDatabase database_;
  db::OwnSession other_;
  Posted posted_;
  std::unique_ptr<Executor> executor_;
};
REMITOD_ON_BOTH_ENGINES(ExecutorTest);

TEST_P(ExecutorTest, ResultsAreHandedOverOnTheThreadThatRunsWhatIsPosted) {
  std::thread::id work_thread, answer_thread;
  std::optional<std::int64_t> answer;
  executor_->run<std::int64_t>(
      [&](Session&) -> DbResult<std::int64_t> {
        work_thread = std::this_thread::get_id();
        return 42;
      },
      [&](DbResult<std::int64_t> result) {
        answer_thread = std::this_thread::get_id();
        answer = *result;
      });
  posted_.run_one();
  EXPECT_EQ(answer, 42);
  EXPECT_NE(work_thread, std::this_thread::get_id());
  EXPECT_EQ(answer_thread, std::this_thread::get_id());
}

TEST_P(ExecutorTest, WorkThatReturnsAValueIsCommitted) {
  EXPECT_TRUE(script("insert into notes values (1, 'kept')"));
  EXPECT_EQ(other(count_notes), 1);
}

TEST_P(ExecutorTest, WorkThatReturnsAnErrorIsRolledBack) {
  const auto result = run([](Session& session) -> DbResult<std::int64_t> {
    session.run_script("insert into notes values (1, 'gone')");
    return std::unexpected(DbError{DbError::Kind::constraint, "", "changed my mind"});
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "changed my mind");
  EXPECT_EQ(other(count_notes), 0);
  EXPECT_TRUE(script("insert into notes values (1, 'the session goes on')"));
}

TEST_P(ExecutorTest, WorkThatThrowsIsRolledBack) {
  const auto result = run([](Session& session) -> DbResult<std::int64_t> {
    session.run_script("insert into notes values (1, 'gone')");
    throw std::runtime_error("not expected at all");
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, DbError::Kind::bug);
  EXPECT_EQ(result.error().message, "not expected at all");
  EXPECT_EQ(other(count_notes), 0);
}

TEST_P(ExecutorTest, WorkThatHidesAFailedStatementIsCommittedOnlyWhereTheRestOfItStands) {
  const auto result = run([](Session& session) -> DbResult<std::int64_t> {
    session.run_script("insert into notes values (1, 'before the mistake')");
    try {
      session.run_script("nonsense");
    } catch (const std::exception&) {
    }
    return 0;
  });
  // SQLite undoes the statement, PostgreSQL the transaction, though it then calls its COMMIT a success.
  const bool stands = GetParam() == Engine::sqlite;
  EXPECT_EQ(result.has_value(), stands);
  EXPECT_EQ(other(count_notes), stands ? 1 : 0);
}

TEST_P(ExecutorTest, ErrorsAreSortedByWhatToDoAboutThem) {
  EXPECT_EQ(error_of("select nonsense"), DbError::Kind::bug);
  EXPECT_EQ(error_of("insert into notes values (1, null)"), DbError::Kind::constraint);
  EXPECT_EQ(error_of("insert into notes values (2, 'a'), (2, 'b')"), DbError::Kind::constraint);
  EXPECT_TRUE(script("insert into notes values (1, 'the session goes on')"));
}

TEST_P(ExecutorTest, ALockedTableTimesOutAsBusy) {
  const auto locked = other_.transact<std::int64_t>([&](Session& session) -> DbResult<std::int64_t> {
    session.run_script("insert into notes values (1, 'not yet committed')");
    if (GetParam() == Engine::postgresql) session.run_script("lock table notes in access exclusive mode");
    EXPECT_EQ(error_of("insert into notes values (2, 'too early')"), DbError::Kind::busy);
    return 0;
  });
  EXPECT_TRUE(locked);
  EXPECT_TRUE(script("insert into notes values (2, 'now')"));
}

TEST_P(ExecutorTest, StatementsAreCountedAndTransactionsAreNot) {
  const std::uint64_t before = executor_->statements();
  EXPECT_TRUE(run([](Session&) -> DbResult<std::int64_t> { return 0; }));
  EXPECT_EQ(executor_->statements(), before);
  EXPECT_TRUE(run([](Session& session) {
    count_notes(session);
    return count_notes(session);
  }));
  EXPECT_EQ(executor_->statements(), before + 2);
}

TEST_P(ExecutorTest, TooMuchWaitingWorkIsRefusedAsBusyAtOnce) {
  std::mutex gate;
  std::unique_lock closed(gate);
  int answered = 0, refused = 0;
  const auto answer = [&](DbResult<std::int64_t> result) {
    ++answered;
    if (!result && result.error().kind == DbError::Kind::busy) ++refused;
  };
  constexpr int works = 1100;
  for (int i = 0; i < works; ++i)
    executor_->run<std::int64_t>(
        [&](Session&) -> DbResult<std::int64_t> {
          const std::lock_guard wait(gate);
          return 0;
        },
        answer);
  // One runs or is about to, 1024 wait.
  EXPECT_EQ(executor_->waiting(), 1024U);
  closed.unlock();
  while (answered < works) posted_.run_one();
  EXPECT_THAT(refused, testing::AnyOf(works - 1024, works - 1025));
}

TEST_P(ExecutorTest, ClosingFinishesWhatRunsAndAnswersWhatWaits) {
  std::mutex gate;
  std::unique_lock closed(gate);
  std::atomic<bool> running = false;
  std::vector<DbResult<std::int64_t>> answers;
  const auto answer = [&](DbResult<std::int64_t> result) { answers.push_back(std::move(result)); };
  executor_->run<std::int64_t>(
      [&](Session& session) -> DbResult<std::int64_t> {
        running = true;
        running.notify_all();
        const std::lock_guard wait(gate);
        session.run_script("insert into notes values (1, 'finished')");
        return 1;
      },
      answer);
  running.wait(false);
  executor_->run<std::int64_t>([](Session&) -> DbResult<std::int64_t> { return 2; }, answer);
  std::jthread closing([this] { executor_.reset(); });
  closed.unlock();
  posted_.run_one();
  posted_.run_one();
  closing.join();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0], 1);
  // Between the two the thread may have taken up the second as well.
  if (!answers[1]) {
    EXPECT_EQ(answers[1].error().kind, DbError::Kind::connection);
  }
  EXPECT_EQ(other(count_notes), 1);
}

TEST_P(ExecutorTest, InlineModeAnswersBeforeRunReturns) {
  const auto executor = Executor::inline_mode({.url = database_.url()});
  std::optional<std::int64_t> answer;
  executor->run<std::int64_t>(count_notes, [&](DbResult<std::int64_t> result) { answer = *result; });
  EXPECT_EQ(answer, 0);
  EXPECT_EQ(executor->statements(), 1U);
}

TEST(PostgresqlExecutor, ALostConnectionIsOpenedAnewForTheNextWork) {
  const FreshDatabase database(Engine::postgresql);
  const auto executor = Executor::inline_mode({.url = database.url()});
  const db::Work<std::int64_t> backend = [](Session& session) -> DbResult<std::int64_t> {
    std::int64_t process = 0;
    session.query_row("select pg_backend_pid()", {}, {&process});
    return process;
  };
  std::int64_t first = 0, second = 0;
  executor->run<std::int64_t>(backend, [&](DbResult<std::int64_t> result) { first = value_of(std::move(result)); });

  db::OwnSession other = open_own(database.url());
  value_of(other.transact<bool>([&](Session& session) -> DbResult<bool> {
    bool terminated = false;
    // The second argument waits until the process is gone, so its farewell has been sent.
    session.query_row("select cast(pg_terminate_backend(cast(:process as integer), 5000) as integer)",
                      {{"process", first}}, {&terminated});
    EXPECT_TRUE(terminated);
    return terminated;
  }));
  executor->run<std::int64_t>(backend, [&](DbResult<std::int64_t> result) { second = value_of(std::move(result)); });
  EXPECT_NE(first, second);
}

TEST(PostgresqlExecutor, AConnectionLostInTheMiddleIsAConnectionErrorAndTheNextWorkSucceeds) {
  const FreshDatabase database(Engine::postgresql);
  const auto executor = Executor::inline_mode({.url = database.url()});
  DbError::Kind kind = DbError::Kind::bug;
  executor->run<std::int64_t>(
      [](Session& session) -> DbResult<std::int64_t> {
        session.run_script("select pg_terminate_backend(pg_backend_pid())");
        return 0;
      },
      [&](DbResult<std::int64_t> result) { kind = result.error().kind; });
  EXPECT_EQ(kind, DbError::Kind::connection);
  bool succeeded = false;
  executor->run<std::int64_t>([](Session&) -> DbResult<std::int64_t> { return 0; },
                              [&](DbResult<std::int64_t> result) { succeeded = result.has_value(); });
  EXPECT_TRUE(succeeded);
}

TEST(PostgresqlExecutor, AConnectionThatOnlyReadsAsThatOfAStandbyIsOpenedAnewForTheNextWork) {
  const FreshDatabase database(Engine::postgresql);
  const auto executor = Executor::inline_mode({.url = database.url()});
  const auto script = [&](const char* text) {
    std::optional<DbError> error;
    executor->run<std::int64_t>(
        [text](Session& session) -> DbResult<std::int64_t> {
          session.run_script(text);
          return 0;
        },
        [&](DbResult<std::int64_t> result) {
          if (!result) error = result.error();
        });
    return error;
  };
  EXPECT_FALSE(script("set session characteristics as transaction read only"));
  const std::optional<DbError> refused = script("create table public.notes (id integer)");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->kind, DbError::Kind::connection);
  EXPECT_FALSE(script("create table public.notes (id integer)"));
}

TEST(DatabaseThatIsNotThere, IsAConnectionOrADiskError) {
  for (const char* url : {"sqlite:/nowhere/at/all/remitod.db", "postgresql:host=/nowhere/at/all dbname=x"}) {
    const auto executor = Executor::inline_mode({.url = db::DatabaseUrl::parse(url).value()});
    std::optional<DbError> error;
    executor->run<std::int64_t>([](Session&) -> DbResult<std::int64_t> { return 0; },
                                [&](DbResult<std::int64_t> result) { error = result.error(); });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->retryable()) << url << ": " << name(error->kind);
    EXPECT_NE(error->message, "");
  }
}

}  // namespace
}  // namespace remitod::test
