#include <sysexits.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "daemon/app.h"
#include "daemon/backtest_command.h"
#include "daemon/carrier_commands.h"
#include "daemon/cli.h"
#include "daemon/cli_commands.h"
#include "daemon/data_commands.h"
#include "daemon/log.h"
#include "daemon/remito_commands.h"
#include "daemon/try_command.h"

namespace {

using namespace remitod::daemon;

remitod::carriers::Random random_bytes() {
  remitod::carriers::Random bytes{};
  if (getentropy(bytes.data(), bytes.size()) != 0) std::abort();  // there is no kernel without it
  return bytes;
}

int run(const Options& options) {
  auto config = load_config(options.config_file);
  if (!config) {
    print_errors(config.error());
    return EX_CONFIG;
  }
  auto carriers = load_carriers(*config, Secrets::required);
  if (!carriers) {
    print_errors(carriers.error());
    return EX_CONFIG;
  }
  auto sinks = load_sinks(*config, Secrets::required);
  if (!sinks) {
    print_errors(sinks.error());
    return EX_CONFIG;
  }
  auto token = load_listen_token(*config, Secrets::required);
  if (!token) {
    print_errors(token.error());
    return EX_CONFIG;
  }
  set_up_log(config->log_level);
  return run_daemon({std::move(*config), std::move(*carriers), std::move(*sinks), std::move(*token)}, random_bytes);
}

/// A mode that speaks to the daemon, at the socket that is stated, or the configuration's. Whoever may not read the
/// installed configuration, or has none, is told at the default one what to do about it.
int ask_daemon(const Options& options, int (*mode)(const Options& options, const std::string& socket)) {
  if (!options.socket.empty()) return mode(options, options.socket);
  if (!options.config_stated && ::access(options.config_file.c_str(), R_OK) != 0)
    return mode(options, Config{}.control_socket);
  const auto socket = load_control_socket(options.config_file);
  if (socket) return mode(options, *socket);
  print_errors(socket.error());
  return EX_CONFIG;
}

int try_carrier_at(const Options& options, const std::string& socket) {
  return try_carrier(options, socket, random_bytes);
}

}  // namespace

int main(int argc, char** argv) {
  const ParsedOptions parsed = parse_options(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  const Options& options = *parsed.options;
  switch (options.mode) {
    case Options::Mode::run:
      return run(options);
    case Options::Mode::check_config:
      return check_config(options);
    case Options::Mode::resync:
      return ask_daemon(options, resync);
    case Options::Mode::status:
      return ask_daemon(options, status);
    case Options::Mode::check_carrier:
      return check_carrier(options);
    case Options::Mode::new_carrier:
      return new_carrier(options);
    case Options::Mode::try_carrier:
      return ask_daemon(options, try_carrier_at);
    case Options::Mode::replay:
      return ask_daemon(options, replay);
    case Options::Mode::enable_sink:
      return ask_daemon(options, enable_sink);
    case Options::Mode::settle:
      return ask_daemon(options, settle);
    case Options::Mode::request_remito:
      return ask_daemon(options, request_remito);
    case Options::Mode::reread:
      return ask_daemon(options, reread);
    case Options::Mode::forget:
      return ask_daemon(options, forget);
    case Options::Mode::erase:
      return ask_daemon(options, erase);
    case Options::Mode::compare_shadow:
      return ask_daemon(options, compare_shadow);
    case Options::Mode::backup:
      return backup(options);
    case Options::Mode::migrate:
      return migrate(options);
    case Options::Mode::print_config:
      return print_config(options);
    case Options::Mode::explain:
      return ask_daemon(options, explain);
    case Options::Mode::export_trace:
      return export_trace(options);
    case Options::Mode::backtest:
      return backtest(options.backtest);
  }
}
