// The last step to an HTTP request: templates that wait only for what is known when it goes out. Private to carriers/.
#pragma once

#include <expected>
#include <span>

#include "carriers/compiled.h"
#include "carriers/request.h"
#include "carriers/template.h"

namespace remitod::carriers {

/// Body, URL and headers in this order, since each may sign the ones before: of the body, the bytes that are sent.
/// `times.registered` is left to the items. `order`: what the templates were filled from, to name a field of it in a
/// refusal.
std::expected<HttpRequest, RequestError> fill_request(const CompiledProfile& profile, const CutTemplate& request,
                                                      const Call& call, const FeedWindow& window = {},
                                                      std::span<const ItemValues> items = {},
                                                      const JsonValue* order = nullptr);

}  // namespace remitod::carriers
