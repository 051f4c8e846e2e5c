// The text of an XML document as profiles want its tree: element names without prefixes, no namespace declarations.
// Private to carriers/.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "carriers/document_tree.h"

namespace remitod::carriers {

/// Writes `text`, which begins `depth` elements deep, to `to`, which has room for as much, and counts its nodes.
/// Returns how many bytes were written, or nothing: it is not well formed, or the builder has the error that it is too
/// deep or has too many nodes. Not all that is wrong is seen: the parser is to look at the rest.
///
/// Done to the text, because the copy that pugixml parses in place has to be made anyway: renaming in the tree takes a
/// dozen calls into the library for each node, which was more than parsing.
std::optional<std::size_t> simplify_xml(std::string_view text, std::size_t depth, char* to, TreeBuilder& builder);

}  // namespace remitod::carriers
