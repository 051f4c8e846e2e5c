#include "daemon/cli_commands.h"

#include <sysexits.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "daemon/command_output.h"
#include "daemon/config_places.h"
#include "daemon/control_client.h"
#include "daemon/explain_text.h"
#include "daemon/export_trace.h"
#include "daemon/log.h"
#include "daemon/status_text.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr int exit_not_running = 3;  // as `systemctl status` has it
constexpr int exit_degraded = 1;
constexpr std::chrono::milliseconds look_again{50};
// It says after three seconds that its database does not answer; a reload may be under way besides.
constexpr std::chrono::seconds status_patience{15};
// So long a daemon that is started again may be away while its resync is waited for.
constexpr std::chrono::seconds restart_patience{30};

// The daemon's last word: every shipment of the resync was answered, or something is wrong with the question.
std::expected<ControlAnswer, NoAnswer> wait_for(const std::string& socket, std::int64_t resync_id) {
  ProgressBar bar;
  auto heard = std::chrono::steady_clock::now();
  for (;; std::this_thread::sleep_for(look_again)) {
    auto answer = call_control(socket, "GET", "/resync?id=" + std::to_string(resync_id));
    if (!answer) {
      const bool is_away = answer.error().why == NoAnswer::Why::nobody || answer.error().why == NoAnswer::Why::cut_off;
      if (is_away && std::chrono::steady_clock::now() - heard < restart_patience) continue;
      bar.end();
      return answer;
    }
    heard = std::chrono::steady_clock::now();
    const json progress = json::parse(answer->body, nullptr, false);
    if (answer->status == 503) continue;  // a database that hangs does not lose it
    if (answer->status != 200 || !progress.is_object() || progress.value("finished", false)) {
      bar.end();
      return answer;
    }
    std::string note;
    for (const json& resting : progress.value("resting", json::array()))
      note += resting.value("carrier", "") + " rests until " + resting.value("until", "") + " ";
    if (progress.contains("shipments") && progress["shipments"].is_number())
      bar.show(progress.value("done", std::size_t{0}), progress.value("shipments", std::size_t{0}), note);
  }
}

}  // namespace

void print_errors(const std::vector<ConfigError>& errors) {
  const char* level = stderr_is_journal() ? "<3>" : "";
  for (const ConfigError& error : errors) std::cerr << level << error.to_string() << '\n';
}

int check_config(const Options& options) {
  const auto config = load_config(options.config_file);
  if (!config) {
    print_errors(config.error());
    return EX_CONFIG;
  }
  const auto carriers = load_carriers(*config, Secrets::as_far_as_readable);
  if (!carriers) {
    print_errors(carriers.error());
    return EX_CONFIG;
  }
  const auto sinks = load_sinks(*config, Secrets::as_far_as_readable);
  if (!sinks) {
    print_errors(sinks.error());
    return EX_CONFIG;
  }
  if (const auto token = load_listen_token(*config, Secrets::as_far_as_readable); !token) {
    print_errors(token.error());
    return EX_CONFIG;
  }
  if (const auto errors = place_errors(*config); !errors.empty()) {
    print_errors(errors);
    return EX_CONFIG;
  }
  if (options.json)
    std::cout << json{{"ok", true}, {"carriers", carriers->size()}, {"sinks", sinks->size()}}.dump() << '\n';
  else
    std::cout << options.config_file << ": ok, " << carriers->size() << " carrier(s), " << sinks->size()
              << " sink(s)\n";
  return EX_OK;
}

int resync(const Options& options, const std::string& socket) {
  json wanted{{"target", options.target}, {"dry_run", options.dry_run}};
  if (options.since) wanted["since"] = *options.since;
  const auto answer = call_control(socket, "POST", "/resync", one_line(wanted));
  if (!answer) return no_daemon(answer.error());
  if (answer->status != 200) return complain(*answer);
  json begun = json::parse(answer->body);
  if (options.wait && begun["resync_id"].is_number()) {
    const auto resync_id = begun["resync_id"].get<std::int64_t>();
    const auto progress = wait_for(socket, resync_id);
    if (!progress) {
      std::cerr
          << "remitod: resync " << resync_id
          << " is recorded: a daemon that runs goes on with it, and one that is started takes it up. Whether it is "
             "over: curl --unix-socket "
          << socket << " 'http://remitod/resync?id=" << resync_id << "'\n";
      return no_daemon(progress.error());
    }
    if (progress->status != 200) return complain(*progress);
    begun.update(json::parse(progress->body));
  }
  if (options.json)
    std::cout << begun.dump() << '\n';
  else
    std::cout << resync_text(begun);
  return EX_OK;
}

int replay(const Options& options, const std::string& socket) {
  const auto answer = call_control(socket, "POST", "/replay", one_line({{"target", options.target}}));
  if (!answer) return no_daemon(answer.error());
  if (answer->status != 200) return complain(*answer);
  const json replayed = json::parse(answer->body);
  std::cout << (options.json ? replayed.dump() + "\n" : replay_text(replayed));
  return EX_OK;
}

int enable_sink(const Options& options, const std::string& socket) {
  const auto answer = call_control(socket, "POST", "/sinks/enable", one_line({{"sink", options.target}}));
  if (!answer) return no_daemon(answer.error());
  if (answer->status != 200) return complain(*answer);
  const json enabled = json::parse(answer->body);
  if (options.json)
    std::cout << enabled.dump() << '\n';
  else
    std::cout << "sink " << options.target
              << (enabled.value("was_disabled", false) ? " goes on\n" : " was not disabled\n");
  return EX_OK;
}

int status(const Options& options, const std::string& socket) {
  const bool of_shipments = options.target.contains(':');
  const auto answer = call_control(
      socket, "GET", of_shipments ? "/status?target=" + query_value(options.target) : "/status", "", status_patience);
  if (!answer) {
    using Why = NoAnswer::Why;
    const Why why = answer.error().why;
    if (why == Why::not_allowed || why == Why::silent) return no_daemon(answer.error());
    std::cerr << "remitod: " << answer.error().message << '\n';
    return exit_not_running;
  }
  if (answer->status != 200) return complain(*answer);
  json report = json::parse(answer->body);
  if (of_shipments) {
    std::cout << (options.json ? report.dump() + "\n" : shipments_text(report));
    return EX_OK;
  }
  if (!options.target.empty() && options.target != "all") {
    auto of_one = status_of_carrier(std::move(report), options.target);
    if (!of_one) {
      std::cerr << "remitod: no carrier \"" << options.target << "\" is configured\n";
      return EX_USAGE;
    }
    report = *std::move(of_one);
  }
  std::cout << (options.json ? report.dump() + "\n" : status_text(report));
  return report.value("ok", false) ? EX_OK : exit_degraded;
}

int export_trace(const Options& options) {
  const auto config = load_config(options.config_file);
  if (!config) {
    print_errors(config.error());
    return EX_CONFIG;
  }
  return export_trace(*config, options.target, options.since);
}

int explain(const Options& options, const std::string& socket) {
  const auto answer = call_control(socket, "GET", "/explain?target=" + query_value(options.target));
  if (!answer) return no_daemon(answer.error());
  if (answer->status != 200) return complain(*answer);
  const json report = json::parse(answer->body);
  if (options.json)
    std::cout << report.dump() << '\n';
  else
    std::cout << (options.target.contains(':') ? explain_shipments_text(report) : explain_carrier_text(report));
  return EX_OK;
}

}  // namespace remitod::daemon
