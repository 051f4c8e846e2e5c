// Wires the daemon: makes every part, starts them in order, stops them in order. No decision is taken here.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"

namespace remitod::daemon {

/// Runs until SIGTERM or SIGINT. The return value is the exit code (sysexits.h): 0; 75 when another instance holds the
/// database or it stays out of reach; 78 when something that the configuration names cannot be used.
int run_daemon(const Config& config, std::vector<ReadyCarrier> carriers);

}  // namespace remitod::daemon
