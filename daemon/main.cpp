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

// The socket: as stated, or the configuration's, or the default when there is no configuration to read.
std::string control_socket(const Options& options) {
  if (!options.socket.empty()) return options.socket;
  const auto config = load_config(options.config_file);
  return config ? config->control_socket : Config{}.control_socket;
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
      return resync(options, control_socket(options));
    case Options::Mode::status:
      return status(options, control_socket(options));
    case Options::Mode::check_carrier:
      return check_carrier(options);
    case Options::Mode::new_carrier:
      return new_carrier(options);
    case Options::Mode::try_carrier:
      return try_carrier(options, control_socket(options), random_bytes);
    case Options::Mode::replay:
      return replay(options, control_socket(options));
    case Options::Mode::enable_sink:
      return enable_sink(options, control_socket(options));
    case Options::Mode::settle:
      return settle(options, control_socket(options));
    case Options::Mode::request_remito:
      return request_remito(options, control_socket(options));
    case Options::Mode::reread:
      return reread(options, control_socket(options));
    case Options::Mode::forget:
      return forget(options, control_socket(options));
    case Options::Mode::erase:
      return erase(options, control_socket(options));
    case Options::Mode::compare_shadow:
      return compare_shadow(options, control_socket(options));
    case Options::Mode::backup:
      return backup(options);
    case Options::Mode::migrate:
      return migrate(options);
    case Options::Mode::print_config:
      return print_config(options);
    case Options::Mode::explain:
      return explain(options, control_socket(options));
    case Options::Mode::export_trace:
      return export_trace(options);
    case Options::Mode::backtest:
      return backtest(options.backtest);
  }
}
