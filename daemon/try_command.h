// The mode --try-carrier. Returns its exit code (sysexits.h).
#pragma once

#include <functional>
#include <string>

#include "carriers/request.h"
#include "daemon/cli.h"

namespace remitod::daemon {

/// One live request about `options.remito`: through the running daemon where one answers on `socket`, else by itself
/// with the configuration's account. 0: the answer was read; 64 no such carrier, or it cannot be asked that; 69 it does
/// not answer, or the daemon that is there does not; 73 the sample cannot be written; 75 its limits have no room now;
/// 76 its answer says nothing of shipments; 77 it lets nobody in; 78 the configuration is wrong. `random` is what
/// nobody can guess.
int try_carrier(const Options& options, const std::string& socket, const std::function<carriers::Random()>& random);

}  // namespace remitod::daemon
