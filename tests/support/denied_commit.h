// A commit that happens and is called a failure: what a connection that is lost with the COMMIT on its way does on a
// server, done to SQLite.
#pragma once

#include <sqlite3.h>

namespace remitod::test {

/// Of one connection, which outlives it.
class DeniedCommits {
 public:
  /// From now on the connections that this process opens are noticed. Sessions keep theirs to themselves.
  static void notice_connections();
  /// Takes the connection that was opened last.
  DeniedCommits();
  DeniedCommits(const DeniedCommits&) = delete;
  DeniedCommits& operator=(const DeniedCommits&) = delete;

  sqlite3* connection() const { return connection_; }
  /// So many commits that write something, the next ones, are told as errors of Kind::disk.
  void deny(int commits) { left_ = commits; }
  int denied() const { return denied_; }  ///< since the start

 private:
  static int committed(void* denied_commits, sqlite3* connection, const char* schema, int pages);

  sqlite3* connection_;
  int left_ = 0, denied_ = 0;
};

}  // namespace remitod::test
