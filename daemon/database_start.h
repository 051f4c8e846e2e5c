// What the daemon does with its database before anything else runs: the lock, the schema, what a crash cut off, and
// what the last process knew.
#pragma once

#include <memory>

#include "daemon/checkpoints.h"
#include "daemon/config.h"
#include "db/instance_lock.h"

namespace remitod::daemon {

/// The lock, where it is not held yet, and then the database behind it. A failure gives the lock back; of an SQLite
/// database it names the file.
db::DbResult<Remembered> take_database(const Config& config, std::unique_ptr<db::InstanceLock>& lock);

/// Of an SQLite database the error says of which file it speaks and, where a person has to look, at what.
db::DbError explained(const db::DatabaseUrl& database, db::DbError error);

/// What does not pass while one waits, at the first start of a process: a person has to mend it. A PostgreSQL may still
/// come up.
bool wants_a_person(const db::DatabaseUrl& database, const db::DbError& error);

}  // namespace remitod::daemon
