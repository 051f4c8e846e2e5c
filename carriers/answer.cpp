#include "carriers/answer.h"

#include <algorithm>
#include <array>
#include <pugixml.hpp>

#include "carriers/charset.h"
#include "carriers/document_tree.h"
#include "carriers/excerpt.h"

namespace remitod::carriers {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

bool starts_with_tag(std::string_view text, std::string_view tag) {
  if (text.size() <= tag.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  if (!std::ranges::equal(text.substr(0, tag.size()), tag, {}, lower)) return false;
  return text[tag.size()] == '>' || blanks.contains(text[tag.size()]);  // <html:report> is XML
}

/// Is the first thing after declarations and comments the start of an HTML page? Such pages are seldom XML.
bool is_html(std::string_view text) {
  constexpr std::array<std::string_view, 4> tags{"<!doctype html", "<html", "<head", "<body"};
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const bool comment = text.starts_with("<!--");
    if (!comment && !text.starts_with("<?")) break;
    const std::string_view close = comment ? "-->" : "?>";
    const std::size_t end = text.find(close);
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + close.size());
  }
  return std::ranges::any_of(tags, [&](std::string_view tag) { return starts_with_tag(text, tag); });
}

DecodeError html_page(std::string_view text) {
  return {DecodeError::Kind::html, "an HTML page: '" + excerpt(text, 0, 200) + "'"};
}

}  // namespace

DecodeError too_deep(const DecodeOptions& options) {
  return {DecodeError::Kind::too_deep, "nested more than " + std::to_string(options.depth_max) + " deep"};
}

DecodeError too_many_nodes(const DecodeOptions& options) {
  return {DecodeError::Kind::too_many_nodes, "more than " + std::to_string(options.nodes_max) + " nodes"};
}

DecodeError wrong_at(DecodeError::Kind kind, std::string_view text, std::size_t at, std::string_view what) {
  std::size_t from = at - std::min<std::size_t>(at, 60);
  while (from < at && utf8_sequence(text, from) == 0) ++from;  // not from the middle of a character
  return {kind, "byte " + std::to_string(at) + ": " + std::string(what) + ": '" + excerpt(text, from, 120) + "'"};
}

Document::Document(std::unique_ptr<pugi::xml_document> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

std::expected<Document, DecodeError> decode(std::string_view body, std::string_view content_type,
                                            const DecodeOptions& options) {
  std::string converted;
  const auto utf8 = utf8_text(body, content_type, options, converted);
  if (!utf8) return std::unexpected(is_html(body) ? html_page(body) : utf8.error());

  const std::size_t first = utf8->find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return std::unexpected(DecodeError{DecodeError::Kind::empty, "the answer is empty"});
  const bool is_json_string = options.format == Format::json && (*utf8)[first] == '"';
  const std::size_t markup = is_json_string ? first : utf8->find_first_of("<{[");
  const std::size_t start = markup == std::string_view::npos ? first : markup;
  const std::string_view text = utf8->substr(start);
  if (is_html(text)) return std::unexpected(html_page(text));

  const bool is_xml = text.front() == '<';
  if (options.format == Format::xml && !is_xml)
    return std::unexpected(wrong_at(DecodeError::Kind::malformed, text, 0, "XML was promised"));
  if (options.format == Format::json && is_xml)
    return std::unexpected(wrong_at(DecodeError::Kind::malformed, text, 0, "JSON was promised"));

  Tree tree = is_xml ? xml_tree(text, options) : json_tree(text, options);
  if (!tree) return std::unexpected(std::move(tree.error()));
  return Document(*std::move(tree));
}

}  // namespace remitod::carriers
