#include <sysexits.h>

#include "daemon/app.h"
#include "daemon/cli.h"
#include "daemon/cli_commands.h"
#include "daemon/log.h"

namespace {

using namespace remitod::daemon;

int run(const Options& options) {
  const auto config = load_config(options.config_file);
  if (!config) {
    print_errors(config.error());
    return EX_CONFIG;
  }
  auto carriers = load_carriers(*config, Secrets::required);
  if (!carriers) {
    print_errors(carriers.error());
    return EX_CONFIG;
  }
  set_up_log(config->log_level);
  return run_daemon(*config, std::move(*carriers));
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
  }
}
