// What --try-carrier prints. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace remitod::daemon {

/// Of a trial (try_carrier.h): each request with its answer and the answer's tree, then what is read, at the end one
/// line that sums it up. What the carrier sent is printed without control characters: it may not play with a terminal.
std::string try_text(const nlohmann::json& trial, bool colours);

}  // namespace remitod::daemon
