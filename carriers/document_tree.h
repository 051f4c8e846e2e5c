// From valid UTF-8 to the document tree, one function for each format. Private to carriers/; answer.h says what the
// trees look like.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/answer.h"

namespace remitod::carriers {

/// Longer keys and headers are no names, and every element would carry its own copy.
inline constexpr std::size_t name_bytes_max = 256;
/// Cells of a row, empty ones included.
inline constexpr std::size_t columns_max = 10'000;

/// Writes one tree: counts what is added to it, documents embedded in it included, and keeps what there is to tell.
class TreeBuilder {
 public:
  explicit TreeBuilder(const DecodeOptions& options);

  const DecodeOptions& options() const { return options_; }
  pugi::xml_document& tree() { return *tree_; }

  /// False, with the error set: there are too many now.
  bool count_nodes(std::size_t nodes);
  /// The new last child; none where it would be one too many.
  pugi::xml_node append(pugi::xml_node parent, const char* name);
  /// An element with a text, which none is made for where it is empty. Forbidden characters are left out.
  bool append_text(pugi::xml_node parent, const char* name, std::string_view text);
  void fail(DecodeError error);  ///< the first counts
  const std::optional<DecodeError>& error() const { return error_; }
  void note(std::string text);

  /// The document, or the error.
  std::expected<Document, DecodeError> take() &&;

 private:
  const DecodeOptions& options_;
  std::unique_ptr<pugi::xml_document> tree_;
  std::size_t nodes_ = 0;
  std::optional<DecodeError> error_;
  std::vector<std::string> notes_;
  std::size_t notes_unlisted_ = 0;
};

// What is wrong goes to builder.fail() or builder.note().

/// `text` starts with '<'.
void read_xml(std::string_view text, TreeBuilder& builder);
/// The same below `parent`, which is `depth` elements deep and holds nothing.
void read_xml_into(pugi::xml_node parent, std::size_t depth, std::string_view text, TreeBuilder& builder);
/// `text` starts with the value, which is written into `root`, an element `depth` elements deep.
void read_json_into(pugi::xml_node root, std::size_t depth, std::string_view text, TreeBuilder& builder);
void read_csv(std::string_view text, TreeBuilder& builder);
void read_fixed_width(std::string_view text, TreeBuilder& builder);
void read_edifact(std::string_view text, TreeBuilder& builder);
void read_x12(std::string_view text, TreeBuilder& builder);

/// Opens the documents that options().embedded points to.
void open_embedded(TreeBuilder& builder);

/// A C0 control other than tab, line feed and carriage return: such characters are dropped.
inline bool is_forbidden_in_xml(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
}

/// The name of an element for what a carrier calls `key`: illegal characters become '_'.
std::string element_name(std::string_view key);

/// An error page where data was promised, or nothing.
std::optional<DecodeError> html_page(std::string_view text);

DecodeError too_deep(const DecodeOptions& options);
DecodeError too_many_nodes(const DecodeOptions& options);
DecodeError name_too_long(std::string_view name);
/// "byte 812: what: '...'", with the text around `at`.
DecodeError wrong_at(DecodeError::Kind kind, std::string_view text, std::size_t at, std::string_view what);

}  // namespace remitod::carriers
