// The database of a simulation: real SQL on an SQLite file in memory, and the troubles that one can have with it.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "db/executor.h"
#include "db/session.h"
#include "tests/sim/dice.h"
#include "tests/sim/fault_plan.h"
#include "tests/support/denied_commit.h"
#include "tests/support/virtual_runtime.h"

namespace remitod::sim {

/// The file, and a session for those who stand outside of the daemon: the platform and the checks. Outlives the
/// daemons.
class Database {
 public:
  Database();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  db::Session& session() { return *own_; }
  /// As the platform would write it. Throws on an error.
  void sql(const std::string& script);
  const db::DatabaseUrl& url() const { return url_; }

 private:
  std::filesystem::path folder_;
  db::DatabaseUrl url_;
  std::unique_ptr<db::Session> own_;
};

/// One thread's worth of database for one daemon: works are done in their order, each within one turn.
class SimExecutor final : public db::Executor {
 public:
  struct Hooks {
    /// A transaction that wrote something was committed; `transitions`: also into those.
    std::function<void(bool transitions)> written;
    std::function<void(std::string_view)> trouble;  ///< a work is answered with this instead of its result
  };
  SimExecutor(test::VirtualRuntime& runtime, Database& database, const HostFaults& faults, Dice dice, Hooks hooks);

  enum class Condition : std::uint8_t {
    well,
    refusing,  ///< every work fails: no connection
    frozen,    ///< works wait
  };
  void set_condition(Condition condition);
  void set_disk_full(bool full);
  void end_faults();
  db::Session& session() { return *session_; }

  std::uint64_t statements() const override { return session_->statements(); }
  std::size_t waiting() const override { return queue_.size(); }

 private:
  void enqueue(RawWork work) override;
  void begin_next();
  void perform_next();
  std::move_only_function<void()> perform(RawWork& work);
  std::move_only_function<void()> perform_locked_out(RawWork& work);
  void open();
  void use_pages(const char* at_most) const;

  test::VirtualRuntime& runtime_;
  Database& database_;
  const HostFaults& faults_;
  Dice dice_;
  Hooks hooks_;
  std::unique_ptr<db::Session> session_;
  std::optional<test::DeniedCommits> commits_;  ///< of session_
  std::deque<RawWork> queue_;
  Condition condition_ = Condition::well;
  bool running_ = false, calm_ = false, disk_full_ = false;
  bool wrote_transitions_ = false;
};

}  // namespace remitod::sim
