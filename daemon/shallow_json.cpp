#include "daemon/shallow_json.h"

#include <nlohmann/json.hpp>

namespace remitod::daemon {

using nlohmann::json;

json parse_shallow_json(std::string_view text) {
  bool is_too_deep = false;
  const auto keep = [&is_too_deep](int depth, json::parse_event_t, json&) {
    is_too_deep |= depth > json_depth_max;
    return !is_too_deep;
  };
  json parsed = json::parse(text, keep, false);
  return is_too_deep ? json(json::value_t::discarded) : parsed;
}

}  // namespace remitod::daemon
