#include "db/session.h"

#include <fcntl.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "db/libpq.h"

namespace remitod::db {
namespace {

using Engine = DatabaseUrl::Engine;

/// Where SOCI reads a parameter from or writes a column to. It keeps the addresses, so a slot never moves.
struct Slot {
  bool is_text = false;
  long long integer = 0;
  std::string text;
  soci::indicator indicator = soci::i_ok;
};

bool is_text(const Parameter& parameter) {
  return std::holds_alternative<std::string_view>(parameter.value());
}
bool is_text(const Column& column) {
  return std::holds_alternative<std::string*>(column);
}

/// A statement that the database has parsed, with its slots bound once and for all.
struct Prepared {
  std::vector<Slot> parameters;
  std::vector<Slot> columns;
  soci::statement statement;

  Prepared(soci::session& session, std::string_view text, std::initializer_list<Parameter> given,
           std::initializer_list<Column> wanted)
      : parameters(given.size()), columns(wanted.size()), statement(session) {
    statement.alloc();
    for (std::size_t i = 0; i < given.size(); ++i) bind(parameters[i], given.begin()[i]);
    for (std::size_t i = 0; i < wanted.size(); ++i) define(columns[i], wanted.begin()[i]);
    statement.prepare(std::string(text));
    statement.define_and_bind();
  }

  void set_parameters(std::initializer_list<Parameter> given) {
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Parameter::Value& value = given.begin()[i].value();
      Slot& slot = parameters[i];
      slot.indicator = std::holds_alternative<Parameter::absent_integer>(value) ? soci::i_null : soci::i_ok;
      if (const auto* integer = std::get_if<std::int64_t>(&value)) slot.integer = *integer;
      if (const auto* text = std::get_if<std::string_view>(&value)) slot.text = *text;
    }
  }

  /// The same text is always used in the same way: anything else is a mistake in a store.
  bool fits(std::initializer_list<Parameter> given, std::initializer_list<Column> wanted) const {
    if (given.size() != parameters.size() || wanted.size() != columns.size()) return false;
    for (std::size_t i = 0; i < given.size(); ++i)
      if (is_text(given.begin()[i]) != parameters[i].is_text) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (is_text(wanted.begin()[i]) != columns[i].is_text) return false;
    return true;
  }

 private:
  void bind(Slot& slot, const Parameter& parameter) {
    slot.is_text = is_text(parameter);
    const std::string name(parameter.name());
    if (slot.is_text)
      statement.exchange(soci::use(slot.text, slot.indicator, name));
    else
      statement.exchange(soci::use(slot.integer, slot.indicator, name));
  }
  void define(Slot& slot, const Column& column) {
    slot.is_text = is_text(column);
    if (slot.is_text)
      statement.exchange(soci::into(slot.text, slot.indicator));
    else
      statement.exchange(soci::into(slot.integer, slot.indicator));
  }
};

/// Finds a std::string by a view of it.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

void fill(const Column& column, Slot& slot) {
  const bool absent = slot.indicator == soci::i_null;
  const auto integer = [&] {
    if (absent) throw soci::soci_error("a column that must not be null is null");
    return slot.integer;
  };
  std::visit(Overloaded{
                 [&](std::int64_t* to) { *to = integer(); },
                 [&](int* to) {
                   if (!std::in_range<int>(integer())) throw soci::soci_error("a column is out of range");
                   *to = static_cast<int>(slot.integer);
                 },
                 [&](bool* to) { *to = integer() != 0; },
                 [&](std::string* to) {
                   integer();
                   *to = std::move(slot.text);
                 },
                 [&](Instant* to) { *to = from_micros(integer()); },
                 [&](std::optional<std::int64_t>* to) {
                   *to = absent ? std::nullopt : std::optional<std::int64_t>(slot.integer);
                 },
                 [&](std::optional<Instant>* to) {
                   *to = absent ? std::nullopt : std::optional<Instant>(from_micros(slot.integer));
                 },
             },
             column);
}

// SOCI does not export the typeinfo that the sanitizer's check of these casts would want.
[[gnu::no_sanitize("vptr")]] PGconn* postgresql_connection(soci::session& session) {
  return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}
[[gnu::no_sanitize("vptr")]] sqlite_api::sqlite3* sqlite_connection(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

/// What SOCI says in place of a SQLSTATE where there was no answer at all.
constexpr const char* no_answer = "     ";

void run_raw(soci::session& session, Engine engine, const char* text) {
  if (engine == Engine::sqlite) {
    const int result = sqlite_api::sqlite3_exec(sqlite_connection(session), text, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK)
      throw soci::sqlite3_soci_error(sqlite_api::sqlite3_errmsg(sqlite_connection(session)), result);
    return;
  }
  PGconn* connection = postgresql_connection(session);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, text), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  throw soci::postgresql_soci_error(PQerrorMessage(connection), state ? state : no_answer);
}

/// SQLite makes its files 0644, and -wal and -shm like the file itself: a group that shares the database could never
/// write. Only a file that is not there yet is touched: closing any descriptor of an open database drops its locks.
void create_sqlite_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
  if (file >= 0) ::close(file);
}

void set_up_sqlite(soci::session& session, std::chrono::milliseconds busy_timeout) {
  sqlite_api::sqlite3_busy_timeout(sqlite_connection(session), static_cast<int>(busy_timeout.count()));
  run_raw(session, Engine::sqlite, "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;");
}

void set_up_postgresql(soci::session& session, std::chrono::milliseconds busy_timeout) {
  PQsetNoticeProcessor(postgresql_connection(session), [](void*, const char*) {}, nullptr);
  const std::string text = "set search_path to remitod; set lock_timeout to " + std::to_string(busy_timeout.count());
  run_raw(session, Engine::postgresql, text.c_str());
}

}  // namespace

struct Session::State {
  Engine engine = Engine::sqlite;
  soci::session connection;
  /// By text. Destroyed before the connection.
  std::unordered_map<std::string, std::unique_ptr<Prepared>, TextHash, std::equal_to<>> prepared;
  /// Statements that failed. PostgreSQL lets go of them only outside the failed transaction.
  std::vector<std::unique_ptr<Prepared>> failed;
  std::uint64_t statements = 0;
  bool broken = false;

  Prepared& prepare(const Sql& sql, std::initializer_list<Parameter> parameters,
                    std::initializer_list<Column> columns) {
    const std::string_view text = sql.text(engine);
    auto found = prepared.find(text);
    if (found == prepared.end())
      found = prepared.emplace(text, std::make_unique<Prepared>(connection, text, parameters, columns)).first;
    if (!found->second->fits(parameters, columns)) std::abort();
    found->second->set_parameters(parameters);
    return *found->second;
  }

  /// A statement that was left in the middle may hold locks or an error: it is not used again.
  void give_up(std::string_view text) {
    const auto found = prepared.find(text);
    if (found == prepared.end()) return;
    failed.push_back(std::move(found->second));
    prepared.erase(found);
  }

  static std::size_t fetch(Prepared& statement, std::initializer_list<Column> columns,
                           const std::function<void()>& each) {
    statement.statement.execute(false);
    std::size_t rows = 0;
    for (; statement.statement.fetch(); ++rows) {
      for (std::size_t i = 0; i < columns.size(); ++i) fill(columns.begin()[i], statement.columns[i]);
      each();
    }
    return rows;
  }
};

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

std::unique_ptr<Session> Session::open(const DatabaseUrl& url, std::chrono::milliseconds busy_timeout) {
  auto state = std::make_unique<State>();
  state->engine = url.engine;
  if (url.engine == Engine::sqlite) {
    create_sqlite_file(url.connect);
    state->connection.open(soci::sqlite3, "db=\"" + url.connect + "\"");
    set_up_sqlite(state->connection, busy_timeout);
  } else {
    state->connection.open(soci::postgresql, url.connect);
    set_up_postgresql(state->connection, busy_timeout);
  }
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

DatabaseUrl::Engine Session::engine() const {
  return state_->engine;
}

std::int64_t Session::execute(const Sql& sql, std::initializer_list<Parameter> parameters) {
  try {
    ++state_->statements;
    soci::statement& statement = state_->prepare(sql, parameters, {}).statement;
    statement.execute(true);
    return statement.get_affected_rows();
  } catch (...) {
    state_->give_up(sql.text(state_->engine));
    throw;
  }
}

std::size_t Session::query(const Sql& sql, std::initializer_list<Parameter> parameters,
                           std::initializer_list<Column> columns, const std::function<void()>& each) {
  try {
    ++state_->statements;
    return State::fetch(state_->prepare(sql, parameters, columns), columns, each);
  } catch (...) {
    state_->give_up(sql.text(state_->engine));
    throw;
  }
}

bool Session::query_row(const Sql& sql, std::initializer_list<Parameter> parameters,
                        std::initializer_list<Column> columns) {
  const std::size_t rows = query(sql, parameters, columns, [] {});
  if (rows > 1) throw soci::soci_error("a statement that gives at most one row gave several");
  return rows == 1;
}

std::size_t Session::stream(const Sql& sql, std::initializer_list<Column> columns, const std::function<void()>& each) {
  if (state_->engine == Engine::sqlite) return query(sql, {}, columns, each);
  run_script("declare stream_cursor no scroll cursor for " + std::string(sql.postgresql));
  Prepared part(state_->connection, "fetch 2000 from stream_cursor", {}, columns);
  std::size_t rows = 0;
  for (std::size_t more = 1; more > 0; rows += more) {
    ++state_->statements;
    more = State::fetch(part, columns, each);
  }
  run_script("close stream_cursor");
  return rows;
}

void Session::run_script(const std::string& text) {
  ++state_->statements;
  run_raw(state_->connection, state_->engine, text.c_str());
}

void Session::begin() {
  run_raw(state_->connection, state_->engine, state_->engine == Engine::sqlite ? "begin immediate" : "begin");
}

void Session::commit() {
  // PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK and calls that a success.
  if (state_->engine == Engine::postgresql &&
      PQtransactionStatus(postgresql_connection(state_->connection)) == PQTRANS_INERROR)
    throw soci::soci_error("a statement failed and its work went on");
  run_raw(state_->connection, state_->engine, "commit");
}

void Session::rollback() noexcept {
  try {
    // SQLite has rolled back by itself after some errors (a full disk, for one).
    if (state_->engine == Engine::postgresql ||
        sqlite_api::sqlite3_get_autocommit(sqlite_connection(state_->connection)) == 0)
      run_raw(state_->connection, state_->engine, "rollback");
    state_->failed.clear();
  } catch (const std::exception&) {
    state_->broken = true;
  }
}

std::uint64_t Session::statements() const {
  return state_->statements;
}

void Session::give_up() {
  state_->broken = true;
}

bool Session::usable() const {
  if (state_->broken) return false;
  if (state_->engine == Engine::sqlite) return true;
  return still_connected(postgresql_connection(state_->connection));
}

}  // namespace remitod::db
