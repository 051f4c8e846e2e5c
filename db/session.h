// One connection, for the stores: SQL text per engine, parameters by name, columns into variables. Private to this
// folder. SOCI stays in session.cpp; its exceptions pass through here and become values in executor.cpp.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "carriers/tracking.h"
#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

/// A statement in the words of each engine, or one text for both. Each text stays prepared as long as the session
/// lives, so a store has a fixed number of them. Parameters are written `:name`. SOCI sees one in every `:name`, so no
/// array slices; `::type` is left alone; E'' and $$ have no place here (see Session::run_script).
struct Sql {
  std::string_view sqlite;
  std::string_view postgresql;
  constexpr Sql(const char* both) : sqlite(both), postgresql(both) {}
  constexpr Sql(const char* for_sqlite, const char* for_postgresql) : sqlite(for_sqlite), postgresql(for_postgresql) {}
  std::string_view text(DatabaseUrl::Engine engine) const {
    return engine == DatabaseUrl::Engine::sqlite ? sqlite : postgresql;
  }
};

/// A value for one `:name` (which may occur several times). Only integers and text cross to the database, or their
/// absence: instants as microseconds since the epoch, booleans as 0 and 1 (for PostgreSQL write `:flag <> 0`), sets of
/// rows as one JSON text.
class Parameter {
 public:
  template <std::integral Integer>
  Parameter(std::string_view name, Integer value) : name_(name), value_(static_cast<std::int64_t>(value)) {}
  Parameter(std::string_view name, std::string_view text) : name_(name), value_(text) {}
  Parameter(std::string_view name, const char* text) : name_(name), value_(std::string_view(text)) {}
  Parameter(std::string_view name, const std::string& text) : name_(name), value_(std::string_view(text)) {}
  Parameter(std::string_view name, Instant instant) : name_(name), value_(to_micros(instant)) {}
  Parameter(std::string_view name, std::optional<Instant> instant) : name_(name), value_(absent_integer{}) {
    if (instant) value_ = to_micros(*instant);
  }

  struct absent_integer {};
  using Value = std::variant<absent_integer, std::int64_t, std::string_view>;
  std::string_view name() const { return name_; }
  const Value& value() const { return value_; }

 private:
  std::string_view name_;
  Value value_;
};

/// Where one column of a row goes. NULL needs a std::optional; elsewhere it is an error (Kind::bug), never a zero.
/// Booleans are selected as `cast(x as integer)`: the engines write them differently.
using Column = std::variant<std::int64_t*, int*, bool*, std::string*, Instant*, std::optional<std::int64_t>*,
                            std::optional<Instant>*>;

class Session {
 public:
  /// Opens and sets up the connection. Throws SOCI's errors.
  static std::unique_ptr<Session> open(const DatabaseUrl& url, std::chrono::milliseconds busy_timeout);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  DatabaseUrl::Engine engine() const;

  /// Sends a statement that gives no rows. Returns how many rows it changed.
  std::int64_t execute(const Sql& sql, std::initializer_list<Parameter> parameters = {});

  /// Sends a statement that gives rows (RETURNING included). For each of them `columns` are filled, in the order of the
  /// select list, then `each` is called, which leaves the session alone. Rows are not held in memory on SQLite;
  /// PostgreSQL's client holds all of them, so what can be huge goes through `stream`. Returns the number of rows.
  std::size_t query(const Sql& sql, std::initializer_list<Parameter> parameters, std::initializer_list<Column> columns,
                    const std::function<void()>& each);
  /// The same for at most one row: true when there was one.
  bool query_row(const Sql& sql, std::initializer_list<Parameter> parameters, std::initializer_list<Column> columns);

  /// A query without parameters of any size, with a bounded part of it in memory (a cursor on PostgreSQL).
  std::size_t stream(const Sql& sql, std::initializer_list<Column> columns, const std::function<void()>& each);

  /// Several statements separated by ';', sent as they are: migrations. Counted as one.
  void run_script(const std::string& text);

  void begin();  ///< BEGIN IMMEDIATE on SQLite: a transaction that would write later never fails for having read first
  void commit();
  void rollback() noexcept;

  /// Statements sent, BEGIN, COMMIT and what `open` sends not counted.
  std::uint64_t statements() const;

  /// False when it has to be opened anew: the server has hung up on us (as far as can be told without asking it), a
  /// transaction could not be rolled back, or it was given up.
  bool usable() const;
  void give_up();

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What an exception of SOCI means to the caller; any other is Kind::bug.
DbError to_error(const std::exception& exception);

/// Begin, `body`, commit; on an error or an exception roll back.
DbResult<void> transact(Session& session, std::move_only_function<DbResult<void>()> body);

/// Session::open with its exceptions made values: whatever keeps us out is Kind::connection, busy or disk, never a bug.
DbResult<std::unique_ptr<Session>> open_session(const DatabaseUrl& url, std::chrono::milliseconds busy_timeout);

}  // namespace remitod::db
