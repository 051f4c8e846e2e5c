#include "carriers/document_tree.h"

#include <algorithm>
#include <array>

#include "carriers/charset.h"
#include "carriers/excerpt.h"

namespace remitod::carriers {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";
constexpr std::size_t notes_max = 20;

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

/// Colons are legal in XML, but XPath would look for a namespace. Beyond ASCII nearly everything is legal.
bool is_name_character(char c, bool first) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80)
    return true;
  return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
}

}  // namespace

TreeBuilder::TreeBuilder(const DecodeOptions& options)
    : options_(options), tree_(std::make_unique<pugi::xml_document>()) {}

bool TreeBuilder::count_nodes(std::size_t nodes) {
  nodes_ += nodes;
  if (nodes_ > options_.nodes_max) fail(too_many_nodes(options_));
  return !error_;
}

void TreeBuilder::fail(DecodeError error) {
  if (!error_) error_ = std::move(error);
}

pugi::xml_node TreeBuilder::append(pugi::xml_node parent, const char* name) {
  if (!count_nodes(1)) return {};
  return parent.append_child(name);
}

bool TreeBuilder::append_text(pugi::xml_node parent, const char* name, std::string_view text) {
  const pugi::xml_node element = append(parent, name);
  if (!element) return false;
  if (text.empty()) return true;
  if (!count_nodes(1)) return false;
  pugi::xml_node content = pugi::xml_node(element).append_child(pugi::node_pcdata);
  if (std::ranges::none_of(text, is_forbidden_in_xml)) return content.set_value(text.data(), text.size());
  std::string permitted(text);
  std::erase_if(permitted, is_forbidden_in_xml);
  return content.set_value(permitted.c_str());
}

void TreeBuilder::note(std::string text) {
  if (notes_.size() < notes_max)
    notes_.push_back(std::move(text));
  else
    ++notes_unlisted_;
}

std::expected<Document, DecodeError> TreeBuilder::take() && {
  if (error_) return std::unexpected(*std::move(error_));
  if (notes_unlisted_ > 0) notes_.push_back("and " + std::to_string(notes_unlisted_) + " more of such notes");
  return Document(std::move(tree_), std::move(notes_));
}

std::string element_name(std::string_view key) {
  std::string name(key.empty() ? std::string_view("_") : key);
  for (std::size_t i = 0; i < name.size(); ++i)
    if (!is_name_character(name[i], i == 0)) name[i] = '_';
  return name;
}

std::optional<DecodeError> html_page(std::string_view text) {
  if (!is_html(text)) return std::nullopt;
  return DecodeError{DecodeError::Kind::html, "'" + excerpt(text, 0, 200) + "'"};
}

DecodeError too_deep(const DecodeOptions& options) {
  return {DecodeError::Kind::too_deep, "nested more than " + std::to_string(options.depth_max) + " deep"};
}

DecodeError too_many_nodes(const DecodeOptions& options) {
  return {DecodeError::Kind::too_many_nodes, "more than " + std::to_string(options.nodes_max) + " nodes"};
}

DecodeError name_too_long(std::string_view name) {
  return {DecodeError::Kind::malformed, "a name of " + std::to_string(name.size()) + " bytes, and " +
                                            std::to_string(name_bytes_max) + " are the most: '" + excerpt(name, 0, 60) +
                                            "'"};
}

DecodeError wrong_at(DecodeError::Kind kind, std::string_view text, std::size_t at, std::string_view what) {
  std::size_t from = at - std::min<std::size_t>(at, 60);
  while (from < at && utf8_sequence(text, from) == 0) ++from;  // not from the middle of a character
  return {kind, "byte " + std::to_string(at) + ": " + std::string(what) + ": '" + excerpt(text, from, 120) + "'"};
}

Document::Document(std::unique_ptr<pugi::xml_document> tree, std::vector<std::string> notes)
    : tree_(std::move(tree)), notes_(std::move(notes)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

}  // namespace remitod::carriers
