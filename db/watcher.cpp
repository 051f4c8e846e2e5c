#include <libpq-fe.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <thread>

#include "db/executor.h"

namespace remitod::db {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds data_version_interval{50};
constexpr milliseconds connect_timeout{10'000};
constexpr milliseconds back_off_first{200};
constexpr milliseconds back_off_max{10'000};

/// Readable from the moment it is told to stop: what a waiting thread polls beside its own descriptor.
class StopSignal {
 public:
  StopSignal() : descriptor_(::eventfd(0, EFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~StopSignal() { ::close(descriptor_); }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  void set() { ::eventfd_write(descriptor_, 1); }

  enum class Woken : std::uint8_t { stop, ready, timeout };
  /// Waits for the stop, for `events` on `descriptor` (-1: none), or for the time to pass (negative: never).
  Woken wait(int descriptor, short events, milliseconds timeout) const {
    pollfd polled[2] = {{descriptor_, POLLIN, 0}, {descriptor, events, 0}};
    const int count = ::poll(polled, 2, static_cast<int>(timeout.count()));
    if (polled[0].revents != 0) return Woken::stop;
    return count > 0 ? Woken::ready : Woken::timeout;
  }

 private:
  int descriptor_;
};
using Woken = StopSignal::Woken;

/// Runs `watch_connection` on a thread again and again, with longer and longer pauses while it achieves nothing.
class ReconnectingWatcher : public Watcher {
 public:
  ReconnectingWatcher(DatabaseUrl url, std::function<void()> changed)
      : url_(std::move(url)), changed_(std::move(changed)) {}

 protected:
  enum class Ended : std::uint8_t { stopped, lost, never_connected };
  /// Connects, calls changed_ once (what happened meanwhile was missed), watches until the connection is lost.
  virtual Ended watch_connection() = 0;

  void start_thread() {
    thread_ = std::thread([this] {
      milliseconds pause = back_off_first;
      for (Ended ended = watch_connection(); ended != Ended::stopped; ended = watch_connection()) {
        pause = ended == Ended::lost ? back_off_first : std::min(pause * 2, back_off_max);
        if (stop_.wait(-1, 0, pause) == Woken::stop) return;
      }
    });
  }
  /// For the destructors of the classes below, whose watch_connection must outlive the thread.
  void stop_thread() {
    stop_.set();
    thread_.join();
  }

  const DatabaseUrl url_;
  const std::function<void()> changed_;
  StopSignal stop_;

 private:
  std::thread thread_;
};

class SqliteWatcher final : public ReconnectingWatcher {
 public:
  SqliteWatcher(DatabaseUrl url, std::function<void()> changed)
      : ReconnectingWatcher(std::move(url), std::move(changed)) {
    start_thread();
  }
  ~SqliteWatcher() override { stop_thread(); }

 private:
  Ended watch_connection() override {
    sqlite3* opened = nullptr;
    const int result = sqlite3_open_v2(url_.connect.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> connection(opened, &sqlite3_close);
    if (result != SQLITE_OK) return Ended::never_connected;
    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v2(opened, "pragma data_version", -1, &prepared, nullptr) != SQLITE_OK)
      return Ended::never_connected;
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(prepared, &sqlite3_finalize);

    std::optional<std::int64_t> seen = data_version(prepared);
    if (!seen) return Ended::never_connected;
    changed_();
    while (stop_.wait(-1, 0, data_version_interval) != Woken::stop) {
      const std::optional<std::int64_t> version = data_version(prepared);
      if (!version) return Ended::lost;
      if (version != seen) changed_();
      seen = version;
    }
    return Ended::stopped;
  }

  /// A number that changes when another connection, of any process, has committed something.
  static std::optional<std::int64_t> data_version(sqlite3_stmt* statement) {
    std::optional<std::int64_t> version;
    if (sqlite3_step(statement) == SQLITE_ROW) version = sqlite3_column_int64(statement, 0);
    if (sqlite3_reset(statement) != SQLITE_OK) return std::nullopt;
    return version;
  }
};

class PostgresqlWatcher final : public ReconnectingWatcher {
 public:
  PostgresqlWatcher(DatabaseUrl url, std::function<void()> changed)
      : ReconnectingWatcher(std::move(url), std::move(changed)) {
    start_thread();
  }
  ~PostgresqlWatcher() override { stop_thread(); }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  using Connection = std::unique_ptr<PGconn, Finish>;

  Ended watch_connection() override {
    const Connection connection(PQconnectStart(url_.connect.c_str()));
    if (const std::optional<Ended> ended = finish_connecting(connection.get())) return *ended;
    const std::unique_ptr<PGresult, decltype(&PQclear)> listening(PQexec(connection.get(), "listen remitod_wakeup"),
                                                                  &PQclear);
    if (PQresultStatus(listening.get()) != PGRES_COMMAND_OK) return Ended::never_connected;
    changed_();
    while (stop_.wait(PQsocket(connection.get()), POLLIN, milliseconds{-1}) != Woken::stop) {
      if (PQconsumeInput(connection.get()) == 0 || PQstatus(connection.get()) != CONNECTION_OK) return Ended::lost;
      bool notified = false;
      while (PGnotify* notification = PQnotifies(connection.get())) {
        notified = true;
        PQfreemem(notification);
      }
      if (notified) changed_();
    }
    return Ended::stopped;
  }

  /// Empty: connected. Not PQconnectdb, which cannot be told to stop.
  std::optional<Ended> finish_connecting(PGconn* connection) const {
    if (PQstatus(connection) == CONNECTION_BAD) return Ended::never_connected;
    for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
      if (next == PGRES_POLLING_FAILED) return Ended::never_connected;
      const Woken woken =
          stop_.wait(PQsocket(connection), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, connect_timeout);
      if (woken == Woken::stop) return Ended::stopped;
      if (woken == Woken::timeout) return Ended::never_connected;
      next = PQconnectPoll(connection);
    }
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<Watcher> Watcher::start(DatabaseUrl url, std::function<void()> changed) {
  if (url.engine == DatabaseUrl::Engine::sqlite)
    return std::make_unique<SqliteWatcher>(std::move(url), std::move(changed));
  return std::make_unique<PostgresqlWatcher>(std::move(url), std::move(changed));
}

}  // namespace remitod::db
