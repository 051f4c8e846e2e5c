#include "daemon/database_start.h"

#include <string>
#include <utility>
#include <vector>

#include "daemon/asio_runtime.h"
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

}  // namespace

db::DbResult<Remembered> take_database(const Config& config, std::unique_ptr<db::InstanceLock>& lock) {
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

}  // namespace remitod::daemon
