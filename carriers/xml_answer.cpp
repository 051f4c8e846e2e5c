#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <pugixml.hpp>
#include <string>

#include "carriers/document_tree.h"

namespace remitod::carriers {
namespace {

/// The length of a reference like "&#3;" at the start of `text` to what XML forbids as a character; 0 for all else.
/// pugixml would write it out: as a control character, as a surrogate that is no UTF-8, or as the NUL that ends a
/// string.
std::size_t forbidden_reference(std::string_view text) {
  if (!text.starts_with("&#")) return 0;
  const bool hexadecimal = text.substr(2).starts_with('x');
  const char* const digits = text.data() + (hexadecimal ? 3 : 2);
  const char* const text_end = text.data() + text.size();
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(digits, text_end, code, hexadecimal ? 16 : 10);
  if (error == std::errc::invalid_argument || end == text_end || *end != ';') return 0;
  const bool forbidden = error == std::errc::result_out_of_range || code > 0x10ffff ||
                         (code >= 0xd800 && code <= 0xdfff) ||
                         (code < 0x20 && is_forbidden_in_xml(static_cast<char>(code)));
  return forbidden ? static_cast<std::size_t>(end + 1 - text.data()) : 0;
}

/// Copies `text` without forbidden characters and references to them. Returns how many bytes were written.
std::size_t copy_permitted(std::string_view text, char* to) {
  char* const first = to;
  std::size_t at = 0;
  while (at < text.size()) {
    const char* const from = text.data() + at;
    const char* const stop =
        std::find_if(from, text.data() + text.size(), [](char c) { return c == '&' || is_forbidden_in_xml(c); });
    const auto length = static_cast<std::size_t>(stop - from);
    std::memcpy(to, from, length);
    to += length;
    at += length;
    if (at == text.size()) break;
    std::size_t dropped = *stop == '&' ? forbidden_reference(text.substr(at)) : 1;
    if (dropped == 0) {
      *to++ = text[at];
      dropped = 1;
    }
    at += dropped;
  }
  return static_cast<std::size_t>(to - first);
}

/// Elements that begin in `text`; those in comments and CDATA count too.
std::size_t count_elements(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1))
    if (at + 1 < text.size() && text[at + 1] != '/') ++count;
  return count;
}

/// Strips prefixes and namespace declarations, and counts. pugixml walks without recursion.
class Simplifier : public pugi::xml_tree_walker {
 public:
  explicit Simplifier(const DecodeOptions& options) : options_(options) {}
  std::optional<DecodeError> error;

  bool for_each(pugi::xml_node& node) override {
    strip_prefix(node);
    for (pugi::xml_attribute attribute = node.first_attribute(); attribute;) {
      const pugi::xml_attribute next = attribute.next_attribute();
      if (is_namespace(attribute.name())) {
        node.remove_attribute(attribute);
      } else {
        strip_prefix(attribute);
        ++nodes_;
      }
      attribute = next;
    }
    // The walker counts the children of the document as 0.
    if (node.type() == pugi::node_element && static_cast<std::size_t>(depth()) >= options_.depth_max)
      error = too_deep(options_);
    else if (++nodes_ > options_.nodes_max)
      error = too_many_nodes(options_);
    return !error;
  }

 private:
  static bool is_namespace(std::string_view name) { return name == "xmlns" || name.starts_with("xmlns:"); }

  template <class Named>
  void strip_prefix(Named& named) {
    const char* const colon = std::strchr(named.name(), ':');
    if (colon == nullptr || colon[1] == '\0') return;
    // By way of a copy, because pugixml writes the shorter name over the longer one with memcpy.
    local_name_.assign(colon + 1);
    named.set_name(local_name_.c_str());
  }

  const DecodeOptions& options_;
  std::size_t nodes_ = 0;
  std::string local_name_;
};

/// Did pugixml stop at `at` because the text ends in the middle of something?
bool ends_at(std::string_view text, std::size_t at, pugi::xml_parse_status status) {
  if (status == pugi::status_no_document_element || at + 1 >= text.size()) return true;
  // Of what never ends, it tells where that begins. An attribute that ends with the text has not ended for it.
  const auto lacks = [&](std::string_view end, std::size_t but_last = 0) {
    return text.substr(0, text.size() - but_last).find(end, at) == std::string_view::npos;
  };
  if (status == pugi::status_end_element_mismatch) return lacks(">");
  if (status == pugi::status_bad_cdata) return lacks("]]>");
  const std::string_view quote = at == 0 ? std::string_view{} : text.substr(at - 1, 1);
  return status == pugi::status_bad_attribute && (quote == "\"" || quote == "'") && lacks(quote, 1);
}

}  // namespace

// Depth is looked at after parsing: pugixml parses and frees a tree of any depth without recursion, and nobody else
// sees the tree before. The number of nodes is bounded first, because each is many times as big as the bytes that make
// one.
Tree xml_tree(std::string_view text, const DecodeOptions& options) {
  constexpr std::size_t element_bytes_min = 3;  // <a>
  if (text.size() / element_bytes_min > options.nodes_max && count_elements(text) > options.nodes_max)
    return std::unexpected(too_many_nodes(options));

  // pugixml parses in place, in memory that the tree then owns.
  auto* const buffer = static_cast<char*>(pugi::get_memory_allocation_function()(text.size()));
  if (buffer == nullptr) throw std::bad_alloc();
  const std::size_t size = copy_permitted(text, buffer);
  auto tree = std::make_unique<pugi::xml_document>();
  const pugi::xml_parse_result result =
      tree->load_buffer_inplace_own(buffer, size, pugi::parse_default, pugi::encoding_utf8);
  if (!result) {
    const auto at = static_cast<std::size_t>(std::max<std::ptrdiff_t>(result.offset, 0));
    return std::unexpected(ends_at(text, at, result.status)
                               ? wrong_at(DecodeError::Kind::truncated, text, at, "the XML ends in the middle")
                               : wrong_at(DecodeError::Kind::malformed, text, at, result.description()));
  }
  Simplifier simplifier(options);
  tree->traverse(simplifier);
  if (simplifier.error) return std::unexpected(*std::move(simplifier.error));
  return tree;
}

}  // namespace remitod::carriers
