// One daemon per database: held as long as the object lives, and given back by the kernel or the server when the
// process dies, however it dies.
#pragma once

#include <memory>

#include "db/error.h"
#include "db/executor.h"

namespace remitod::db {

class InstanceLock {
 public:
  /// SQLite: flock on PATH.lock, beside the file that links lead to. PostgreSQL: an advisory lock of a connection of
  /// its own. Kind::busy when another instance holds it; Kind::connection or disk when it cannot be asked for
  /// (is_unusable_file() tells why).
  static DbResult<std::unique_ptr<InstanceLock>> acquire(const DatabaseUrl& url);
  virtual ~InstanceLock() = default;

  /// False when the server has hung up, and with the connection the lock is gone: another instance may have it, so stop
  /// writing and acquire anew. Sends nothing. Always true on SQLite.
  virtual bool still_held() = 0;
};

}  // namespace remitod::db
