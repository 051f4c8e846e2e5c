// A real PostgreSQL for tests: one server per test process, in a temporary folder, reached through a Unix socket only.
#pragma once

#include <sys/types.h>
#include <string>

#include "tests/support/paths.h"

namespace remitod::test {

class Postgres {
 public:
  /// Started by the first call, stopped at exit (and by the kernel when the process dies). Throws std::runtime_error
  /// with the reason when it cannot be started: a test without its database has failed.
  static Postgres& server();

  /// The URL of a new empty database.
  std::string create_database();

  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

 private:
  Postgres();
  void start();
  std::string connect(const std::string& database) const;

  TemporaryFolder folder_;
  pid_t process_ = -1;
  int log_ = -1;  ///< the server writes here; kept open, or it would die of SIGPIPE
  int databases_ = 0;
};

}  // namespace remitod::test
