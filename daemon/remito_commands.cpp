#include "daemon/remito_commands.h"

#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <expected>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/command_output.h"
#include "daemon/control_client.h"
#include "daemon/request_rows.h"
#include "daemon/status_text.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr int exit_not_granted = 1;
constexpr std::chrono::milliseconds look_again{200};
// A row may be as large as 256 KiB and more of quotes; many small ones share a call.
constexpr std::size_t rows_per_call = 500, bytes_per_call = 128 * 1024;

/// Who sits there: behind sudo, too.
std::string operator_name() {
  if (const char* const behind_sudo = std::getenv("SUDO_USER"); behind_sudo && *behind_sudo) return behind_sudo;
  if (const passwd* const user = ::getpwuid(::getuid())) return user->pw_name;
  return "uid " + std::to_string(::getuid());
}

std::optional<std::string> read_all(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// An answer of 200 as JSON, or an exit code.
std::expected<json, int> call(const std::string& socket, const std::string& path, const json& body) {
  const auto answer = call_control(socket, "POST", path, one_line(body));
  if (!answer) return std::unexpected(no_daemon(answer.error()));
  if (answer->status != 200) return std::unexpected(complain(*answer));
  return json::parse(answer->body);
}

/// In several calls, so that none is too large. The rows as they were sent, each with what the daemon says of it.
std::expected<json, int> insert(const std::string& socket, const std::vector<json>& rows) {
  json inserted = json::array();
  for (std::size_t next = 0; next < rows.size();) {
    json chunk = json::array();
    for (std::size_t bytes = 0; next < rows.size() && chunk.size() < rows_per_call; ++next) {
      bytes += rows[next].dump(-1, ' ', false, json::error_handler_t::replace).size();
      if (!chunk.empty() && bytes > bytes_per_call) break;
      chunk.push_back(rows[next]);
    }
    auto answer = call(socket, "/requests", {{"requests", std::move(chunk)}});
    if (!answer) return std::unexpected(answer.error());
    for (json& one : (*answer)["requests"]) inserted.push_back(std::move(one));
  }
  return inserted;
}

bool is_decided(const json& request) {
  const std::string state = request.value("state", "");
  return state == "granted" || state == "refused" || state == "needs_operator" || state == "cancelled";
}

/// Those that are still waited for, in calls of bounded size; decided ones are put into `decided` by key.
std::expected<void, int> look(const std::string& socket, std::vector<std::string>& waiting,
                              std::vector<json>& decided) {
  std::vector<std::string> left;
  for (std::size_t next = 0; next < waiting.size();) {
    const std::size_t end = std::min(next + rows_per_call, waiting.size());
    json keys = json::array();
    for (; next < end; ++next) keys.push_back(waiting[next]);
    const auto answer = call(socket, "/requests/view", {{"keys", std::move(keys)}});
    if (!answer) return std::unexpected(answer.error());
    for (const json& request : (*answer)["requests"]) {
      if (is_decided(request))
        decided.push_back(request);
      else
        left.push_back(request.value("request_key", ""));
    }
  }
  waiting = std::move(left);
  return {};
}

int print_decided(const std::vector<json>& decided, bool as_json) {
  json report{{"requests", decided}};
  std::cout << (as_json ? report.dump() + "\n" : shipments_text(report));
  const bool all_granted =
      std::ranges::all_of(decided, [](const json& request) { return request.value("state", "") == "granted"; });
  return all_granted ? EX_OK : exit_not_granted;
}

/// In the words of the command line: the daemon's are those of its calls.
std::string what_is_missing(const Options& options) {
  if (options.target.find_first_not_of(" \t\r\n") == std::string::npos)
    return "--settle: which request? Its request_key or id, as --status names it";
  if (options.remito.empty() && options.why.empty() && !options.resend)
    return "--adopt wants the remito, and --refuse the reason: it is empty";
  return "";
}

}  // namespace

int settle(const Options& options, const std::string& socket) {
  if (const std::string missing = what_is_missing(options); !missing.empty()) {
    std::cerr << "remitod: " << missing << '\n';
    return EX_USAGE;
  }
  json wanted{{"request", options.target}, {"by", operator_name()}};
  if (!options.remito.empty())
    wanted["adopt"] = options.remito;
  else if (!options.why.empty())
    wanted["refuse"] = options.why;
  else
    wanted["resend"] = options.resend;
  const auto settled = call(socket, "/settle", wanted);
  if (!settled) return settled.error();
  std::cout << (options.json ? settled->dump() + "\n" : shipments_text({{"requests", json::array({*settled})}}));
  return EX_OK;
}

int request_remito(const Options& options, const std::string& socket) {
  const auto text = read_all(options.target);
  if (!text) {
    std::cerr << "remitod: " << options.target << ": cannot be read\n";
    return EX_NOINPUT;
  }
  const auto rows = read_request_file(*text);
  if (!rows) {
    for (const std::string& problem : rows.error())
      std::cerr << "remitod: " << (options.target == "-" ? "standard input" : options.target) << ':' << problem << '\n';
    return EX_DATAERR;
  }
  const auto inserted = insert(socket, *rows);
  if (!inserted) return inserted.error();
  std::vector<std::string> waiting;
  for (const json& one : *inserted) {
    const std::string key = one.value("request_key", "");
    if (std::ranges::find(waiting, key) == waiting.end()) waiting.push_back(key);
  }
  if (!options.wait) {
    const auto repeated = std::ranges::count_if(*inserted, [](const json& one) { return !one.value("is_new", false); });
    if (options.json)
      std::cout << json{{"requests", *inserted}}.dump() << '\n';
    else
      std::cout << inserted->size() - static_cast<std::size_t>(repeated) << " request(s) inserted, " << repeated
                << " there already\n";
    return EX_OK;
  }
  std::vector<json> decided;
  for (;;) {
    if (const auto looked = look(socket, waiting, decided); !looked) return looked.error();
    if (waiting.empty()) return print_decided(decided, options.json);
    std::this_thread::sleep_for(look_again);
  }
}

}  // namespace remitod::daemon
