// The last step to an HTTP request: templates that wait only for what is known when it goes out. Private to carriers/.
#pragma once

#include <expected>
#include <span>

#include "carriers/compiled.h"
#include "carriers/request.h"
#include "carriers/template.h"

namespace remitod::carriers {

/// Body, URL and headers in this order, since each may sign the ones before. `times.registered` is left to the items.
std::expected<HttpRequest, RequestError> fill_request(const CompiledProfile& profile, const CutTemplate& request,
                                                      const Call& call, const FeedWindow& window = {},
                                                      std::span<const ItemValues> items = {});

}  // namespace remitod::carriers
