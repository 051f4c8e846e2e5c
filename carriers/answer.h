// Bytes of an answer -> one document tree, whatever the format. Profiles read the tree with XPath 1.0.
//
// XML: prefixes of elements and attributes stripped, namespace declarations dropped, CDATA is text. Comments,
//   processing instructions and blanks between elements are left out; entities other than XML's own five stay as
//   written.
// JSON: an object's keys are elements (a key that is no XML name is made one: illegal characters become '_', and every
//   element whose name differs from its key keeps the key in the attribute `key`), arrays are repeated elements of the
//   same name (a top-level array: <item> below the root; an array in an array: <item> below its element), the root is
//   <json>. A value is the element's text; null and "" have none. The attribute type="number|boolean|null" stands on
//   such values, type="object|array" on empty containers alone, so that a profile can tell them all apart: where events
//   may be [] or null, `events[not(@type)]` selects those that are there. Numbers keep the carrier's own digits.
//     {"id": 7, "ok": true, "gps": {}, "events": [{"1st": "a"}, {}], "none": []}  ->
//     <json><id type="number">7</id><ok type="boolean">true</ok><gps type="object"/>
//       <events><_st key="1st">a</_st></events><events type="object"/><none type="array"/></json>
// Both: converted to valid UTF-8 first (by BOM, header, declaration, then the profile's default); blanks, BOM or junk
//   before the first '<', '{' or '[' are skipped; control characters that XML forbids are dropped, and references to
//   them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace pugi {
class xml_document;
}

namespace remitod::carriers {

enum class Format : std::uint8_t { xml, json };

struct DecodeOptions {
  Format format = Format::xml;
  std::string charset{};       ///< the profile's; empty: UTF-8 where neither BOM, header nor declaration says otherwise
  std::size_t depth_max = 64;  ///< elements in elements; objects and arrays in each other
  std::size_t nodes_max = 2'000'000;  ///< elements, attributes and texts
};

struct DecodeError {
  enum class Kind : std::uint8_t {
    empty,
    html,       ///< an HTML page where data was promised
    truncated,  ///< ends in the middle
    malformed,
    charset,  ///< cannot be read in the charset that it claims
    too_deep,
    too_many_nodes,
  };
  Kind kind = Kind::malformed;
  std::string message;  ///< with the byte offset where known; at most 200 characters of the answer's text, control-free
};

/// Owns the tree. Destroying or reading a tree of depth_max is safe on a small stack.
class Document {
 public:
  explicit Document(std::unique_ptr<pugi::xml_document> tree);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();
  const pugi::xml_document& tree() const { return *tree_; }

 private:
  std::unique_ptr<pugi::xml_document> tree_;
};

/// `body` has already been cut to the transport's cap. Any thread.
std::expected<Document, DecodeError> decode(std::string_view body, std::string_view content_type,
                                            const DecodeOptions& options);

/// To UTF-8 from `charset` (any name that iconv knows). Invalid input is an error, never a replacement character;
/// one that ends inside a character is `truncated`.
std::expected<std::string, DecodeError> to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace remitod::carriers
