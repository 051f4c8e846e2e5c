// A copy of a whole SQLite database while others write to it. (PostgreSQL has pg_dump: README.md of this folder.)
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

struct Backup {
  std::uint64_t bytes = 0;
  int schema_version = 0;
};

/// Copies the database as it is at one moment to `file`, whole or not at all: written beside it, checked, synced to the
/// disk and then renamed over whatever was there. Readable for its owner alone, since it holds personal data. Nobody is
/// held up meanwhile. The database is not created where there is none: Kind::connection. A copy that is not sound is
/// Kind::disk, and is left nowhere; is_unusable_file() says that the database itself is damaged. A `file` that is the
/// database or belongs to it: Kind::constraint. Blocking; any thread.
DbResult<Backup> back_up_sqlite(const DatabaseUrl& url, const std::filesystem::path& file,
                                std::chrono::seconds busy_timeout = std::chrono::seconds{30});

/// The command that does the same of a PostgreSQL database, without its password.
std::string pg_dump_command(const DatabaseUrl& url, const std::filesystem::path& file);

}  // namespace remitod::db
