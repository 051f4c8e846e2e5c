#include "daemon/try_command.h"

#include <sysexits.h>
#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "carriers/curl_transport.h"
#include "carriers/nearest_word.h"
#include "carriers/trial.h"
#include "daemon/asio_runtime.h"
#include "daemon/carrier_commands.h"
#include "daemon/cli_commands.h"
#include "daemon/command_output.h"
#include "daemon/config.h"
#include "daemon/control_client.h"
#include "daemon/log.h"
#include "daemon/try_carrier.h"
#include "daemon/try_text.h"
#include "daemon/worker_pool.h"
#include "scheduler/limits.h"

namespace remitod::daemon {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A login and a question, each once more where the session has ended, and each with a turn to wait for.
constexpr std::chrono::minutes told_within{10};

int exit_code_of(const json& trial) {
  const std::string outcome = trial.value("outcome", "");
  if (outcome == "read") return EX_OK;
  if (outcome == "no_answer") return EX_UNAVAILABLE;
  if (outcome == "not_asked") return EX_USAGE;
  if (outcome == "no_room") return EX_TEMPFAIL;
  const std::string kind =
      outcome == "no_login"
          ? trial.value("kind", "")
          : trial.value("read", json::object()).value("trouble", json::object()).value("kind", std::string{});
  return kind == "auth" ? EX_NOPERM : kind == "throttled" ? EX_TEMPFAIL : EX_PROTOCOL;
}

int complain(const std::string& words, int exit_code) {
  std::cerr << "remitod: " << words << '\n';
  return exit_code;
}

/// Into the folder `samples` of a profile. What is there stays as it is.
int save(const json& trial, const std::string& folder) {
  const auto files = carriers::trial_sample(trial);
  if (!files) {
    const int asked = exit_code_of(trial);  // why there is nothing to keep
    return complain("nothing is saved: " + files.error(), asked == EX_OK ? EX_DATAERR : asked);
  }
  const fs::path samples = fs::path(folder) / "samples";
  std::error_code error;
  for (const carriers::StarterFile& file : *files)
    if (fs::exists(samples / file.path, error))
      return complain((samples / file.path).string() + " is there already: nothing is saved", EX_CANTCREAT);
  fs::create_directories(samples, error);
  for (const carriers::StarterFile& file : *files) {
    std::ofstream out(samples / file.path, std::ios::binary);
    if (!(out << file.text).flush())
      return complain((samples / file.path).string() + " cannot be written", EX_CANTCREAT);
  }
  std::cerr << "remitod: kept as " << (samples / files->back().path).string()
            << ". Secrets are out of it; put invented names and addresses in place of people's.\n";
  return EX_OK;
}

int report(const json& trial, const Options& options) {
  if (options.json)
    std::cout << trial.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  else
    std::cout << try_text(trial, wants_colours());
  std::cout.flush();
  if (!options.save.empty())
    if (const int failed = save(trial, options.save); failed != EX_OK) return failed;
  return exit_code_of(trial);
}

/// The configuration with this carrier alone: what is wrong with another is no obstacle. Nothing: it has been told, and
/// `exit_code` is set.
std::optional<Config> config_of(const Options& options, int& exit_code) {
  auto config = load_config(options.config_file);
  if (!config) {
    print_errors(config.error());
    exit_code = EX_CONFIG;
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const CarrierConfig& carrier : config->carriers) names.push_back(carrier.name);
  std::erase_if(config->carriers, [&](const CarrierConfig& carrier) { return carrier.name != options.target; });
  if (!config->carriers.empty()) return *std::move(config);
  exit_code = complain("no carrier \"" + options.target + "\" is configured in " + options.config_file +
                           carriers::did_you_mean(options.target, names),
                       EX_USAGE);
  return std::nullopt;
}

/// Nobody knows what was asked before: hours hold, and the rates between the requests of this trial.
scheduler::Limits limits_of(scheduler::LaneConfig lane) {
  lane.requests_per_hour.reset();
  lane.requests_per_day.reset();
  return scheduler::Limits(lane);
}

/// Says once why nothing happens, where the carrier's rate makes a person wait.
void tell_of_wait(const std::string& carrier, std::chrono::microseconds wait, bool& told) {
  constexpr std::chrono::seconds unnoticed{3};
  if (wait < unnoticed || std::exchange(told, true)) return;
  std::cerr << "remitod: " << carrier << "'s rate allows the next request in "
            << std::chrono::ceil<std::chrono::seconds>(wait).count() << " s\n";
}

/// No daemon is there whose limits and session could be shared: this program is the only one that asks.
int try_alone(const Options& options, const std::function<carriers::Random()>& random) {
  int exit_code = EX_OK;
  const auto config = config_of(options, exit_code);
  if (!config) return exit_code;
  const auto ready = load_carriers(*config, Secrets::required);
  if (!ready) {
    print_errors(ready.error());
    return EX_CONFIG;
  }
  set_up_log("error");
  AsioRuntime runtime(config->time_scale, config->time_origin);
  WorkerPool mapper(runtime, 1);
  carriers::CurlTransport transport([&](std::move_only_function<void()> task) { runtime.post(std::move(task)); });
  scheduler::Limits limits = limits_of(ready->front().lane);
  if (!limits.is_open(runtime.now()))
    return complain(options.target + " is not asked: its windows and blackouts do not allow it now", EX_TEMPFAIL);
  bool told = false;
  const auto spend = [&] {
    limits.spend(runtime.now());
    told = false;
  };
  const auto spare_requests = [&](std::string_view) {
    const Instant now = runtime.now();
    const std::size_t spare = limits.spare(now);
    if (spare == 0) tell_of_wait(options.target, limits.next_counted(now).value_or(now) - now, told);
    return spare;
  };
  const auto room_is_sure = [&](std::string_view) { return limits.is_open(runtime.now()); };
  CarrierTrials trials(runtime, transport, mapper,
                       {spare_requests, [&](std::string_view) { spend(); }, [](std::string_view) {}, room_is_sure});
  trials.add_carrier(std::make_shared<CarrierAccess>(runtime, transport, ready->front().profile,
                                                     CarrierAccess::Hooks{spend, [] {}, [] {}, random}));
  std::optional<std::string> trial;
  const auto stay = boost::asio::make_work_guard(runtime.context());
  trials.track(options.target, options.remito, [&](std::string text) {
    trial = std::move(text);
    runtime.context().stop();
  });
  if (!trial) runtime.context().run();
  return report(json::parse(*trial), options);
}

}  // namespace

int try_carrier(const Options& options, const std::string& socket, const std::function<carriers::Random()>& random) {
  if (options.remito.empty()) return complain("--try-carrier wants --remito: which shipment is asked about", EX_USAGE);
  const json wanted{{"carrier", options.target}, {"remito", options.remito}};
  const auto answer = call_control(socket, "POST", "/try", one_line(wanted), told_within);
  // A daemon that we may not ask, or that says nothing, has its limits all the same: to ask beside it would be to pass
  // over them.
  if (!answer && answer.error().why != NoAnswer::Why::nobody) return no_daemon(answer.error());
  if (!answer) return try_alone(options, random);
  const json told = json::parse(answer->body, nullptr, false);
  if (!told.is_object()) return complain("the daemon's answer cannot be read", EX_SOFTWARE);
  if (answer->status != 200)
    return complain(told.value("error", answer->body), answer->status == 400 ? EX_USAGE : EX_TEMPFAIL);
  return report(told, options);
}

}  // namespace remitod::daemon
