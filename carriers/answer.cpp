#include "carriers/answer.h"

#include <algorithm>

#include "carriers/charset.h"
#include "carriers/document_tree.h"
#include "carriers/multipart.h"

namespace remitod::carriers {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

std::string_view without_blanks_at_the_ends(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(blanks), text.size());
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

/// What stands in the parentheses of `callback({...});`, where that is what the text is; else the text.
std::string_view without_callback(std::string_view text) {
  constexpr std::string_view guard = "/**/";  // that no callback's name can be the head of a Flash file
  const std::string_view call = without_blanks_at_the_ends(text.starts_with(guard) ? text.substr(guard.size()) : text);
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           c == '.';
  };
  const auto name_size = static_cast<std::size_t>(std::ranges::find_if_not(call, in_name) - call.begin());
  if (name_size == 0 || name_size == call.size() || call[name_size] != '(') return text;
  const std::string_view value = without_blanks_at_the_ends(call.substr(name_size + 1));
  if (value.empty() || !std::string_view("{[\"").contains(value.front())) return text;
  const std::size_t last = value.find_last_not_of("; \t\r\n");
  return last != std::string_view::npos && value[last] == ')' ? value.substr(0, last) : value;
}

/// From the first character on that can begin a document: log lines and marks against script inclusion stand before.
std::string_view without_junk(std::string_view text) {
  const std::size_t markup = text.find_first_of("<{[");
  return markup == std::string_view::npos ? text : text.substr(markup);
}

void read_markup(std::string_view text, TreeBuilder& builder) {
  const bool wants_xml = builder.options().format == Format::xml;
  if (!wants_xml) text = without_callback(text);
  if (wants_xml || text.front() != '"') text = without_junk(text);
  if (auto page = html_page(text)) return builder.fail(*std::move(page));
  const bool is_xml = text.front() == '<';
  if (is_xml != wants_xml) {
    const std::string_view what = wants_xml ? "XML was promised" : "JSON was promised";
    builder.fail(wrong_at(DecodeError::Kind::malformed, text, 0, what));
  } else if (is_xml) {
    read_xml(text, builder);
  } else {
    read_json_into(builder.append(builder.tree(), "json"), 0, text, builder);
  }
}

void read_text(std::string_view text, TreeBuilder& builder) {
  const std::string_view trimmed = without_blanks_at_the_ends(text);
  if (trimmed.empty()) return builder.fail({DecodeError::Kind::empty, ""});
  if (auto page = html_page(trimmed)) return builder.fail(*std::move(page));
  switch (builder.options().format) {
    case Format::xml:
    case Format::json:
      return read_markup(trimmed, builder);
    case Format::csv:
      return read_csv(text, builder);
    case Format::fixed_width:
      return read_fixed_width(text, builder);
    case Format::edifact:
      return read_edifact(text, builder);
    case Format::x12:
      return read_x12(text, builder);
  }
}

}  // namespace

std::expected<Document, DecodeError> decode(std::string_view body, std::string_view content_type,
                                            const DecodeOptions& options) {
  std::expected<Part, DecodeError> part = choose_part(body, content_type, options.part);
  if (!part) return std::unexpected(std::move(part.error()));
  std::string converted;
  const auto utf8 = utf8_text(part->body(), part->content_type, options, converted);
  if (!utf8) return std::unexpected(html_page(part->body()).value_or(utf8.error()));

  TreeBuilder builder(options);
  read_text(*utf8, builder);
  if (!options.embedded.empty() && !builder.error()) open_embedded(builder);
  return std::move(builder).take();
}

}  // namespace remitod::carriers
