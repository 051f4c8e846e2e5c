// What systemd is told (sd_notify(3)); nothing where nobody listens.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <thread>

namespace remitod::daemon {

void notify_ready(std::string_view status);
void notify_status(std::string_view status);
/// Until the next notify_ready.
void notify_reloading(std::string_view status);
void notify_stopping(std::string_view status);
void notify_watchdog();
/// How often the watchdog wants to be fed: half of WatchdogSec=. Nothing: it is off.
std::optional<std::chrono::microseconds> watchdog_interval();

/// As long as it lives, time for starting (TimeoutStartSec=) does not run out: for a migration, which ends when it
/// ends. Only up to `at_most`, since one that hangs would never be seen otherwise.
class StartTimeExtension {
 public:
  explicit StartTimeExtension(std::chrono::seconds at_most = std::chrono::hours{2});

 private:
  std::jthread asking_;
};

/// The listening socket that systemd passed under that name (FileDescriptorName= of a socket unit). It stays open as
/// long as the process does.
std::optional<int> passed_listener(std::string_view name);

}  // namespace remitod::daemon
