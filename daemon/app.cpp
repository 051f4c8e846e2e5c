#include "daemon/app.h"

#include <sysexits.h>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "carriers/curl_transport.h"
#include "daemon/asio_runtime.h"
#include "daemon/cancel_worker.h"
#include "daemon/carrier_access.h"
#include "daemon/control_handlers.h"
#include "daemon/control_server.h"
#include "daemon/control_socket.h"
#include "daemon/database_start.h"
#include "daemon/feed_poller.h"
#include "daemon/file_poller.h"
#include "daemon/free_memory.h"
#include "daemon/housekeeping.h"
#include "daemon/intake.h"
#include "daemon/lane_filling.h"
#include "daemon/log.h"
#include "daemon/missed_signals.h"
#include "daemon/outbox.h"
#include "daemon/poller.h"
#include "daemon/raw_keeper.h"
#include "daemon/reload.h"
#include "daemon/remito_worker.h"
#include "daemon/reread.h"
#include "daemon/resync.h"
#include "daemon/retention.h"
#include "daemon/service_notify.h"
#include "daemon/sink_installation.h"
#include "daemon/try_carrier.h"
#include "daemon/web_service.h"
#include "daemon/worker_pool.h"
#include "db/instance_lock.h"
#include "db/stores.h"

namespace remitod::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds drain_look{20};
// What was sent last is forgotten with the lanes: as much lies between two of them at a reload as between two processes
// (scheduler/limits.h).
constexpr milliseconds reload_pause{500};
constexpr seconds database_patience{60};
// A database that is locked or hangs does not keep the process from ending in its time, but for the work under way:
// what the last minute's checkpoints do not know is asked again. A reload waits, and feeds the watchdog meanwhile.
constexpr seconds checkpoint_patience{10};

// What is there before an App and after it.
struct Surroundings {
  db::InstanceLock& lock;
  ControlSocket& control_socket;
  MissedSignals& hangups;
  bool& last_reload_ok;
  MissedSignals stops{SIGTERM, SIGINT};
};

class App {
 public:
  App(const Loaded& loaded, Remembered remembered, Surroundings& around, RandomSource random)
      : config_(loaded.config),
        listen_token_(loaded.listen_token),
        around_(around),
        random_(std::move(random)),
        runtime_(config_.time_scale, config_.time_origin),
        executor_(db::Executor::threaded({config_.database, threads(config_), seconds{5}}, post())),
        raw_(runtime_, *executor_, std::uint64_t(config_.retention.raw_answers_mib) << 20),
        mapper_(runtime_),
        transport_(post()),
        poller_(runtime_, transport_, mapper_, *executor_, raw_,
                {[this] { outbox_.kick(); },
                 [this](std::span<const std::int64_t> shipment_ids) { resync_.answered(shipment_ids); }}),
        feed_poller_(runtime_, transport_, mapper_, *executor_, raw_, poller_, [this] { outbox_.kick(); }),
        file_work_(runtime_),
        file_poller_(runtime_, file_work_, *executor_, raw_, {[this] { outbox_.kick(); }}),
        sinks_(runtime_, *executor_, config_, loaded.sinks),
        outbox_(runtime_, *executor_, [this] { sinks_.sinks().kick(); }),
        worker_(
            runtime_, transport_, mapper_, *executor_, raw_,
            {[this](std::string_view carrier) { return poller_.spare_for_remitos(carrier); },
             [this](std::string_view carrier) { return poller_.orders_rest_until(carrier); },
             [this](std::string_view carrier, std::size_t requests) { poller_.reserve_requests(carrier, requests); },
             poller_.order_hooks(),
             [this](const db::OpenShipment& shipment) { poller_.add_shipment(shipment, Instant{}); },
             [this](std::string_view carrier, std::int64_t id) { poller_.remove(carrier, std::span{&id, 1}); },
             [this] {
               outbox_.kick();
               cancels_.request_settled();
             }}),
        cancels_(
            runtime_, transport_, mapper_, *executor_, raw_,
            {[this](std::string_view carrier) { return poller_.spare_for_cancels(carrier); },
             [this](std::string_view carrier) { return poller_.orders_rest_until(carrier); },
             [this](std::string_view carrier, std::size_t requests) { poller_.reserve_for_cancels(carrier, requests); },
             poller_.order_hooks(),
             [this](std::span<const db::ResyncScope> shipments) { poller_.mark_resync(shipments); },
             [this] { outbox_.kick(); }}),
        trials_(runtime_, transport_, mapper_,
                {[this](std::string_view carrier) { return poller_.spare_requests(carrier); },
                 [this](std::string_view carrier) { poller_.request_sent(carrier); },
                 [this](std::string_view carrier) { poller_.request_answered(carrier); }}),
        resync_(runtime_, *executor_, poller_),
        retention_(runtime_, *executor_, config_.retention, sinks_.sinks().names()),
        reread_(runtime_, mapper_, *executor_, [this] { outbox_.kick(); }),
        intake_(runtime_, *executor_,
                {[this](std::span<const db::OpenShipment> shipments) { poller_.add_shipments(shipments); },
                 [this](const db::ResyncRequest& request, std::vector<db::ResyncScope> scope) {
                   resync_.begin(request, std::move(scope));
                 },
                 [this] {
                   worker_.wake();
                   cancels_.wake();
                 }}),
        housekeeping_(runtime_, *executor_, poller_, [this] { outbox_.kick(); }),
        house_alarm_(runtime_.alarm([this] { keep_house(); })),
        watchdog_(runtime_.alarm([this] { feed_watchdog(); })),
        drain_(runtime_.alarm([this] { drain(); })),
        signals_(runtime_.context(), SIGTERM, SIGINT, SIGHUP),
        filling_(runtime_, *executor_, poller_, std::move(remembered), [this] { lanes_filled(); }) {
    for (const ReadyCarrier& carrier : loaded.carriers) {
      const std::shared_ptr<CarrierAccess> access = access_to(carrier.profile);
      raw_.add_carrier(access);
      trials_.add_carrier(access);
      reread_.add_carrier(carrier.profile, carrier.shadow);
      worker_.add_carrier(access, static_cast<std::size_t>(carrier.lane.concurrency));
      cancels_.add_carrier(access);
      if (const carriers::FileFeed* const feed = carriers::file_feed(*carrier.profile))
        file_poller_.add_carrier(carrier.profile, carriers::open_files(feed->site), carrier.shadow);
      if (carrier.profile->can_feed()) feed_poller_.add_carrier(access, carrier.shadow);
      poller_.add_carrier(access, carrier.lane, carrier.shadow);
    }
  }

  int run() {
    const ControlHandlers handlers({runtime_, *executor_, poller_, worker_, outbox_, resync_, intake_, trials_,
                                    sinks_.sinks(), reread_, engine(), runtime_.now(),
                                    [this] { return web_->trouble(); }, [this] { return feeds_trouble(); }});
    auto control = ControlServer::adopt(runtime_.context(), around_.control_socket.descriptor(), handlers);
    if (!control) {
      log(Level::error, "control_socket", {{"error", control.error()}});
      return EX_TEMPFAIL;  // no descriptor is left for it
    }
    control_ = std::move(*control);
    web_ = std::make_unique<WebService>(
        runtime_, *executor_, WebService::Settings{config_.listen, listen_token_, passed_listener("http")},
        WebService::Parts{handlers, poller_, [this] { return not_working(); }, [this] { return last_reload_; }});
    web_->start();
    filling_.start();
    intake_.start();
    feed_poller_.start();
    file_poller_.start();
    sinks_.sinks().start();
    retention_.start();
    outbox_.kick();
    watcher_ = db::Watcher::start(config_.database, [this] { runtime_.post([this] { intake_.wake(); }); });
    house_alarm_->set(runtime_.in(Housekeeping::interval));
    feed_watchdog();
    take_signals();
    if (around_.hangups.came()) runtime_.post([this] { reload(); });
    if (around_.stops.came()) runtime_.post([this] { stop(SIGTERM); });
    notify_ready(status_line());
    log(Level::info, "started",
        {{"version", REMITOD_VERSION}, {"carriers", poller_.carriers().size()}, {"engine", engine()}});
    runtime_.context().run();
    log(Level::info, "stopped", {});
    return exit_code_;
  }

  /// Nothing: the process ends. Otherwise run() returned to go on with this.
  std::optional<Loaded> next() { return std::exchange(next_, {}); }

 private:
  std::shared_ptr<CarrierAccess> access_to(const std::shared_ptr<const carriers::Profile>& profile) {
    const std::string& name = profile->name();
    return std::make_shared<CarrierAccess>(
        runtime_, transport_, profile,
        CarrierAccess::Hooks{[this, name] { poller_.request_sent(name, scheduler::Lane::Purpose::polls); },
                             [this, name] { poller_.request_answered(name); },
                             [this, name] { poller_.login_failed(name); }, random_});
  }
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
      if (lane.is_failing()) failing += " " + carrier.lane.config().carrier;
    }
    return "following " + std::to_string(shipments) + " shipment(s) at " + std::to_string(carriers.size()) +
           " carrier(s)" + (failing.empty() ? "" : ", failing:" + failing) +
           (web_->trouble() ? ", " + web_->trouble()->text : "");
  }

  std::vector<Trouble> feeds_trouble() const {
    std::vector<Trouble> found = file_poller_.trouble();
    std::ranges::move(feed_poller_.trouble(), std::back_inserter(found));
    return found;
  }

  std::vector<std::string> not_working() const {
    std::vector<std::string> reasons;
    if (stopping_) reasons.emplace_back("the daemon is stopping, or reading its configuration again");
    if (!filling_.done()) reasons.emplace_back("the open shipments are being loaded");
    return reasons;
  }

  void lanes_filled() {
    resync_.lanes_filled();
    housekeeping_.lanes_filled();
    notify_status(status_line());
  }

  void keep_house() {
    house_alarm_->set(runtime_.in(Housekeeping::interval));
    notify_status(status_line());
    if (!around_.lock.still_held()) {
      // With the connection the lock is gone, and another instance may have it: two pollers are worse than a restart.
      log(Level::error, "instance_lock_lost", {});
      exit_code_ = EX_TEMPFAIL;
      return stop(0);
    }
    housekeeping_.round();
    outbox_.kick();  // of a commit that nobody heard of its transitions may wait
    file_work_.run("memory", [] {
      give_back_free_memory();
      return Runtime::Task([] {});
    });
  }

  // Fed by the deciding loop itself: when it hangs, nobody feeds. A dead carrier or database is no hang.
  void feed_watchdog() {
    const auto interval = watchdog_interval();
    if (!interval) return;
    notify_watchdog();
    watchdog_->set(runtime_.in(*interval / 2));
  }

  void take_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        around_.hangups.came();  // until now; those after it are not missed
        reload();
      } else {
        stop(signal);
      }
      take_signals();
    });
  }

  // What is new is found right first; then this App ends as at a stop, and the next one begins in the same process. The
  // database and the control socket stay ours meanwhile. A reload during another one is about what comes after: the
  // configuration may have changed since.
  void reload() {
    if (stopping_ && !next_) return log(Level::warning, "reload_passed_over", {{"why", "the daemon is stopping"}});
    // systemd waits for the end of a reload that it was told of, or has asked for: each has one.
    notify_reloading("reading the configuration");
    auto loaded = load_again(config_);
    if (loaded)
      if (auto prepared = around_.control_socket.prepare(loaded->config); !prepared)
        loaded = std::unexpected(std::vector{std::move(prepared.error())});
    last_reload_.ok = around_.last_reload_ok = loaded.has_value();
    if (!loaded) {
      for (const ConfigError& error : loaded.error())
        log(Level::error, "reload_refused", {{"error", error.to_string()}});
      const std::string status = "the new configuration was refused (journal); " + status_line();
      return next_ ? notify_status(status) : notify_ready(status);
    }
    next_ = std::move(*loaded);
    log(Level::info, "reloading", {{"carriers", next_->carriers.size()}});
    notify_status("finishing what is under way");
    wind_up();
  }

  void stop(int signal) {
    if (stopping_ && !next_) return;
    next_.reset();
    log(Level::info, "stopping", {{"signal", signal}});
    notify_stopping("finishing what is under way");
    if (last_checkpoints_) end_->set(runtime_.in(checkpoints_saved_ ? seconds{0} : checkpoint_patience));
    wind_up();
  }

  // Finish what is under way, start nothing new; after the time allowed, leave. Whatever was cut off is safe: polls are
  // asked again, a create that was under way is `unknown`.
  void wind_up() {
    if (std::exchange(stopping_, true)) return;
    watcher_.reset();
    intake_.stop();
    poller_.stop();
    feed_poller_.stop();
    file_poller_.stop();
    worker_.stop();
    cancels_.stop();
    sinks_.sinks().stop();
    retention_.stop();
    reread_.stop();
    raw_.stop();
    drain_until_ = std::chrono::steady_clock::now() + config_.drain;
    drain();
  }

  void drain() {
    const bool idle = poller_.idle() && feed_poller_.idle() && file_poller_.idle() && worker_.idle() &&
                      cancels_.idle() && outbox_.idle() && intake_.idle() && sinks_.sinks().idle() &&
                      retention_.idle() && reread_.idle() && raw_.idle();
    if (!idle && std::chrono::steady_clock::now() < drain_until_) return drain_->set(runtime_.in(drain_look));
    if (!idle) log(Level::warning, "drain_cut_short", {});
    if (std::exchange(last_checkpoints_, true)) return;
    end_ = runtime_.alarm([this] { leave(); });
    if (!next_) end_->set(runtime_.in(checkpoint_patience));
    housekeeping_.save_checkpoints([this] {
      checkpoints_saved_ = true;
      end_->set(runtime_.in(next_ ? reload_pause : milliseconds{0}));
    });
  }

  void leave() {
    if (std::exchange(left_, true)) return;
    if (!next_) around_.control_socket.close();
    control_->take_leave([this] { web_->take_leave([this] { runtime_.context().stop(); }); });
  }

  const Config& config_;
  const std::string& listen_token_;
  Surroundings& around_;
  RandomSource random_;
  AsioRuntime runtime_;
  std::unique_ptr<db::Executor> executor_;
  RawKeeper raw_;
  WorkerPool mapper_;
  carriers::CurlTransport transport_;
  Poller poller_;
  FeedPoller feed_poller_;
  WorkerPool file_work_;  ///< folders, and what is in them, and other slow things that are nobody else's business
  FilePoller file_poller_;
  SinkInstallation sinks_;
  Outbox outbox_;
  RemitoWorker worker_;
  CancelWorker cancels_;
  CarrierTrials trials_;
  Resync resync_;
  Retention retention_;
  Reread reread_;
  Intake intake_;
  std::unique_ptr<db::Watcher> watcher_;
  Housekeeping housekeeping_;
  std::unique_ptr<Alarm> house_alarm_, watchdog_, drain_, end_;
  boost::asio::signal_set signals_;
  std::optional<Loaded> next_;
  LastReload last_reload_{around_.last_reload_ok, runtime_.now()};
  LaneFilling filling_;
  std::chrono::steady_clock::time_point drain_until_;
  bool stopping_ = false, last_checkpoints_ = false, checkpoints_saved_ = false, left_ = false;
  int exit_code_ = EX_OK;
  std::unique_ptr<ControlServer> control_;  ///< these two from run() on
  std::unique_ptr<WebService> web_;
};

// One App's life: its exit code, and what to go on with.
std::pair<int, std::optional<Loaded>> serve(const Loaded& loaded, Remembered remembered, Surroundings around,
                                            const RandomSource& random) {
  int exit_code = EX_OK;
  std::optional<Loaded> next;
  {
    App app(loaded, std::move(remembered), around, random);
    exit_code = app.run();
    next = app.next();
  }
  if (next && around.stops.came()) next.reset();  // of one that it heard of, there is none
  return {exit_code, std::move(next)};
}

}  // namespace

int run_daemon(Loaded loaded, const RandomSource& random) {
  keep_large_pieces_apart();
  std::signal(SIGPIPE, SIG_IGN);  // a command that reads no more is heard of by an error
  MissedSignals hangups{SIGHUP};
  std::unique_ptr<db::InstanceLock> lock;
  std::optional<ControlSocket> control_socket;
  auto deadline = std::chrono::steady_clock::now() + database_patience;
  bool has_worked = false, last_reload_ok = true;
  for (;;) {
    auto remembered = take_database(loaded.config, lock);
    if (remembered) {
      if (!control_socket) {
        auto opened = ControlSocket::open(loaded.config);
        if (!opened) {
          log(Level::error, "control_socket", {{"error", opened.error().to_string()}});
          return EX_CONFIG;
        }
        control_socket = std::move(*opened);
      }
      has_worked = true;
      auto [exit_code, next] =
          serve(loaded, std::move(*remembered), {*lock, *control_socket, hangups, last_reload_ok}, random);
      if (!next) return exit_code;
      control_socket->turn();
      loaded = std::move(*next);
      set_up_log(loaded.config.log_level);
      deadline = std::chrono::steady_clock::now() + database_patience;
      continue;
    }
    const db::DbError& error = remembered.error();
    if (has_worked ? !error.retryable() : wants_a_person(loaded.config.database, error)) {
      log(Level::error, "database_unusable", {{"kind", db::name(error.kind)}, {"error", error.message}});
      return EX_CONFIG;
    }
    log(Level::warning, "database_not_ready", {{"kind", db::name(error.kind)}, {"error", error.message}});
    if (std::chrono::steady_clock::now() >= deadline) return EX_TEMPFAIL;
    notify_watchdog();  // after a reload it is on
    std::this_thread::sleep_for(seconds{1});
  }
}

}  // namespace remitod::daemon
