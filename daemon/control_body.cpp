#include "daemon/control_body.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/shallow_json.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

bool among(std::initializer_list<std::string_view> keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

}  // namespace

std::expected<ControlBody, std::string> parse_control_body(const std::string& body,
                                                           std::initializer_list<std::string_view> required,
                                                           std::initializer_list<std::string_view> optional) {
  const json wanted = parse_shallow_json(body);
  if (!wanted.is_object()) return std::unexpected("expected a JSON object");
  ControlBody result;
  for (const auto& [key, value] : wanted.items()) {
    if (among(required, key)) {
      if (!value.is_string() || value.get_ref<const std::string&>().empty())
        return std::unexpected(key + " is no text, or empty");
      result.texts.emplace(key, value.get<std::string>());
    } else if (key == "since" && among(optional, key)) {
      result.since = value.is_string() ? from_iso8601(value.get<std::string>()) : std::nullopt;
      if (!result.since) return std::unexpected("since is no moment such as 2026-11-23T00:00:00Z");
    } else if (key == "dry_run" && among(optional, key)) {
      if (!value.is_boolean()) return std::unexpected("dry_run is neither true nor false");
      result.dry_run = value.get<bool>();
    } else {
      return std::unexpected("unknown key " + key);
    }
  }
  for (const std::string_view key : required)
    if (!result.texts.contains(key)) return std::unexpected(std::string(key) + " is missing");
  return result;
}

ControlAnswer control_failure(int status, std::string_view message) {
  return {status, json{{"error", message}}.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace remitod::daemon
