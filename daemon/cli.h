// The command line: which mode, with what. Flags choose the mode, as daemons do.
#pragma once

#include <optional>
#include <string>

namespace remitod::daemon {

struct Options {
  enum class Mode : std::uint8_t { run, check_config, resync, status };
  Mode mode = Mode::run;
  std::string config_file = "/etc/remitod/remitod.toml";
  std::string socket;  ///< overrides the configuration's control socket
  std::string target;  ///< of --resync and --status
  std::optional<std::string> since;
  bool dry_run = false;
  bool wait = false;
  bool json = false;
};

/// Either options, or an exit code: help, version and usage errors (64) have been printed.
struct ParsedOptions {
  std::optional<Options> options;
  int exit_code = 0;
};
ParsedOptions parse_options(int argc, char** argv);

}  // namespace remitod::daemon
