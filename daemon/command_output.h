// What the modes of the command line that speak to the daemon have in common: how they complain, and how they show that
// something takes its time.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/control_client.h"
#include "daemon/control_server.h"

namespace remitod::daemon {

/// On one line, for the daemon or for whoever reads --json. What was typed, a file's name for one, need not be UTF-8.
std::string one_line(const nlohmann::json& value);
/// Prints the answer's error. The exit code that goes with its status.
int complain(const ControlAnswer& answer);
/// Prints why no daemon answers, and what to do. The exit code.
int no_daemon(const NoAnswer& why);

/// Draws over the same line on a terminal; elsewhere only the last word is printed.
class ProgressBar {
 public:
  void show(std::size_t done, std::size_t total, const std::string& note);
  void end();

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool drawn_ = false;
};

}  // namespace remitod::daemon
