// Request templates: mustache, with escaping by context and without its silence about missing values.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/profile.h"
#include "carriers/request.h"

namespace remitod::carriers {

/// How {{variables}} are escaped where they stand. {{{triple}}} and {{&x}} are refused when a profile is loaded.
enum class Escape : std::uint8_t { xml, json, url, none };

/// Method, URL, headers and body of one operation, compiled. Settings and secrets are filled in once, at load; what is
/// left are the variables of a shipment or an order.
struct RequestTemplate {
  struct Impl;
  std::shared_ptr<const Impl> impl;
};

}  // namespace remitod::carriers
