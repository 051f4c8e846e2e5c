// Wires the daemon: makes every part, starts them in order, stops them in order. No decision is taken here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "carriers/request.h"
#include "daemon/reload.h"

namespace remitod::daemon {

/// Bytes that nobody can guess, new ones each time: for the nonces of requests.
using RandomSource = std::function<carriers::Random()>;

/// Runs until SIGTERM or SIGINT. The return value is the exit code (sysexits.h): 0; 75 when another instance holds the
/// database or it stays out of reach; 78 when something that the configuration names cannot be used.
int run_daemon(Loaded loaded, const RandomSource& random);

}  // namespace remitod::daemon
