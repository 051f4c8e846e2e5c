// Does an XPath become slow with the length of an answer? Private to carriers/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// The part of an expression that looks over the whole document, or over all neighbours of a node, each time it is
/// asked: "//Header", "count(preceding-sibling::event". Asked of every event, or in a predicate, that is quadratic in
/// the length of the answer, which a history of ten events hides and a batch of ten thousand does not. `per_node`: the
/// expression is asked of every shipment or event, not once of the document. What stops at the first node that fits, as
/// in following-sibling::x[1] and not(following-sibling::x), costs nothing. A guess from the text: neither every costly
/// expression is found, nor is every one that is found slow on what a carrier really sends.
std::optional<std::string> quadratic_part(std::string_view xpath, bool per_node);

}  // namespace remitod::carriers
