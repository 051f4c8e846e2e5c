#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "carriers/document_tree.h"
#include "carriers/excerpt.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;

/// Colons are legal in XML, but XPath would look for a namespace. Beyond ASCII nearly everything is legal.
bool is_name_character(char c, bool first) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80)
    return true;
  return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
}

void drop_forbidden(std::string& text) {
  std::erase_if(text, [](char c) { return is_forbidden_in_xml(c); });
}

/// What a key of an object is called in the tree.
struct ElementName {
  std::string name = "item";
  std::optional<std::string> key;  ///< as the carrier wrote it, where that is no name
};

ElementName element_name(std::string key) {
  std::string name = key.empty() ? "_" : key;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (!is_name_character(name[i], i == 0)) name[i] = '_';
  if (name == key) return {.name = std::move(name), .key = std::nullopt};
  return {.name = std::move(name), .key = std::move(key)};
}

/// Receives what nlohmann's parser reads, which recurses nowhere, and writes it into the tree at once.
class TreeWriter {
 public:
  TreeWriter(pugi::xml_document& tree, const DecodeOptions& options, std::size_t size)
      : tree_(tree), options_(options), size_(size) {}

  std::optional<DecodeError> error;

  bool null() { return scalar({}, "null"); }
  bool boolean(bool value) { return scalar(value ? "true" : "false", "boolean"); }
  /// Only what has a minus sign comes here, so that 0 was written "-0".
  bool number_integer(std::int64_t value) { return scalar(value == 0 ? "-0" : std::to_string(value), "number"); }
  bool number_unsigned(std::uint64_t value) { return scalar(std::to_string(value), "number"); }
  /// Also integers beyond 64 bits. `digits` is the number as written.
  bool number_float(double, const std::string& digits) { return scalar(digits, "number"); }
  bool string(std::string& value) {
    drop_forbidden(value);
    return scalar(value, nullptr);
  }
  bool binary(json::binary_t&) { return false; }  // there is none in JSON text

  bool start_object(std::size_t) {
    const pugi::xml_node element = append_element();
    return element && enter({.element = element});
  }
  bool key(std::string& key) {
    drop_forbidden(key);
    open_.back().next = element_name(std::move(key));
    return true;
  }
  bool end_object() {
    leave("object");
    return true;
  }

  /// An array that is the value of a key has no element of its own, unless it is empty: its items repeat the key's.
  bool start_array(std::size_t) {
    if (!open_.empty() && !open_.back().is_array) {
      open_.back().is_empty = false;
      return enter({.element = open_.back().element, .is_array = true, .repeats_key = true, .next = open_.back().next});
    }
    const pugi::xml_node element = append_element();
    return element && enter({.element = element, .is_array = true});
  }
  bool end_array() {
    if (open_.back().repeats_key && open_.back().is_empty) {
      const pugi::xml_node element = append_element();
      if (!element) return false;
      open_.back() = {.element = element, .is_array = true};
    }
    leave("array");
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& exception) {
    const bool ended = position > size_;  // it asked for a byte more than there are
    const std::string_view words = exception.what();
    error = DecodeError{ended ? DecodeError::Kind::truncated : DecodeError::Kind::malformed,
                        "byte " + std::to_string(position) + ": " + excerpt(words, words.find(' ') + 1, 160)};
    return false;
  }

 private:
  struct Container {
    pugi::xml_node element;  ///< where its values are appended
    bool is_array = false;
    bool repeats_key = false;
    bool is_empty = true;
    ElementName next{};  ///< of the value that comes next; of an array's values, all of them
  };

  bool enter(Container container) {
    if (open_.size() >= options_.depth_max) {
      error = too_deep(options_);
      return false;
    }
    open_.push_back(std::move(container));
    return true;
  }

  void leave(const char* type) {
    Container& container = open_.back();
    if (container.is_empty) container.element.append_attribute("type").set_value(type);
    open_.pop_back();
  }

  bool count_node() {
    if (++nodes_ > options_.nodes_max) error = too_many_nodes(options_);
    return !error;
  }

  /// The element of the value that comes now; none where it would be one too many.
  pugi::xml_node append_element() {
    if (!count_node()) return {};
    if (open_.empty()) return tree_.append_child("json");
    Container& parent = open_.back();
    parent.is_empty = false;
    pugi::xml_node element = parent.element.append_child(parent.next.name.c_str());
    if (parent.next.key) element.append_attribute("key").set_value(parent.next.key->c_str());
    return element;
  }

  /// `type` is null for strings.
  bool scalar(std::string_view text, const char* type) {
    pugi::xml_node element = append_element();
    if (!element) return false;
    if (type != nullptr) element.append_attribute("type").set_value(type);
    if (text.empty()) return true;
    if (!count_node()) return false;
    return element.append_child(pugi::node_pcdata).set_value(text.data(), text.size());
  }

  pugi::xml_document& tree_;
  const DecodeOptions& options_;
  std::size_t size_;
  std::size_t nodes_ = 0;
  std::vector<Container> open_;
};

}  // namespace

Tree json_tree(std::string_view text, const DecodeOptions& options) {
  auto tree = std::make_unique<pugi::xml_document>();
  TreeWriter writer(*tree, options, text.size());
  if (!json::sax_parse(text.begin(), text.end(), &writer)) return std::unexpected(*std::move(writer.error));
  return tree;
}

}  // namespace remitod::carriers
