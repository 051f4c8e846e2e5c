#include "daemon/database_start.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "daemon/asio_runtime.h"
#include "daemon/config_places.h"
#include "daemon/log.h"
#include "daemon/service_notify.h"
#include "db/cancel_requests.h"
#include "db/session.h"
#include "db/sinks.h"
#include "db/stores.h"

namespace remitod::daemon {
namespace {

// Schema, what a crash cut off, what the last process knew. Before anything else runs.
db::DbResult<Remembered> prepare_database(const Config& config, Instant now) {
  auto own = db::OwnSession::open(config.database);
  if (!own) return std::unexpected(own.error());
  const auto version = [&own] {
    const StartTimeExtension extension;
    return own->transact<int>([](db::Session& session) { return db::migrate(session); });
  }();
  if (!version) return std::unexpected(version.error());
  const auto interrupted =
      own->transact<std::size_t>([now](db::Session& session) { return db::mark_interrupted_requests(session, now); });
  if (!interrupted) return std::unexpected(interrupted.error());
  if (*interrupted != 0)
    log(Level::warning, "remito_requests_interrupted", {{"requests", *interrupted}, {"state", "unknown"}});
  const auto cut_off =
      own->transact<std::size_t>([now](db::Session& session) { return db::mark_interrupted_cancels(session, now); });
  if (!cut_off) return std::unexpected(cut_off.error());
  std::vector<std::string> sinks;
  for (const SinkConfig& sink : config.sinks) sinks.push_back(sink.name);
  const auto begun =
      own->transact<std::size_t>([&sinks](db::Session& session) { return db::begin_sinks(session, sinks); });
  if (!begun) return std::unexpected(begun.error());
  auto remembered = own->transact<Remembered>([](db::Session& session) { return Remembered::load(session); });
  if (!remembered) return std::unexpected(remembered.error());
  log(Level::info, "database_ready", {{"schema_version", *version}});
  return remembered;
}

db::DbResult<Remembered> lock_and_prepare(const Config& config, std::unique_ptr<db::InstanceLock>& lock) {
  if (lock && !lock->still_held()) lock.reset();
  if (!lock) {
    auto acquired = db::InstanceLock::acquire(config.database);
    if (!acquired) return std::unexpected(acquired.error());
    lock = std::move(*acquired);
  }
  const AsioRuntime clock(config.time_scale, config.time_origin);
  auto remembered = prepare_database(config, clock.now());
  if (!remembered) lock.reset();
  return remembered;
}

bool is_unusable_sqlite(const db::DatabaseUrl& database, const db::DbError& error) {
  return database.engine == db::DatabaseUrl::Engine::sqlite && db::is_unusable_file(error);
}

}  // namespace

// SQLite and the system say neither.
db::DbError explained(const db::DatabaseUrl& database, db::DbError error) {
  if (database.engine != db::DatabaseUrl::Engine::sqlite) return error;
  const std::string& path = database.connect;
  if (!error.message.contains(path)) error.message = path + ": " + error.message;
  if (!is_unusable_sqlite(database, error)) return error;
  std::string hint = missing_folder(path);
  if (hint.empty())
    hint = "what is it, and whose? ls -ld " + std::filesystem::path(path).parent_path().string() + " " + path + "*";
  error.message += "; " + hint;
  return error;
}

db::DbResult<Remembered> take_database(const Config& config, std::unique_ptr<db::InstanceLock>& lock) {
  auto remembered = lock_and_prepare(config, lock);
  if (!remembered) return std::unexpected(explained(config.database, std::move(remembered.error())));
  return remembered;
}

bool wants_a_person(const db::DatabaseUrl& database, const db::DbError& error) {
  return !error.retryable() || is_unusable_sqlite(database, error);
}

}  // namespace remitod::daemon
