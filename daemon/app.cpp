#include "daemon/app.h"

#include <sysexits.h>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "carriers/curl_transport.h"
#include "daemon/asio_runtime.h"
#include "daemon/control_handlers.h"
#include "daemon/control_server.h"
#include "daemon/intake.h"
#include "daemon/log.h"
#include "daemon/outbox.h"
#include "daemon/poller.h"
#include "daemon/raw_keeper.h"
#include "daemon/remito_worker.h"
#include "daemon/resync.h"
#include "daemon/service_notify.h"
#include "daemon/worker_thread.h"
#include "db/instance_lock.h"
#include "db/stores.h"

namespace remitod::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds housekeeping_interval{60};
constexpr milliseconds drain_look{20};
constexpr seconds database_patience{60};
constexpr std::size_t finished_per_sweep = 5000;
constexpr std::size_t shipments_per_post = 4096;

// When each shipment was last asked, from the checkpoints: wanted only while the lanes are filled.
class LastAsked {
 public:
  void add(std::string_view carrier, std::string_view checkpoint) {
    if (auto asked = scheduler::Lane::restore(checkpoint))
      by_carrier_.emplace(carrier, std::move(*asked));
    else
      log(Level::warning, "checkpoint_unreadable", {{"carrier", carrier}});
  }
  Instant of(const db::OpenShipment& shipment) const {
    const auto carrier = by_carrier_.find(shipment.carrier);
    if (carrier == by_carrier_.end()) return {};
    const auto found =
        std::ranges::lower_bound(carrier->second, shipment.shipment_id, {}, &scheduler::Lane::Asked::shipment_id);
    return found != carrier->second.end() && found->shipment_id == shipment.shipment_id ? found->last_asked : Instant{};
  }

 private:
  std::map<std::string, std::vector<scheduler::Lane::Asked>, std::less<>> by_carrier_;
};

// Schema, what a crash cut off, what the last process knew. Before anything else runs.
db::DbResult<LastAsked> prepare_database(const Config& config, Instant now) {
  auto own = db::OwnSession::open(config.database);
  if (!own) return std::unexpected(own.error());
  const auto version = own->transact<int>([](db::Session& session) { return db::migrate(session); });
  if (!version) return std::unexpected(version.error());
  const auto interrupted =
      own->transact<std::size_t>([now](db::Session& session) { return db::mark_interrupted_requests(session, now); });
  if (!interrupted) return std::unexpected(interrupted.error());
  if (*interrupted != 0)
    log(Level::warning, "remito_requests_interrupted", {{"requests", *interrupted}, {"state", "unknown"}});
  const auto checkpoints = own->transact<std::vector<db::LaneCheckpoint>>(
      [](db::Session& session) { return db::load_lane_checkpoints(session); });
  if (!checkpoints) return std::unexpected(checkpoints.error());
  LastAsked last_asked;
  for (const db::LaneCheckpoint& checkpoint : *checkpoints) last_asked.add(checkpoint.carrier, checkpoint.asked);
  log(Level::info, "database_ready", {{"schema_version", *version}});
  return last_asked;
}

class App {
 public:
  App(const Config& config, std::vector<ReadyCarrier> carriers, LastAsked last_asked, db::InstanceLock& lock)
      : config_(config),
        lock_(lock),
        runtime_(config.time_scale, config.time_origin),
        executor_(db::Executor::threaded({config.database, threads(config), seconds{5}}, post())),
        raw_(runtime_, *executor_),
        mapper_(runtime_),
        transport_(post()),
        poller_(runtime_, transport_, mapper_, *executor_, raw_,
                {[this] { outbox_.kick(); },
                 [this](std::span<const std::int64_t> shipment_ids) { resync_.answered(shipment_ids); }}),
        outbox_(runtime_, *executor_),
        worker_(
            runtime_, transport_, mapper_, *executor_, raw_,
            {[this](std::string_view carrier) { return poller_.spare_requests(carrier); },
             [this](std::string_view carrier, std::size_t requests) { poller_.reserve_requests(carrier, requests); },
             [this](std::string_view carrier) { poller_.request_sent(carrier); },
             [this](std::string_view carrier) { poller_.request_answered(carrier); },
             [this](const db::OpenShipment& shipment) { poller_.add_shipment(shipment, Instant{}); },
             [this] { outbox_.kick(); }}),
        resync_(runtime_, *executor_, poller_),
        intake_(runtime_, *executor_,
                {[this](std::span<const db::OpenShipment> shipments) { poller_.add_shipments(shipments); },
                 [this](const db::ResyncRequest& request, std::vector<db::ResyncScope> scope) {
                   resync_.begin(request, std::move(scope));
                 },
                 [this] { worker_.wake(); }}),
        housekeeping_(runtime_.alarm([this] { keep_house(); })),
        watchdog_(runtime_.alarm([this] { feed_watchdog(); })),
        drain_(runtime_.alarm([this] { drain(); })),
        signals_(runtime_.context(), SIGTERM, SIGINT),
        last_asked_(std::move(last_asked)) {
    for (ReadyCarrier& carrier : carriers) {
      worker_.add_carrier(carrier.profile, static_cast<std::size_t>(carrier.lane.concurrency));
      poller_.add_carrier(std::move(carrier.profile), std::move(carrier.lane));
    }
  }

  int run() {
    auto control = ControlServer::listen(
        runtime_.context(), config_.control_socket,
        ControlHandlers({runtime_, *executor_, poller_, worker_, outbox_, resync_, intake_, engine(), runtime_.now()}));
    if (!control) {
      log(Level::error, "control_socket", {{"error", control.error()}});
      return EX_CONFIG;
    }
    load_shipments();
    intake_.start();
    outbox_.kick();
    watcher_ = db::Watcher::start(config_.database, [this] { runtime_.post([this] { intake_.wake(); }); });
    housekeeping_->set(runtime_.in(housekeeping_interval));
    feed_watchdog();
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (!error) stop(signal);
    });
    notify_ready(status_line());
    log(Level::info, "started",
        {{"version", REMITOD_VERSION}, {"carriers", poller_.carriers().size()}, {"engine", engine()}});
    runtime_.context().run();
    log(Level::info, "stopped", {});
    return exit_code_;
  }

 private:
  static int threads(const Config& config) { return config.database.engine == db::DatabaseUrl::Engine::sqlite ? 1 : 2; }
  std::function<void(std::move_only_function<void()>)> post() {
    return [this](std::move_only_function<void()> task) { runtime_.post(std::move(task)); };
  }
  std::string engine() const {
    return config_.database.engine == db::DatabaseUrl::Engine::sqlite ? "sqlite" : "postgresql";
  }

  // One line for `systemctl status`: what is followed, and which carriers fail.
  std::string status_line() const {
    std::size_t shipments = 0;
    std::string failing;
    const auto carriers = poller_.carriers();
    for (const Poller::CarrierView& carrier : carriers) {
      const scheduler::LaneStatus lane = carrier.lane.status(runtime_.now());
      shipments += lane.shipments;
      if (lane.breaker != scheduler::BreakerState::closed) failing += " " + carrier.lane.config().carrier;
    }
    return "following " + std::to_string(shipments) + " shipment(s) at " + std::to_string(carriers.size()) +
           " carrier(s)" + (failing.empty() ? "" : ", failing:" + failing);
  }

  // The lanes fill while the daemon already polls: nothing waits for the last row.
  void load_shipments() {
    executor_->run<std::size_t>(
        [this, now = runtime_.now()](db::Session& session) {
          std::vector<db::OpenShipment> chunk;
          const auto hand_over = [&] {
            runtime_.post([this, shipments = std::exchange(chunk, {})] {
              for (const db::OpenShipment& shipment : shipments)
                poller_.add_shipment(shipment, last_asked_.of(shipment));
            });
          };
          auto loaded = db::load_open_shipments(session, now, [&](const db::OpenShipment& shipment) {
            chunk.push_back(shipment);
            if (chunk.size() == shipments_per_post) hand_over();
          });
          if (!chunk.empty()) hand_over();
          return loaded;
        },
        [this](db::DbResult<std::size_t> loaded) {
          if (loaded) {
            last_asked_ = {};
            log(Level::info, "shipments_loaded", {{"shipments", *loaded}});
            notify_status(status_line());
          } else {
            // Shipments that are in their lane already are passed over by the next try.
            log(Level::error, "shipments_not_loaded", {{"error", loaded.error().message}});
            load_retry_ = runtime_.alarm([this] { load_shipments(); });
            load_retry_->set(runtime_.in(seconds{2}));
          }
        });
  }

  void keep_house() {
    housekeeping_->set(runtime_.in(housekeeping_interval));
    notify_status(status_line());
    if (!lock_.still_held()) {
      // With the connection the lock is gone, and another instance may have it: two pollers are worse than a restart.
      log(Level::error, "instance_lock_lost", {});
      exit_code_ = EX_TEMPFAIL;
      return stop(0);
    }
    const Instant now = runtime_.now();
    for (const Poller::CarrierView& carrier : poller_.carriers()) {
      save_checkpoint(carrier.lane, now, [] {});
      executor_->run<std::vector<std::int64_t>>(
          [rules = carrier.rules, now](db::Session& session) {
            return db::end_finished_shipments(session, rules, now, finished_per_sweep);
          },
          [this, name = carrier.lane.config().carrier](db::DbResult<std::vector<std::int64_t>> ended) {
            if (!ended || ended->empty()) return;
            poller_.remove(name, *ended);
            outbox_.kick();
          });
    }
  }

  void save_checkpoint(const scheduler::Lane& lane, Instant now, std::function<void()> then) {
    executor_->run<bool>(
        [carrier = lane.config().carrier, asked = lane.checkpoint(), now](db::Session& session) -> db::DbResult<bool> {
          if (auto saved = db::save_lane_checkpoint(session, carrier, asked, now); !saved)
            return std::unexpected(saved.error());
          return true;
        },
        [then = std::move(then)](const db::DbResult<bool>& saved) {
          if (!saved) log(Level::warning, "checkpoint_delayed", {{"error", saved.error().message}});
          then();
        });
  }

  // Fed by the deciding loop itself: when it hangs, nobody feeds. A dead carrier or database is no hang.
  void feed_watchdog() {
    const auto interval = watchdog_interval();
    if (!interval) return;
    notify_watchdog();
    watchdog_->set(runtime_.in(*interval / 2));
  }

  // Finish what is under way, start nothing new; after the time allowed, leave. Whatever was cut off is safe: polls are
  // asked again, a create that was under way is `unknown`.
  void stop(int signal) {
    if (stopping_) return;
    stopping_ = true;
    log(Level::info, "stopping", {{"signal", signal}});
    notify_stopping("finishing what is under way");
    watcher_.reset();
    intake_.stop();
    poller_.stop();
    worker_.stop();
    drain_until_ = std::chrono::steady_clock::now() + config_.drain;
    drain();
  }

  void drain() {
    const bool idle = poller_.idle() && worker_.idle() && outbox_.idle() && intake_.idle();
    if (!idle && std::chrono::steady_clock::now() < drain_until_) return drain_->set(runtime_.in(drain_look));
    if (!idle) log(Level::warning, "drain_cut_short", {});
    if (std::exchange(last_checkpoints_, true)) return;
    const auto views = poller_.carriers();
    checkpoints_left_ = views.size();
    if (views.empty()) return runtime_.context().stop();
    for (const Poller::CarrierView& carrier : views)
      save_checkpoint(carrier.lane, runtime_.now(), [this] {
        if (--checkpoints_left_ == 0) runtime_.context().stop();
      });
  }

  const Config& config_;
  db::InstanceLock& lock_;
  AsioRuntime runtime_;
  std::unique_ptr<db::Executor> executor_;
  RawKeeper raw_;
  WorkerThread mapper_;
  carriers::CurlTransport transport_;
  Poller poller_;
  Outbox outbox_;
  RemitoWorker worker_;
  Resync resync_;
  Intake intake_;
  std::unique_ptr<db::Watcher> watcher_;
  std::unique_ptr<Alarm> housekeeping_, watchdog_, drain_, load_retry_;
  boost::asio::signal_set signals_;
  LastAsked last_asked_;
  std::chrono::steady_clock::time_point drain_until_;
  std::size_t checkpoints_left_ = 0;
  bool stopping_ = false, last_checkpoints_ = false;
  int exit_code_ = EX_OK;
};

}  // namespace

int run_daemon(const Config& config, std::vector<ReadyCarrier> carriers) {
  const auto deadline = std::chrono::steady_clock::now() + database_patience;
  for (;;) {
    db::DbError error;
    if (auto lock = db::InstanceLock::acquire(config.database)) {
      const AsioRuntime clock(config.time_scale, config.time_origin);
      if (auto last_asked = prepare_database(config, clock.now()))
        return App(config, std::move(carriers), std::move(*last_asked), **lock).run();
      else
        error = last_asked.error();
    } else {
      error = lock.error();
    }
    if (!error.retryable()) {
      log(Level::error, "database_unusable", {{"kind", db::name(error.kind)}, {"error", error.message}});
      return EX_CONFIG;
    }
    log(Level::warning, "database_not_ready", {{"kind", db::name(error.kind)}, {"error", error.message}});
    if (std::chrono::steady_clock::now() >= deadline) return EX_TEMPFAIL;
    std::this_thread::sleep_for(seconds{1});
  }
}

}  // namespace remitod::daemon
