// The modes for whoever integrates a carrier. Each returns its exit code (sysexits.h).
#pragma once

#include "daemon/cli.h"

namespace remitod::daemon {

/// 0: every sample gives what is expected; 1: one does not; 78: a profile cannot be used.
int check_carrier(const Options& options);
int new_carrier(const Options& options);

/// Standard output is a terminal, and nobody has said that there shall be no colours (NO_COLOR).
bool wants_colours();

}  // namespace remitod::daemon
