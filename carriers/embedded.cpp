// Documents that lie escaped in the text of an element: SOAP services that return a string of XML, and JSON services
// that return a string of JSON.
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "carriers/document_tree.h"

namespace remitod::carriers {
namespace {

/// The text of an element that holds nothing else, without blanks at the ends. Programs that write a document into
/// memory first leave its byte order mark before it.
std::string only_text(const pugi::xml_node& element) {
  std::string text;
  for (const pugi::xml_node& child : element.children()) {
    if (child.type() == pugi::node_element) return {};
    text += child.value();
  }
  constexpr std::string_view blanks = " \t\r\n", mark = "\xef\xbb\xbf";
  text.erase(0, text.find_first_not_of(blanks));
  text.erase(text.find_last_not_of(blanks) + 1);
  if (text.starts_with(mark)) text.erase(0, mark.size());
  return text;
}

std::size_t depth_of(pugi::xml_node element) {
  std::size_t depth = 0;
  for (; element.parent(); element = element.parent()) ++depth;
  return depth;
}

void open(pugi::xml_node element, TreeBuilder& builder) {
  const std::string text = only_text(element);
  if (text.empty() || !std::string_view("<{[").contains(text.front())) return;
  if (auto page = html_page(text)) return builder.fail(*std::move(page));
  while (element.remove_child(element.first_child())) {
  }
  if (text.front() == '<')
    read_xml_into(element, depth_of(element), text, builder);
  else
    read_json_into(element, depth_of(element), text, builder);
}

}  // namespace

void open_embedded(TreeBuilder& builder) {
  for (const auto& query : builder.options().embedded) {
    std::vector<pugi::xml_node>
        elements;  // all before the first is opened: a text among them would be gone by its turn
    for (const pugi::xpath_node& found : query->evaluate_node_set(builder.tree()))
      if (found.node().type() == pugi::node_element) elements.push_back(found.node());
    for (const pugi::xml_node& element : elements) {
      open(element, builder);
      if (builder.error()) return;
    }
  }
}

}  // namespace remitod::carriers
