// What can go wrong at the database, by what the caller should do about it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace remitod::db {

struct DbError {
  enum class Kind : std::uint8_t {
    busy,        ///< locked, deadlock, serialization: try the same again
    connection,  ///< lost or never there: the session opens anew before the next work
    constraint,  ///< the data broke a rule of the schema: the same again fails again
    disk,        ///< full or failing
    bug,         ///< wrong SQL, wrong type: ours
  };
  Kind kind = Kind::bug;
  std::string sqlstate;  ///< PostgreSQL's five characters, or SQLite's code
  std::string message;
  bool retryable() const { return kind == Kind::busy || kind == Kind::connection || kind == Kind::disk; }
};
std::string_view name(DbError::Kind kind);

/// Of SQLite: there is no folder for the file, the file is no database or a damaged one, or it may not be opened or
/// written. retryable() all the same, since under a daemon that works it may pass (a disk that was taken away); who
/// only begins does better to say so.
bool is_unusable_file(const DbError& of_sqlite);

template <class T>
using DbResult = std::expected<T, DbError>;

}  // namespace remitod::db
