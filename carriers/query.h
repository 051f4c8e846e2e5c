// Reading a document tree with compiled queries, and making what was read fit to store and to show. Private to
// carriers/.
#pragma once

#include <pugixml.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// An XPath expression with the key it came from, for messages.
struct Query {
  std::string key;  ///< "track.answer.events"
  std::string text;
  pugi::xpath_query compiled;
};

/// The boolean value of a query at a node.
bool holds(const Query& query, const pugi::xpath_node& node);
/// The nodes of a query at a node, in the order of the document.
pugi::xpath_node_set select(const Query& query, const pugi::xpath_node& node);
/// The string value of a query at a node, tidied.
std::string read(const Query& query, const pugi::xpath_node& node, std::size_t bytes_max);

/// Any bytes as one line of valid UTF-8: control characters removed, runs of blanks made one, none at the ends, bytes
/// that are no UTF-8 shown as '?', cut to `bytes_max` between two characters.
std::string tidy(std::string_view text, std::size_t bytes_max);

}  // namespace remitod::carriers
