// Bytes of an answer -> one document tree, whatever the format. Profiles read the tree with XPath 1.0.
//
// XML: prefixes of elements and attributes stripped, namespace declarations dropped, CDATA is text.
// JSON: an object's keys are elements (a key that is no XML name is made one: illegal characters become '_', and every
//   element whose name differs from its key keeps the key in the attribute `key`), arrays are repeated elements of the
//   same name (a top-level array: <item> below the root; an array in an array: <item> below its element), the root is
//   <json>. A value is the element's text; null and "" have none; attribute type="number|boolean|null|object|array" on
//   all but strings and on empty containers, so that a profile can tell them apart. Numbers keep the carrier's own
//   digits.
// Both: converted to valid UTF-8 first (by BOM, header, declaration, then the profile's default); blanks, BOM or junk
// before
//   the first '<', '{' or '[' are skipped; control characters that XML forbids are dropped.
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
  std::string charset;  ///< the profile's; empty: UTF-8 where neither BOM, header nor declaration says otherwise
  std::size_t depth_max = 64;
  std::size_t nodes_max = 2'000'000;
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

/// `body` has already been cut to the transport's cap.
std::expected<Document, DecodeError> decode(std::string_view body, std::string_view content_type,
                                            const DecodeOptions& options);

/// To UTF-8 from `charset` (any name that iconv knows). Invalid input is an error, never a replacement character.
std::expected<std::string, DecodeError> to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace remitod::carriers
