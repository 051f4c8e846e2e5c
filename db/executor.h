// The database's own threads. Each has one session and runs one piece of work at a time; results come back to the
// deciding thread. SOCI's exceptions stop here. The simulation runs the same work inline.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "db/error.h"

namespace remitod::db {

/// "sqlite:PATH" or "postgresql://USER@HOST/DB" (any libpq URI or "postgresql:key=value ...").
struct DatabaseUrl {
  enum class Engine : std::uint8_t { sqlite, postgresql };
  Engine engine = Engine::sqlite;
  std::string connect;  ///< what the engine's driver wants
  static std::expected<DatabaseUrl, std::string> parse(std::string_view url);
};

/// One connection. Stores take it by reference; they alone know SQL.
class Session;

/// A piece of work: runs on a database thread, inside one transaction (BEGIN IMMEDIATE on SQLite), which is committed
/// when it returns a value and rolled back when it returns an error or throws. (std::function, because the
/// move_only_function of libstdc++ 12 wants Session complete.)
template <class T>
using Work = std::function<DbResult<T>(Session&)>;

class Executor {
 public:
  /// Posts to the deciding thread; an inline executor may call at once.
  using Post = std::function<void(std::move_only_function<void()>)>;

  struct Options {
    DatabaseUrl url;
    int threads = 1;  ///< SQLite has one writer: 1. PostgreSQL: 2 or more
    std::chrono::seconds busy_timeout{5};
  };
  static std::unique_ptr<Executor> threaded(Options options, Post post);
  static std::unique_ptr<Executor> inline_mode(Options options);

  virtual ~Executor() = default;  ///< finishes what runs, drops what waits; drops are answered with Kind::connection

  /// `then` runs on the deciding thread. At most `queue_max` (1024) works wait; more is answered Kind::busy at once
  /// (through post).
  template <class T>
  void run(Work<T> work, std::move_only_function<void(DbResult<T>)> then);

  /// SQL statements sent since the start (BEGIN and COMMIT not counted): "an unchanged poll costs none" is tested by
  /// it.
  virtual std::uint64_t statements() const = 0;
  virtual std::size_t waiting() const = 0;

 protected:
  using RawWork = std::move_only_function<std::move_only_function<void()>(Session*, const DbError*)>;
  virtual void enqueue(RawWork work) = 0;
  /// Runs `body` in a transaction; commit and rollback included.
  static DbResult<void> in_transaction(Session& session, std::move_only_function<DbResult<void>()> body);
};

/// For start-up, tests and tools: a session of one's own on the calling thread.
class OwnSession {
 public:
  static DbResult<OwnSession> open(const DatabaseUrl& url, std::chrono::seconds busy_timeout = std::chrono::seconds{5});
  OwnSession(OwnSession&&) noexcept;
  OwnSession& operator=(OwnSession&&) noexcept;
  ~OwnSession();
  Session& session();
  /// As the executor does it: transaction, exceptions to values.
  template <class T>
  DbResult<T> transact(Work<T> work);

 private:
  explicit OwnSession(std::unique_ptr<Session> session);
  DbResult<void> transact_void(std::move_only_function<DbResult<void>()> body);
  std::unique_ptr<Session> session_;
};

/// Tells that somebody else committed something: LISTEN/NOTIFY on PostgreSQL, PRAGMA data_version (every 50 ms, on a
/// connection that never writes) on SQLite. A hint only: the tables are the truth, sweep them after every call and now
/// and then. `changed` is called on the watcher's thread. Reconnects by itself.
class Watcher {
 public:
  static std::unique_ptr<Watcher> start(DatabaseUrl url, std::function<void()> changed);
  virtual ~Watcher() = default;
};

/// Brings the schema to the newest version: runs every numbered migration (db/migrations) that the database lacks, in
/// the order of their numbers; forward only. Returns the version reached. A database with a migration that this program
/// does not know is an error, not a guess.
DbResult<int> migrate(Session& session);

// --- templates ---

template <class T>
void Executor::run(Work<T> work, std::move_only_function<void(DbResult<T>)> then) {
  enqueue([work = std::move(work), then = std::move(then)](Session* session, const DbError* error) mutable {
    DbResult<T> result = std::unexpected(error ? *error : DbError{});
    if (session) {
      DbResult<void> outcome = in_transaction(*session, [&]() -> DbResult<void> {
        result = work(*session);
        if (!result) return std::unexpected(result.error());
        return {};
      });
      if (!outcome && result) result = std::unexpected(outcome.error());
      if (!outcome && !result) result = std::unexpected(outcome.error());
    }
    return std::move_only_function<void()>(
        [then = std::move(then), result = std::move(result)]() mutable { then(std::move(result)); });
  });
}

template <class T>
DbResult<T> OwnSession::transact(Work<T> work) {
  DbResult<T> result = std::unexpected(DbError{});
  DbResult<void> outcome = transact_void([&]() -> DbResult<void> {
    result = work(session());
    if (!result) return std::unexpected(result.error());
    return {};
  });
  if (!outcome) return std::unexpected(outcome.error());
  return result;
}

}  // namespace remitod::db
