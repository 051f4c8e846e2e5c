// JSON that somebody sent us.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace remitod::daemon {

/// nlohmann's values are copied and printed by recursion, which a text nested a hundred thousand deep would lead off
/// the stack.
inline constexpr int json_depth_max = 64;

/// Discarded where it is no JSON, or a value stands deeper in it than that.
nlohmann::json parse_shallow_json(std::string_view text);

}  // namespace remitod::daemon
