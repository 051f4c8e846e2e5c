// Moments as a request writes them: the other direction of times.h.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "carriers/tracking.h"

namespace remitod::carriers {

/// `format` is strftime's ("%Y-%m-%dT%H:%M:%S%Ez"; %S and %T are whole seconds), "epoch_s" or "epoch_ms". `zone` is an
/// IANA name; UTC where it is not known. The error says that the format is none.
std::expected<std::string, std::string> write_time(Instant at, std::string_view format, std::string_view zone);

}  // namespace remitod::carriers
