// The command line: which mode, with what. Flags choose the mode, as daemons do.
#pragma once

#include <optional>
#include <string>

#include "daemon/backtest_command.h"

namespace remitod::daemon {

struct Options {
  enum class Mode : std::uint8_t {
    run,
    check_config,
    resync,
    status,
    check_carrier,
    new_carrier,
    try_carrier,
    replay,
    enable_sink,
    reread,
    forget,
    erase,
    compare_shadow,
    backup,
    migrate,
    print_config,
    settle,
    request_remito,
    backtest,
    explain,
    export_trace
  };
  Mode mode = Mode::run;
  std::string config_file = "/etc/remitod/remitod.toml";
  bool config_stated = false;
  std::string socket;        ///< overrides the configuration's control socket
  std::string target;        ///< of the mode: a carrier, a shipment, a request, a folder, a file, a sink
  std::string folder = ".";  ///< --in
  std::string remito;        ///< --remito, --adopt
  std::string why;           ///< --refuse
  bool resend = false;       ///< --resend
  std::string save;          ///< --save
  std::string legacy;        ///< --legacy
  std::optional<std::string> since;
  bool dry_run = false;
  bool accept = false;  ///< --accept
  bool wait = false;
  bool json = false;
  BacktestRequest backtest;
};

/// Either options, or an exit code: help, version and usage errors (64) have been printed.
struct ParsedOptions {
  std::optional<Options> options;
  int exit_code = 0;
};
ParsedOptions parse_options(int argc, char** argv);

}  // namespace remitod::daemon
