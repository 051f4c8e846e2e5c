#include "daemon/service_notify.h"

#include <systemd/sd-daemon.h>

#include <sys/socket.h>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

namespace remitod::daemon {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

// Each time so much is asked for, well before the last is over.
constexpr std::chrono::seconds extension{60};
constexpr std::chrono::seconds extension_pause{20};

struct Free {
  void operator()(char** names) const {
    for (char** name = names; *name; ++name) std::free(*name);
    std::free(names);
  }
};

}  // namespace

void notify_ready(std::string_view status) {
  sd_notify(0, ("READY=1\nSTATUS=" + std::string(status)).c_str());
}
void notify_status(std::string_view status) {
  sd_notify(0, ("STATUS=" + std::string(status)).c_str());
}
void notify_reloading(std::string_view status) {
  const auto now = duration_cast<microseconds>(steady_clock::now().time_since_epoch());
  sd_notify(0,
            ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()) + "\nSTATUS=" + std::string(status)).c_str());
}
void notify_stopping(std::string_view status) {
  sd_notify(0, ("STOPPING=1\nSTATUS=" + std::string(status)).c_str());
}
void notify_watchdog() {
  sd_notify(0, "WATCHDOG=1");
}

std::optional<microseconds> watchdog_interval() {
  std::uint64_t timeout_us = 0;
  if (sd_watchdog_enabled(0, &timeout_us) <= 0) return std::nullopt;
  return microseconds{timeout_us / 2};
}

StartTimeExtension::StartTimeExtension(std::chrono::seconds at_most)
    : asking_([until = steady_clock::now() + at_most](const std::stop_token& stop) {
        const std::string text = "EXTEND_TIMEOUT_USEC=" + std::to_string(microseconds{extension}.count());
        std::mutex mutex;
        std::condition_variable_any pause;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested() && steady_clock::now() < until) {
          sd_notify(0, text.c_str());
          pause.wait_for(lock, stop, extension_pause, [] { return false; });
        }
      }) {}

std::optional<int> passed_listener(std::string_view name) {
  char** passed = nullptr;
  const int count = sd_listen_fds_with_names(0, &passed);
  if (count <= 0) return std::nullopt;
  const std::unique_ptr<char*, Free> names(passed);
  for (int i = 0; i < count; ++i)
    if (name == names.get()[i] && sd_is_socket(SD_LISTEN_FDS_START + i, AF_UNSPEC, SOCK_STREAM, 1) > 0)
      return SD_LISTEN_FDS_START + i;
  return std::nullopt;
}

}  // namespace remitod::daemon
