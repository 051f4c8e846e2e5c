#include "daemon/service_notify.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <string>

namespace remitod::daemon {

void notify_ready(std::string_view status) {
  sd_notify(0, ("READY=1\nSTATUS=" + std::string(status)).c_str());
}
void notify_status(std::string_view status) {
  sd_notify(0, ("STATUS=" + std::string(status)).c_str());
}
void notify_stopping(std::string_view status) {
  sd_notify(0, ("STOPPING=1\nSTATUS=" + std::string(status)).c_str());
}
void notify_watchdog() {
  sd_notify(0, "WATCHDOG=1");
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t timeout_us = 0;
  if (sd_watchdog_enabled(0, &timeout_us) <= 0) return std::nullopt;
  return std::chrono::microseconds{timeout_us / 2};
}

}  // namespace remitod::daemon
