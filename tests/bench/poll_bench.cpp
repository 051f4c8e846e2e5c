// Polls per CPU-second through the whole path of the daemon: lane, request, libcurl, fingerprints, mapping,
// reconciling, commit. Prints one JSON line. tests/bench/run starts the carrier, runs this beside the bare libcurl
// loop, and prints the table.

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "carriers/curl_transport.h"
#include "daemon/asio_runtime.h"
#include "daemon/log.h"
#include "daemon/poller.h"
#include "daemon/worker_pool.h"
#include "db/session.h"
#include "db/stores.h"

namespace {

using namespace remitod;
using namespace remitod::daemon;
namespace beast = boost::beast;
namespace http = boost::beast::http;

struct Options {
  unsigned short port = 18080;
  std::string profile;
  std::string database;
  std::size_t shipments = 20'000;
  double seconds = 5;
  bool step = false;   ///< the carrier's shipments move on after every pass
  bool clock = false;  ///< every answer differs in its envelope ...
  bool stated = true;  ///< ... and the profile says where
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::string ask_farm(unsigned short port, const std::string& target) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket(context);
  socket.connect({boost::asio::ip::address_v4::loopback(), port});
  http::request<http::empty_body> request(http::verb::get, target, 11);
  request.set(http::field::host, "farm");
  http::write(socket, request);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(1u << 30);
  http::read(socket, buffer, parser);
  return parser.get().body();
}

// The farm's answers hold no clock. This puts one in after the transfer, as a comment in XML and a member in JSON, so
// that the bytes differ each time and what is read from them does not. Compares answers as the transport would have.
class ClockInEnvelope final : public carriers::HttpTransport {
 public:
  ClockInEnvelope(carriers::HttpTransport& real, bool stated) : real_(real), stated_(stated) {}
  void submit(carriers::HttpRequest request, Done done) override {
    carriers::KnownBody known = std::exchange(request.known, {});
    if (!stated_) known.volatile_spans = nullptr;
    real_.submit(std::move(request),
                 [this, known = std::move(known), done = std::move(done)](carriers::FetchResult result) mutable {
                   if (result) {
                     const std::string now = std::to_string(++ticks_);
                     const bool xml = result->body.starts_with("<?xml");
                     result->body.insert(xml ? result->body.find("?>") + 2 : 1,
                                         xml ? "<!--" + now + "-->" : "\"now\":\"" + now + "\",");
                     carriers::compare(result->body, known, *result);
                   }
                   done(std::move(result));
                 });
  }

 private:
  carriers::HttpTransport& real_;
  bool stated_;
  std::uint64_t ticks_ = 0;
};

void insert_shipments(db::OwnSession& own, std::size_t count) {
  const auto inserted = own.transact<bool>([count](db::Session& session) -> db::DbResult<bool> {
    session.execute(
        {"with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < :count) "
         "insert into shipments (order_number, carrier, remito) select 'O' || i, 'farm', printf('SHP%08d', i) from n",
         "insert into shipments (order_number, carrier, remito) "
         "select 'O' || i, 'farm', 'SHP' || lpad(i::text, 8, '0') from generate_series(0, :count - 1) i"},
        {{"count", count}});
    return true;
  });
  if (!inserted) throw std::runtime_error(inserted.error().message);
}

// How many shipments' codes are not the carrier's.
std::size_t wrong_rows(db::OwnSession& own, const Options& options) {
  const std::map<std::string, std::string> meaning{
      {"10", "registered"},       {"20", "picked_up"},      {"30", "in_transit"}, {"40", "in_transit"},
      {"50", "out_for_delivery"}, {"60", "attempt_failed"}, {"70", "delivered"}};
  const auto truth = nlohmann::json::parse(
      ask_farm(options.port, "/farm/truth?from=0&to=" + std::to_string(options.shipments) + "&prefix=SHP&width=8"));
  std::size_t wrong = 0;
  const auto read = own.transact<bool>([&](db::Session& session) -> db::DbResult<bool> {
    std::string remito, status;
    std::size_t rows = 0;
    session.query("select remito, status from shipments", {}, {&remito, &status}, [&] {
      ++rows;
      wrong += meaning.at(truth.at(remito).get<std::string>()) != status ? 1 : 0;
    });
    wrong += options.shipments - rows;
    return true;
  });
  if (!read) throw std::runtime_error(read.error().message);
  return wrong;
}

class Bench {
 public:
  Bench(const Options& options, const db::DatabaseUrl& url, std::shared_ptr<const carriers::Profile> profile)
      : options_(options),
        executor_(db::Executor::threaded(
            {url, url.engine == db::DatabaseUrl::Engine::sqlite ? 1 : 2, std::chrono::seconds{5}}, post())),
        raw_(runtime_, *executor_),
        mapper_(runtime_),
        real_transport_(post()),
        clock_transport_(real_transport_, options.stated),
        transport_(options.clock ? static_cast<carriers::HttpTransport&>(clock_transport_) : real_transport_),
        poller_(runtime_, transport_, mapper_, *executor_, raw_, {[] {}, [](std::span<const std::int64_t>) {}}),
        look_(runtime_.alarm([this] { look(); })) {
    scheduler::LaneConfig lane;
    lane.carrier = "farm";
    lane.interval = std::chrono::seconds{1};  // shorter than a pass takes: there is always somebody due
    lane.requests_per_second = 1e6;
    lane.concurrency = 128;
    const CarrierAccess::Hooks no_logins{[] {}, [] {}, [] {}, [] { return carriers::Random{}; }};
    poller_.add_carrier(std::make_shared<CarrierAccess>(runtime_, transport_, std::move(profile), no_logins), lane);
  }

  void run(std::span<const db::OpenShipment> shipments) {
    poller_.add_shipments(shipments);
    look_->set(runtime_.in(std::chrono::milliseconds{1}));
    runtime_.context().run();
  }

  std::uint64_t polls = 0, transitions = 0, statements = 0;
  double cpu = 0, wall = 0;

 private:
  std::function<void(std::move_only_function<void()>)> post() {
    return [this](std::move_only_function<void()> task) { runtime_.post(std::move(task)); };
  }
  const PollCounters& counters() { return poller_.carriers().front().counters; }

  // Passes to warm up, then passes for the time stated, then two without a step, so that what changed last is seen.
  void look() {
    look_->set(runtime_.in(std::chrono::milliseconds{2}));
    const std::uint64_t passes = counters().polls / options_.shipments;
    if (passes == passes_) return;
    const auto now = std::chrono::steady_clock::now();
    if (passes_ == 0) first_pass_ended_ = now;
    passes_ = passes;
    if (phase_ == Phase::warm && passes >= 2 && now > first_pass_ended_ + raw_answers_kept) {
      phase_ = Phase::measured;
      begin_ = {counters().polls, counters().transitions, executor_->statements()};
      cpu = cpu_seconds();
      started_ = now;
    } else if (phase_ == Phase::measured) {
      wall = std::chrono::duration<double>(now - started_).count();
      if (wall < options_.seconds) return step();
      cpu = cpu_seconds() - cpu;
      polls = counters().polls - begin_.polls;
      transitions = counters().transitions - begin_.transitions;
      statements = executor_->statements() - begin_.statements;
      phase_ = Phase::settle;
      last_pass_ = passes + 2;
    } else if (phase_ == Phase::settle && passes >= last_pass_) {
      poller_.stop();
      phase_ = Phase::drain;
    }
    if (phase_ == Phase::measured) step();
    if (phase_ == Phase::drain) drain();
  }
  void step() {
    if (options_.step) ask_farm(options_.port, "/farm/step");
  }
  void drain() {
    if (poller_.idle()) return runtime_.context().stop();
    runtime_.post([this] { drain(); });
  }

  /// The answers of the first pass, in which everything changes, are written within a second and a bit.
  static constexpr std::chrono::milliseconds raw_answers_kept{1500};
  enum class Phase { warm, measured, settle, drain };
  struct Begin {
    std::uint64_t polls = 0, transitions = 0, statements = 0;
  };
  const Options& options_;
  AsioRuntime runtime_{1.0, Instant{}};
  std::unique_ptr<db::Executor> executor_;
  RawKeeper raw_;
  WorkerPool mapper_;
  carriers::CurlTransport real_transport_;
  ClockInEnvelope clock_transport_;
  carriers::HttpTransport& transport_;
  Poller poller_;
  std::unique_ptr<Alarm> look_;
  Phase phase_ = Phase::warm;
  Begin begin_;
  std::uint64_t passes_ = 0, last_pass_ = 0;
  std::chrono::steady_clock::time_point first_pass_ended_, started_;
};

int measure(const Options& options) {
  const auto url = db::DatabaseUrl::parse(options.database);
  if (!url) throw std::runtime_error(url.error());
  carriers::CarrierSettings settings{"farm", "http://127.0.0.1:" + std::to_string(options.port), {}, {}};
  auto profile = carriers::load_profile(options.profile, settings);
  if (!profile) throw std::runtime_error(profile.error().front().to_string());
  auto own = db::OwnSession::open(*url);
  if (!own) throw std::runtime_error(own.error().message);
  if (auto version = own->transact<int>([](db::Session& session) { return db::migrate(session); }); !version)
    throw std::runtime_error(version.error().message);
  insert_shipments(*own, options.shipments);
  const auto shipments = own->transact<std::vector<db::OpenShipment>>(
      [&](db::Session& session) { return db::accept_new_shipments(session, wall_clock(), options.shipments); });
  if (!shipments) throw std::runtime_error(shipments.error().message);

  Bench bench(options, *url, std::move(*profile));
  bench.run(*shipments);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"polls\": %llu, \"cpu_us_per_poll\": %.2f, \"polls_per_second\": %.0f, \"transitions\": %llu, "
      "\"statements\": %llu, \"wrong_rows\": %zu, \"peak_mb\": %ld}\n",
      static_cast<unsigned long long>(bench.polls), bench.cpu * 1e6 / static_cast<double>(bench.polls),
      static_cast<double>(bench.polls) / bench.wall, static_cast<unsigned long long>(bench.transitions),
      static_cast<unsigned long long>(bench.statements), wrong_rows(*own, options), usage.ru_maxrss / 1024);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Polls per CPU-second through the whole path"};
  app.add_option("--port", options.port, "The carrier farm's port")->required();
  app.add_option("--profile", options.profile, "Folder of the profile")->required();
  app.add_option("--database", options.database, "Of its own: sqlite:PATH or postgresql:...")->required();
  app.add_option("--shipments", options.shipments, "Open shipments");
  app.add_option("--seconds", options.seconds, "How long is measured");
  app.add_flag("--step", options.step, "The carrier's shipments move on after every pass");
  app.add_flag("--clock", options.clock, "Every answer has a clock in its envelope");
  app.add_flag("!--unstated", options.stated, "The profile does not say so");
  CLI11_PARSE(app, argc, argv);
  set_up_log("error");
  try {
    return measure(options);
  } catch (const std::exception& error) {
    std::cerr << "poll_bench: " << error.what() << '\n';
    return 1;
  }
}
