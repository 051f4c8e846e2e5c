// The database of a virtual daemon: real SQL on an SQLite file of its own, run on the deciding thread, with trouble on
// demand.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "db/executor.h"
#include "db/session.h"
#include "tests/support/denied_commit.h"
#include "tests/support/paths.h"
#include "tests/support/virtual_runtime.h"

namespace remitod::test {

/// A migrated database in a temporary folder. It outlives the executors, as a real one outlives a daemon.
class VirtualDatabase {
 public:
  VirtualDatabase();
  db::Session& session() { return own_->session(); }

  /// As the platform would write it. Throws on an error.
  void sql(const std::string& script);
  std::int64_t number(const std::string& query);
  std::string text(const std::string& query);
  DeniedCommits& commits() { return *commits_; }

 private:
  TemporaryFolder folder_;
  std::optional<db::OwnSession> own_;
  std::optional<DeniedCommits> commits_;
};

/// Does each work when its turn comes and queues its result, as threads of its own would, but in one order always.
class VirtualExecutor final : public db::Executor {
 public:
  VirtualExecutor(VirtualRuntime& runtime, VirtualDatabase& database) : runtime_(runtime), database_(database) {}

  /// The next works fail with this, without reaching the database.
  void fail(int works, db::DbError::Kind kind);
  /// All works fail until stop_failing().
  void fail_always(db::DbError::Kind kind) { fail(-1, kind); }
  void stop_failing() { failures_left_ = 0; }
  /// How long a work takes.
  void set_latency(std::chrono::microseconds latency) { latency_ = latency; }

  std::uint64_t statements() const override { return database_.session().statements(); }
  std::size_t waiting() const override { return 0; }
  std::size_t works() const { return works_; }  ///< transactions asked for

 private:
  void enqueue(RawWork work) override;

  VirtualRuntime& runtime_;
  VirtualDatabase& database_;
  db::DbError error_;
  int failures_left_ = 0;  ///< negative: without end
  std::chrono::microseconds latency_{0};
  std::size_t works_ = 0;
};

}  // namespace remitod::test
