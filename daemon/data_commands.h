// The modes that are about what the database holds. Each returns its exit code (sysexits.h).
#pragma once

#include "daemon/cli.h"

namespace remitod::daemon {

int reread(const Options& options, const std::string& socket);
int forget(const Options& options, const std::string& socket);
int erase(const Options& options, const std::string& socket);
int compare_shadow(const Options& options, const std::string& socket);
/// These need no daemon.
int backup(const Options& options);
int migrate(const Options& options);
int print_config(const Options& options);

}  // namespace remitod::daemon
