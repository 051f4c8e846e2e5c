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

void drop_forbidden(std::string& text) {
  std::erase_if(text, [](char c) { return is_forbidden_in_xml(c); });
}

/// What a key of an object is called in the tree.
struct KeyName {
  std::string name = "item";
  std::optional<std::string> key;  ///< as the carrier wrote it, where that is no name
};

KeyName name_of_key(std::string key) {
  std::string name = element_name(key);
  if (name == key) return {.name = std::move(name), .key = std::nullopt};
  return {.name = std::move(name), .key = std::move(key)};
}

/// Receives what nlohmann's parser reads, which recurses nowhere, and writes it into the tree at once.
class JsonWriter {
 public:
  JsonWriter(pugi::xml_node root, std::size_t depth, std::size_t size, TreeBuilder& builder)
      : root_(root), depth_(depth), size_(size), builder_(builder) {}

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
    if (key.size() > name_bytes_max) {
      builder_.fail(name_too_long(key));
      return false;
    }
    open_.back().next = name_of_key(std::move(key));
    return true;
  }
  bool end_object() {
    leave("object");
    return !builder_.error();
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
    return !builder_.error();
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& exception) {
    const bool ended = position > size_;  // it asked for a byte more than there are
    const std::string_view words = exception.what();
    builder_.fail({ended ? DecodeError::Kind::truncated : DecodeError::Kind::malformed,
                   "byte " + std::to_string(position) + ": " + excerpt(words, words.find(' ') + 1, 160)});
    return false;
  }

 private:
  struct Container {
    pugi::xml_node element;  ///< where its values are appended
    bool is_array = false;
    bool repeats_key = false;
    bool is_empty = true;
    KeyName next{};  ///< of the value that comes next; of an array's values, all of them
  };

  bool enter(Container container) {
    if (depth_ + open_.size() >= builder_.options().depth_max) {
      builder_.fail(too_deep(builder_.options()));
      return false;
    }
    open_.push_back(std::move(container));
    return true;
  }

  void leave(const char* type) {
    Container& container = open_.back();
    if (container.is_empty) set_attribute(container.element, "type", type);
    open_.pop_back();
  }

  /// The element of the value that comes now; none where it would be one too many.
  pugi::xml_node append_element() {
    if (open_.empty()) return root_;
    Container& parent = open_.back();
    parent.is_empty = false;
    pugi::xml_node element = builder_.append(parent.element, parent.next.name.c_str());
    if (element && parent.next.key) set_attribute(element, "key", parent.next.key->c_str());
    return element;
  }

  void set_attribute(pugi::xml_node element, const char* name, const char* value) {
    if (builder_.count_nodes(1)) element.append_attribute(name).set_value(value);
  }

  /// `type` is null for strings.
  bool scalar(std::string_view text, const char* type) {
    pugi::xml_node element = append_element();
    if (!element) return false;
    if (type != nullptr) set_attribute(element, "type", type);
    if (text.empty()) return !builder_.error();
    if (!builder_.count_nodes(1)) return false;
    return element.append_child(pugi::node_pcdata).set_value(text.data(), text.size());
  }

  pugi::xml_node root_;
  std::size_t depth_;
  std::size_t size_;
  TreeBuilder& builder_;
  std::vector<Container> open_;
};

}  // namespace

void read_json_into(pugi::xml_node root, std::size_t depth, std::string_view text, TreeBuilder& builder) {
  JsonWriter writer(root, depth, text.size(), builder);
  json::sax_parse(text.begin(), text.end(), &writer);
}

}  // namespace remitod::carriers
