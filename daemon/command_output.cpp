#include "daemon/command_output.h"

#include <sysexits.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace remitod::daemon {

using nlohmann::json;

std::string one_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

int complain(const ControlAnswer& answer) {
  const json body = json::parse(answer.body, nullptr, false);
  std::cerr << "remitod: " << (body.is_object() ? body.value("error", answer.body) : answer.body) << '\n';
  return answer.status == 400   ? EX_USAGE
         : answer.status == 404 ? EX_NOINPUT
         : answer.status == 409 ? EX_DATAERR
                                : EX_TEMPFAIL;
}

int no_daemon(const NoAnswer& why) {
  std::cerr << "remitod: " << why.message << '\n';
  switch (why.why) {
    case NoAnswer::Why::not_allowed:
      return EX_NOPERM;
    case NoAnswer::Why::nobody:
      std::cerr << "remitod: start it with: systemctl start remitod\n";
      break;
    case NoAnswer::Why::silent:
      std::cerr << "remitod: it hangs, was stopped, or waits for its database: systemctl status remitod\n";
      break;
    case NoAnswer::Why::cut_off:
      break;
  }
  return EX_UNAVAILABLE;
}

void ProgressBar::show(std::size_t done, std::size_t total, const std::string& note) {
  if (!terminal_) return;
  constexpr std::size_t width = 40;
  const std::size_t filled = total == 0 ? width : done * width / total;
  std::cerr << "\r[" << std::string(filled, '#') << std::string(width - filled, '.') << "] " << done << '/' << total
            << ' ' << note << "\033[K" << std::flush;
  drawn_ = true;
}

void ProgressBar::end() {
  if (drawn_) std::cerr << "\r\033[K" << std::flush;
}

}  // namespace remitod::daemon
