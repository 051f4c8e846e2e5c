#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <pugixml.hpp>
#include <string>

#include "carriers/document_tree.h"
#include "carriers/xml_simplify.h"

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

/// Without forbidden characters and references to them. References are looked for in what was kept, because leaving
/// something out can make one of what stood around it.
std::string permitted(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  for (const char c : text) {
    if (is_forbidden_in_xml(c)) continue;
    kept += c;
    if (c == ';') kept.resize(kept.size() - forbidden_reference(kept));
  }
  return kept;
}

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

/// Where and why `text` cannot be parsed. Asked of the text as it is, since its simplified form has other places.
DecodeError parse_error(std::string_view text) {
  pugi::xml_document scratch;
  const pugi::xml_parse_result result =
      scratch.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  const auto at = static_cast<std::size_t>(std::max<std::ptrdiff_t>(result.offset, 0));
  return !result && (at + 1 >= text.size() || ends_at(text, at, result.status))
             ? wrong_at(DecodeError::Kind::truncated, text, at, "the XML ends in the middle")
             : wrong_at(DecodeError::Kind::malformed, text, at, result ? "is no XML" : result.description());
}

}  // namespace

void read_xml(std::string_view text, TreeBuilder& builder) {
  std::string kept;
  if (may_hold_forbidden(text)) text = kept = permitted(text);
  // pugixml parses in place, in memory that the tree then owns.
  std::unique_ptr<char, pugi::deallocation_function> buffer(
      static_cast<char*>(pugi::get_memory_allocation_function()(text.size())),
      pugi::get_memory_deallocation_function());
  if (!buffer) throw std::bad_alloc();
  const std::optional<std::size_t> size = simplify_xml(text, 0, buffer.get(), builder);
  if (builder.error()) return;
  if (!size ||
      !builder.tree().load_buffer_inplace_own(buffer.release(), *size, pugi::parse_default, pugi::encoding_utf8))
    builder.fail(parse_error(text));
}

void read_xml_into(pugi::xml_node parent, std::size_t depth, std::string_view text, TreeBuilder& builder) {
  std::string kept;
  if (may_hold_forbidden(text)) text = kept = permitted(text);
  std::string simplified(text.size(), '\0');
  const std::optional<std::size_t> size = simplify_xml(text, depth, simplified.data(), builder);
  if (builder.error()) return;
  if (!size || !parent.append_buffer(simplified.data(), *size, pugi::parse_default, pugi::encoding_utf8))
    builder.fail(parse_error(text));
}

}  // namespace remitod::carriers
