// A real PostgreSQL for tests: one server per test process, in a temporary folder, reached through a Unix socket only.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/paths.h"

namespace remitod::test {

class Postgres {
 public:
  /// Started by the first call, stopped at exit (and by the kernel when the process dies). Throws std::runtime_error
  /// with the reason when it cannot be started: a test without its database has failed.
  static Postgres& server();

  /// The URL of an empty database (but for an empty schema `public`). Given back, it is emptied for the next test,
  /// which is much cheaper than a new one.
  std::string take_database();
  void give_back(const std::string& url);

  /// Stops the server and all who serve connections, as a machine that hangs: what is sent to it waits for go_on().
  void stand_still() const;
  void go_on() const;

  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

 private:
  Postgres();
  void start();
  std::string connect(const std::string& database) const;
  void execute(const std::string& database, const std::string& sql) const;
  void signal_all(int number) const;

  TemporaryFolder folder_;
  pid_t process_ = -1;
  int log_ = -1;  ///< the server writes here; kept open, or it would die of SIGPIPE
  int databases_ = 0;
  std::vector<std::string> idle_;  ///< URLs given back
};

}  // namespace remitod::test
