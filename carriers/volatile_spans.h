// Parts of an answer that differ each time and say nothing of a shipment: a clock, the number of a request. A profile
// states between which texts they stand ([[track.answer.volatile]]), so that an answer which is otherwise the last one
// is known by its bytes and need not be read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// All between the two texts, as they stand in the body, at each place where `after` does; neither is empty. What
/// begins and does not end is no span.
struct VolatileSpan {
  std::string after, before;
};

/// Of the body without what lies in the spans. Without any: remitod::fingerprint(body).
std::uint64_t steady_fingerprint(std::string_view body, std::span<const VolatileSpan> spans);

/// As another answer could be: with other letters and digits in the spans, as many of each.
std::string with_other_values(std::string_view body, std::span<const VolatileSpan> spans);

/// It stands somewhere in the body, and ends.
bool has_span(std::string_view body, const VolatileSpan& span);

}  // namespace remitod::carriers
