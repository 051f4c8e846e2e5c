// What systemd is told (sd_notify(3)); nothing where nobody listens.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace remitod::daemon {

void notify_ready(std::string_view status);
void notify_status(std::string_view status);
void notify_stopping(std::string_view status);
void notify_watchdog();
/// How often the watchdog wants to be fed: half of WatchdogSec=. Nothing: it is off.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace remitod::daemon
