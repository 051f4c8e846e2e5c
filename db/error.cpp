#include "db/error.h"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <charconv>

#include "db/session.h"

namespace remitod::db {
namespace {

DbError::Kind kind_of_sqlite(int code) {
  switch (code & 0xff) {  // the rest is SQLite's detail of the same error
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
      return DbError::Kind::busy;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return DbError::Kind::constraint;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
      return DbError::Kind::disk;
    default:
      return DbError::Kind::bug;
  }
}

/// https://www.postgresql.org/docs/15/errcodes-appendix.html: the first two characters are the class.
DbError::Kind kind_of_postgresql(std::string_view state) {
  struct Rule {
    std::string_view prefix;
    DbError::Kind kind;
  };
  static constexpr std::array rules{
      Rule{"40", DbError::Kind::busy},           // serialization failure, deadlock
      Rule{"55P03", DbError::Kind::busy},        // lock_timeout
      Rule{"57014", DbError::Kind::busy},        // cancelled by an administrator or a timeout
      Rule{"53300", DbError::Kind::connection},  // too many connections
      Rule{"53", DbError::Kind::disk},           // disk full, out of memory
      Rule{"58", DbError::Kind::disk},           // I/O error
      Rule{"08", DbError::Kind::connection},
      Rule{"57P", DbError::Kind::connection},    // shut down, crashed, starting up, terminated by an administrator
      Rule{"25006", DbError::Kind::connection},  // read-only: a standby took the address over
      Rule{"28", DbError::Kind::connection},     // not let in
      Rule{" ", DbError::Kind::connection},      // SOCI's words for "no answer at all"
      Rule{"22", DbError::Kind::constraint},     // a value that the column cannot hold
      Rule{"23", DbError::Kind::constraint},
  };
  for (const Rule& rule : rules)
    if (state.starts_with(rule.prefix)) return rule.kind;
  return DbError::Kind::bug;
}

}  // namespace

std::string_view name(DbError::Kind kind) {
  static constexpr std::array<std::string_view, 5> names{"busy", "connection", "constraint", "disk", "bug"};
  return names[static_cast<std::size_t>(kind)];
}

bool is_unusable_file(const DbError& of_sqlite) {
  int code = SQLITE_OK;
  const std::string& text = of_sqlite.sqlstate;
  std::from_chars(text.data(), text.data() + text.size(), code);
  switch (code & 0xff) {
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return true;
    default:
      return false;
  }
}

// get_error_message() rather than what(): the latter appends the statement with its parameters, which hold persons'
// data.
DbError to_error(const std::exception& exception) {
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&exception))
    return {kind_of_sqlite(sqlite->result()), std::to_string(sqlite->result()), sqlite->get_error_message()};
  if (const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&exception))
    return {kind_of_postgresql(postgresql->sqlstate()), postgresql->sqlstate(), postgresql->get_error_message()};
  if (const auto* other = dynamic_cast<const soci::soci_error*>(&exception))
    return {DbError::Kind::bug, "", other->get_error_message()};
  return {DbError::Kind::bug, "", exception.what()};
}

}  // namespace remitod::db
