// The modes that are about remito requests: --settle and --request-remito. Each returns its exit code (sysexits.h).
#pragma once

#include <string>

#include "daemon/cli.h"

namespace remitod::daemon {

/// 65: it is in no state to be settled, or the remito is in use; 66: no such request.
int settle(const Options& options, const std::string& socket);
/// 65: a row cannot be read, and none was inserted. With --wait 1: not all of them were granted.
int request_remito(const Options& options, const std::string& socket);

}  // namespace remitod::daemon
