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
//   may be [] or null, `events[not(@type)]` selects those that are there. Numbers keep the carrier's own digits. JSONP,
//   `callback({...});`, is read as what stands in the parentheses.
//     {"id": 7, "ok": true, "gps": {}, "events": [{"1st": "a"}, {}], "none": []}  ->
//     <json><id type="number">7</id><ok type="boolean">true</ok><gps type="object"/>
//       <events><_st key="1st">a</_st></events><events type="object"/><none type="array"/></json>
// CSV (RFC 4180, and what is sent in its name): <csv><row><NAME>cell</NAME>...</row>...</csv>. Names come from the
//   header as from JSON keys; a column without a name is c1, c2 ... by its place. Empty cells are empty elements.
// Fixed width: <fixed_width><row><NAME>value</NAME>...</row>...</fixed_width>, with a record's own name for <row>.
// EDIFACT (ISO 9735) and X12 (X12.5, X12.6): segments are elements, and in them e1, e2 ... by place, and in these
//   always c1, c2 ... even where there is one component alone. What is empty is left out. Repeated data elements are
//   repeated. Around them the envelopes:
//     <edifact><interchange><UNB/><message><UNH/>...<UNT/></message><UNZ/></interchange></edifact>
//     <x12><interchange><ISA/><functional_group><GS/><transaction><ST/>...<SE/></transaction><GE/></functional_group>
//       <IEA/></interchange></x12>
//   (UNG is a <functional_group> too.) A segment that begins a group by the profile, and all that follows until the
//   next that begins this group or one around it, stand in <TAG_group>.
// All: converted to valid UTF-8 first (by BOM, header, declaration, then the profile's default; UTF-8 that is called
//   Latin-1 is UTF-8); of a multipart answer
//   (RFC 2046) one part is read; control characters that XML forbids are dropped, and references to them. XML and JSON:
//   blanks, BOM or junk before the first '<', '{' or '[' are skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pugi {
class xml_document;
class xpath_query;
}  // namespace pugi

namespace remitod::carriers {

enum class Format : std::uint8_t { xml, json, csv, fixed_width, edifact, x12 };

struct CsvOptions {
  std::string separator = ",";
  char quote = '"';  ///< doubled inside of a quoted cell; NUL: cells are not quoted
  bool header = true;
  std::size_t skip_lines = 0;  ///< before the header
};

struct FixedWidthOptions {
  struct Column {
    std::string name;
    std::size_t start = 1;  ///< in characters, from 1
    std::size_t width = 1;
  };
  struct Record {
    std::string name = "row";
    std::string prefix{};  ///< how lines of this kind begin; the first record that fits is taken
    std::vector<Column> columns{};
  };
  std::vector<Record> records{};
};

struct DecodeOptions {
  Format format = Format::xml;
  std::string charset{};  ///< the profile's; empty: UTF-8 where neither BOM, header nor declaration says otherwise
  std::string part{};     ///< of a multipart answer: its media type, Content-ID or name; empty: the first
  /// Elements whose text is an XML or JSON document of its own, which then stands in its place; in this order.
  std::vector<std::shared_ptr<const pugi::xpath_query>> embedded{};
  CsvOptions csv{};
  FixedWidthOptions fixed_width{};
  std::vector<std::string> segment_groups{};  ///< "CNI", "CNI/STS": the segments that begin a group, and in which
  std::size_t depth_max = 64;                 ///< elements in elements; objects and arrays in each other
  std::size_t nodes_max = 1'000'000;          ///< elements, attributes and texts
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
  explicit Document(std::unique_ptr<pugi::xml_document> tree, std::vector<std::string> notes = {});
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();
  const pugi::xml_document& tree() const { return *tree_; }
  /// What was wrong and could be read all the same: a missing trailer, a row of the wrong length. At most 20 and one
  /// that counts the rest, of the form of DecodeError::message.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::unique_ptr<pugi::xml_document> tree_;
  std::vector<std::string> notes_;
};

/// `body` has already been cut to the transport's cap. Any thread.
std::expected<Document, DecodeError> decode(std::string_view body, std::string_view content_type,
                                            const DecodeOptions& options);

/// To UTF-8 from `charset` (any name that iconv knows). Invalid input is an error, never a replacement character;
/// one that ends inside a character is `truncated`.
std::expected<std::string, DecodeError> to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace remitod::carriers
