#include "daemon/cli_commands.h"

#include <sysexits.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "daemon/control_client.h"
#include "daemon/log.h"
#include "daemon/status_text.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr int exit_not_running = 3;  // as `systemctl status` has it
constexpr int exit_degraded = 1;
constexpr std::chrono::milliseconds look_again{50};

int complain(const ControlAnswer& answer) {
  const json body = json::parse(answer.body, nullptr, false);
  std::cerr << "remitod: " << (body.is_object() ? body.value("error", answer.body) : answer.body) << '\n';
  return answer.status == 400 ? EX_USAGE : answer.status == 404 ? EX_NOINPUT : EX_TEMPFAIL;
}

int no_daemon(const std::string& error) {
  std::cerr << "remitod: " << error << "\nremitod: start it with: systemctl start remitod\n";
  return EX_UNAVAILABLE;
}

// Draws over the same line on a terminal; elsewhere only the last word is printed.
class ProgressBar {
 public:
  void show(std::size_t done, std::size_t total, const std::string& note) {
    if (!terminal_) return;
    constexpr std::size_t width = 40;
    const std::size_t filled = total == 0 ? width : done * width / total;
    std::cerr << "\r[" << std::string(filled, '#') << std::string(width - filled, '.') << "] " << done << '/' << total
              << ' ' << note << "\033[K" << std::flush;
    drawn_ = true;
  }
  void end() {
    if (drawn_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool drawn_ = false;
};

// Until every shipment of the resync was answered. Nothing: the daemon went away.
std::expected<json, std::string> wait_for(const std::string& socket, std::int64_t resync_id) {
  ProgressBar bar;
  for (;;) {
    const auto answer = call_control(socket, "GET", "/resync?id=" + std::to_string(resync_id));
    if (!answer) {
      bar.end();
      return std::unexpected(answer.error());
    }
    json progress = json::parse(answer->body, nullptr, false);
    if (progress.value("finished", false)) {
      bar.end();
      return progress;
    }
    std::string note;
    for (const json& resting : progress.value("resting", json::array()))
      note += resting.value("carrier", "") + " rests until " + resting.value("until", "") + " ";
    if (progress.contains("shipments") && progress["shipments"].is_number())
      bar.show(progress.value("done", std::size_t{0}), progress.value("shipments", std::size_t{0}), note);
    std::this_thread::sleep_for(look_again);
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
  if (options.json)
    std::cout << json{{"ok", true}, {"carriers", carriers->size()}}.dump() << '\n';
  else
    std::cout << options.config_file << ": ok, " << carriers->size() << " carrier(s)\n";
  return EX_OK;
}

int resync(const Options& options, const std::string& socket) {
  json wanted{{"target", options.target}, {"dry_run", options.dry_run}};
  if (options.since) wanted["since"] = *options.since;
  const auto answer = call_control(socket, "POST", "/resync", wanted.dump());
  if (!answer) return no_daemon(answer.error());
  if (answer->status != 200) return complain(*answer);
  json begun = json::parse(answer->body);
  if (options.wait && begun["resync_id"].is_number()) {
    const auto progress = wait_for(socket, begun["resync_id"].get<std::int64_t>());
    if (!progress) return no_daemon(progress.error());
    begun.update(*progress);
  }
  if (options.json)
    std::cout << begun.dump() << '\n';
  else
    std::cout << resync_text(begun);
  return EX_OK;
}

int status(const Options& options, const std::string& socket) {
  const bool of_shipments = options.target.contains(':');
  const auto answer =
      call_control(socket, "GET", of_shipments ? "/status?target=" + query_value(options.target) : "/status");
  if (!answer) {
    std::cerr << "remitod: " << answer.error() << '\n';
    return exit_not_running;
  }
  if (answer->status != 200) return complain(*answer);
  json report = json::parse(answer->body);
  if (of_shipments) {
    std::cout << (options.json ? report.dump() + "\n" : shipments_text(report));
    return EX_OK;
  }
  if (!options.target.empty()) {
    json one = json::array();
    for (json& carrier : report["carriers"])
      if (carrier["carrier"] == options.target) one.push_back(std::move(carrier));
    if (one.empty()) {
      std::cerr << "remitod: no carrier \"" << options.target << "\" is configured\n";
      return EX_USAGE;
    }
    report["carriers"] = std::move(one);
  }
  std::cout << (options.json ? report.dump() + "\n" : status_text(report));
  return report.value("ok", false) ? EX_OK : exit_degraded;
}

}  // namespace remitod::daemon
