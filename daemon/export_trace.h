// The mode --export-trace: what carriers published, from the database, as the CSV that --backtest reads.
#pragma once

#include <optional>
#include <string>

#include "daemon/config.h"

namespace remitod::daemon {

/// `target`: a carrier or "all". Writes to standard output; does not need the running daemon. An exit code.
int export_trace(const Config& config, const std::string& target, const std::optional<std::string>& since);

}  // namespace remitod::daemon
