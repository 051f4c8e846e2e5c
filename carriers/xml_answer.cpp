#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <pugixml.hpp>
#include <string>

#include "carriers/document_tree.h"

namespace remitod::carriers {
namespace {

/// The length of the reference like "&#3;" that `text` ends with, if it is to what XML forbids as a character; else 0.
/// pugixml would write it out: as a control character, as a surrogate that is no UTF-8, or as the NUL that ends a
/// string.
std::size_t forbidden_reference(std::string_view text) {
  const std::size_t hash = text.find_last_not_of("0123456789abcdefABCDEFx", text.size() - 2);
  if (hash == std::string_view::npos || hash == 0 || text.substr(hash - 1, 2) != "&#") return 0;
  const std::string_view digits = text.substr(hash + 1, text.size() - hash - 2);
  const bool hexadecimal = digits.starts_with('x');
  std::uint32_t code = 0;
  const char* const digits_end = digits.data() + digits.size();
  const auto [end, error] =
      std::from_chars(digits.data() + (hexadecimal ? 1 : 0), digits_end, code, hexadecimal ? 16 : 10);
  if (error == std::errc::invalid_argument || end != digits_end) return 0;
  const bool forbidden = error == std::errc::result_out_of_range || code > 0x10ffff ||
                         (code >= 0xd800 && code <= 0xdfff) ||
                         (code < 0x20 && is_forbidden_in_xml(static_cast<char>(code)));
  return forbidden ? digits.size() + 3 : 0;
}

/// May there be something to leave out? Nearly always no, so this goes over blocks whose size lets compilers use
/// vectors.
bool may_hold_forbidden(std::string_view text) {
  constexpr std::size_t block = 64;
  std::size_t at = 0;
  for (; at + block <= text.size(); at += block) {
    unsigned char found = 0;
    for (std::size_t i = 0; i < block; ++i) {
      const auto byte = static_cast<unsigned char>(text[at + i]);
      found |= static_cast<unsigned char>((byte < 0x20) & (byte != '\t') & (byte != '\n') & (byte != '\r'));
    }
    if (found != 0) return true;
  }
  return std::ranges::any_of(text.substr(at), [](char c) { return is_forbidden_in_xml(c); }) || text.contains("&#");
}

/// Copies `text` without forbidden characters and references to them. Returns how many bytes were written. References
/// are looked for in what was written, because leaving something out can make one of what stood around it.
std::size_t copy_permitted(std::string_view text, char* to) {
  if (!may_hold_forbidden(text)) return text.copy(to, text.size());
  std::size_t written = 0;
  for (const char c : text) {
    if (is_forbidden_in_xml(c)) continue;
    to[written++] = c;
    if (c == ';') written -= forbidden_reference({to, written});
  }
  return written;
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
    const bool is_element = node.type() == pugi::node_element;
    if (is_element) simplify(node);
    // The walker counts the children of the document as 0.
    if (is_element && static_cast<std::size_t>(depth()) >= options_.depth_max)
      error = too_deep(options_);
    else if (++nodes_ > options_.nodes_max)
      error = too_many_nodes(options_);
    return !error;
  }

 private:
  void simplify(pugi::xml_node& element) {
    strip_prefix(element);
    for (pugi::xml_attribute attribute = element.first_attribute(); attribute;) {
      const pugi::xml_attribute next = attribute.next_attribute();
      if (is_namespace(attribute.name())) {
        element.remove_attribute(attribute);
      } else {
        strip_prefix(attribute);
        ++nodes_;
      }
      attribute = next;
    }
  }

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
  if (status == pugi::status_no_document_element) return true;
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

  auto tree = std::make_unique<pugi::xml_document>();
  // pugixml parses in place, in memory that the tree then owns.
  auto* const buffer = static_cast<char*>(pugi::get_memory_allocation_function()(text.size()));
  if (buffer == nullptr) throw std::bad_alloc();
  const std::size_t size = copy_permitted(text, buffer);
  const pugi::xml_parse_result result =
      tree->load_buffer_inplace_own(buffer, size, pugi::parse_default, pugi::encoding_utf8);
  if (!result) {
    const auto at = static_cast<std::size_t>(std::max<std::ptrdiff_t>(result.offset, 0));
    return std::unexpected(at + 1 >= size || ends_at(text, at, result.status)
                               ? wrong_at(DecodeError::Kind::truncated, text, at, "the XML ends in the middle")
                               : wrong_at(DecodeError::Kind::malformed, text, at, result.description()));
  }
  Simplifier simplifier(options);
  tree->traverse(simplifier);
  if (simplifier.error) return std::unexpected(*std::move(simplifier.error));
  return tree;
}

}  // namespace remitod::carriers
