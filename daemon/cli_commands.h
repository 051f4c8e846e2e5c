// The modes that are not the daemon itself. Each returns its exit code (sysexits.h).
#pragma once

#include "daemon/cli.h"
#include "daemon/config.h"

namespace remitod::daemon {

int check_config(const Options& options);
int resync(const Options& options, const std::string& socket);
int replay(const Options& options, const std::string& socket);
int enable_sink(const Options& options, const std::string& socket);
int status(const Options& options, const std::string& socket);
int export_trace(const Options& options);
int explain(const Options& options, const std::string& socket);
/// One line each on standard error: FILE:LINE: KEY: what was expected.
void print_errors(const std::vector<ConfigError>& errors);

}  // namespace remitod::daemon
