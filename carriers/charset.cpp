#include "carriers/charset.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "carriers/charset_converter.h"
#include "carriers/excerpt.h"
#include "carriers/media_type.h"

namespace remitod::carriers {
namespace {

constexpr std::string_view utf8 = "UTF-8";

/// What ISO-8859-1 is called. The names of windows-1252 are left to iconv, and those of ASCII: bytes beyond it under
/// that name are most likely UTF-8.
bool is_latin1_name(std::string_view charset) {
  constexpr std::array<std::string_view, 8> names{"iso-8859-1", "iso_8859-1", "iso8859-1", "iso88591",
                                                  "latin1",     "l1",         "cp819",     "ibm819"};
  return std::ranges::any_of(names, [&](std::string_view name) { return equal_ignoring_case(charset, name); });
}

/// Bytes 0x80 to 0x9F of windows-1252, in UTF-8. The five that it leaves open stay the control characters that they are
/// in ISO-8859-1.
constexpr std::array<std::string_view, 32> windows1252_high{
    "\u20ac",   "\xc2\x81", "\u201a", "\u0192", "\u201e", "\u2026",   "\u2020", "\u2021",
    "\u02c6",   "\u2030",   "\u0160", "\u2039", "\u0152", "\xc2\x8d", "\u017d", "\xc2\x8f",
    "\xc2\x90", "\u2018",   "\u2019", "\u201c", "\u201d", "\u2022",   "\u2013", "\u2014",
    "\u02dc",   "\u2122",   "\u0161", "\u203a", "\u0153", "\xc2\x9d", "\u017e", "\u0178"};

/// What calls itself ISO-8859-1 is read as windows-1252, as the WHATWG Encoding Standard has it (4.2, its labels;
/// index windows-1252): programs on Windows write a dash or a quotation mark there, and nobody means control
/// characters.
std::string from_latin1(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80)
      text += c;
    else if (byte < 0xa0)
      text += windows1252_high.at(byte - 0x80U);
    else
      text.append({static_cast<char>(0xc0U | (byte >> 6U)), static_cast<char>(0x80U | (byte & 0x3fU))});
  }
  return text;
}

DecodeError unreadable(DecodeError::Kind kind, std::string_view charset, std::string_view bytes, std::size_t at) {
  const std::string_view problem =
      kind == DecodeError::Kind::truncated ? "ends inside a character of" : "not valid in the charset";
  return {kind, "byte " + std::to_string(at) + ": " + std::string(problem) + " " + std::string(charset) + ": '" +
                    excerpt(bytes, at - std::min(at, 20uz), 60) + "'"};
}

std::expected<void, DecodeError> check_utf8(std::string_view text) {
  const std::size_t at = find_invalid_utf8(text);
  if (at == std::string_view::npos) return {};
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const bool cut_off = lead >= 0xc2 && lead <= 0xf4 && text.size() - at < length &&
                       std::ranges::all_of(text.substr(at + 1), [](char c) { return (c & 0xc0) == 0x80; });
  return std::unexpected(
      unreadable(cut_off ? DecodeError::Kind::truncated : DecodeError::Kind::charset, utf8, text, at));
}

struct Mark {
  std::string_view bytes;
  std::string_view charset;
};

/// Longer marks first: the one of UTF-32LE begins with that of UTF-16LE.
constexpr std::array<Mark, 5> marks{{{{"\x00\x00\xfe\xff", 4}, "UTF-32BE"},
                                     {{"\xff\xfe\x00\x00", 4}, "UTF-32LE"},
                                     {{"\xef\xbb\xbf", 3}, utf8},
                                     {{"\xfe\xff", 2}, "UTF-16BE"},
                                     {{"\xff\xfe", 2}, "UTF-16LE"}}};

/// A body that starts with a BOM, or with a character of ASCII that is plainly two bytes wide.
Mark mark_of(std::string_view body) {
  for (const Mark& mark : marks)
    if (body.starts_with(mark.bytes)) return mark;
  if (body.size() >= 2 && body[0] == '\0' && body[1] != '\0') return {"", "UTF-16BE"};
  if (body.size() >= 2 && body[0] != '\0' && body[1] == '\0') return {"", "UTF-16LE"};
  return {};
}

/// What the syntax identifier of an EDIFACT interchange says (code list 0001). Levels A and B are ASCII, by the book.
std::string_view charset_of_edifact(std::string_view body) {
  constexpr std::array<Mark, 10> levels{{{"UNOC", "ISO-8859-1"},
                                         {"UNOD", "ISO-8859-2"},
                                         {"UNOE", "ISO-8859-5"},
                                         {"UNOF", "ISO-8859-7"},
                                         {"UNOG", "ISO-8859-3"},
                                         {"UNOH", "ISO-8859-4"},
                                         {"UNOI", "ISO-8859-6"},
                                         {"UNOJ", "ISO-8859-8"},
                                         {"UNOK", "ISO-8859-9"},
                                         {"UNOW", utf8}}};
  constexpr std::size_t service_segments_bytes_max = 64;
  body = body.substr(0, service_segments_bytes_max);
  const std::size_t header = body.find("UNB");
  if (header == std::string_view::npos || body.size() < header + 8) return {};
  const auto level = std::ranges::find(levels, body.substr(header + 4, 4), &Mark::bytes);
  return level == levels.end() ? std::string_view{} : level->charset;
}

std::string_view declared_charset(std::string_view body, Format format) {
  if (format == Format::xml) return charset_of_xml(body);
  return format == Format::edifact ? charset_of_edifact(body) : std::string_view{};
}

/// Text that could be read so far as bytes is not in such a charset, whatever it says: programs that build XML in a
/// string declare the string's "utf-16" and then send UTF-8.
bool is_wide(std::string_view charset) {
  constexpr std::array<std::string_view, 6> wide{"utf-16", "utf16", "utf-32", "utf32", "ucs", "unicode"};
  return std::ranges::any_of(wide, [&](std::string_view name) { return starts_ignoring_case(charset, name); });
}

}  // namespace

bool takes_all_bytes(std::string_view charset) {
  return is_latin1_name(charset) || equal_ignoring_case(charset, "windows-1252") ||
         equal_ignoring_case(charset, "cp1252");
}

bool is_utf8_name(std::string_view charset) {
  return equal_ignoring_case(charset, utf8) || equal_ignoring_case(charset, "utf8");
}

std::string_view charset_of_xml(std::string_view body) {
  constexpr std::size_t declaration_bytes_max = 256;
  const std::size_t start = body.find('<');
  if (start == std::string_view::npos || !body.substr(start).starts_with("<?xml")) return {};
  std::string_view declaration = body.substr(start, declaration_bytes_max);
  declaration = declaration.substr(0, declaration.find("?>"));
  const std::size_t key = declaration.find("encoding");
  const std::size_t open = declaration.find_first_of("\"'", key);
  if (key == std::string_view::npos || open == std::string_view::npos) return {};
  const std::string_view value = declaration.substr(open + 1);
  return value.substr(0, value.find(declaration[open]));
}

std::uint32_t code_point(std::string_view character) {
  const auto byte = [character](std::size_t at) { return static_cast<unsigned char>(character[at]); };
  std::uint32_t code = character.size() == 1 ? byte(0) : byte(0) & (0x7FU >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i) code = code << 6 | (byte(i) & 0x3FU);
  return code;
}

std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto within = [](unsigned char value, unsigned char low, unsigned char high) {
    return value >= low && value <= high;
  };
  const std::size_t left = text.size() - at;
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (left >= 2 && within(lead, 0xc2, 0xdf)) return within(byte(1), 0x80, 0xbf) ? 2 : 0;
  if (left >= 3 && within(lead, 0xe0, 0xef)) {
    const unsigned char low = lead == 0xe0 ? 0xa0 : 0x80;   // no overlong forms
    const unsigned char high = lead == 0xed ? 0x9f : 0xbf;  // no surrogates
    return within(byte(1), low, high) && within(byte(2), 0x80, 0xbf) ? 3 : 0;
  }
  if (left >= 4 && within(lead, 0xf0, 0xf4)) {
    const unsigned char low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xf4 ? 0x8f : 0xbf;  // nothing above U+10FFFF
    return within(byte(1), low, high) && within(byte(2), 0x80, 0xbf) && within(byte(3), 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

// Not iconv: this runs over every answer, and iconv from UTF-8 to UTF-8 takes three bytes' time for each of them (4.5
// us for a SOAP answer of 1.6 KB), more than parsing it.
std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight;
    while (at + sizeof eight <= text.size()) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080'8080'8080'8080U) != 0) break;
      at += sizeof eight;
    }
    for (int characters = 0; characters < 8 && at < text.size(); ++characters) {
      const std::size_t length = utf8_sequence(text, at);
      if (length == 0) return at;
      at += length;
    }
  }
  return std::string_view::npos;
}

std::expected<std::string, DecodeError> to_utf8(std::string_view bytes, std::string_view charset) {
  if (is_utf8_name(charset)) {
    const auto checked = check_utf8(bytes);
    if (!checked) return std::unexpected(checked.error());
    return std::string(bytes);
  }
  if (is_latin1_name(charset)) return from_latin1(bytes);
  if (!is_charset_name(charset))
    return std::unexpected(
        DecodeError{DecodeError::Kind::charset, "'" + excerpt(charset, 0, 40) + "' is no name of a charset"});
  CharsetConverter converter{std::string(utf8), std::string(charset)};
  if (!converter.known())
    return std::unexpected(DecodeError{DecodeError::Kind::charset, "unknown charset '" + std::string(charset) + "'"});
  std::string text;
  std::string_view left = bytes;
  const int error = converter.convert(left, text);
  if (error == 0) return text;
  const auto kind = error == EINVAL ? DecodeError::Kind::truncated : DecodeError::Kind::charset;
  return std::unexpected(unreadable(kind, charset, bytes, bytes.size() - left.size()));
}

std::expected<std::string_view, DecodeError> utf8_text(std::string_view body, std::string_view content_type,
                                                       const DecodeOptions& options, std::string& converted) {
  const Mark mark = mark_of(body);
  body.remove_prefix(mark.bytes.size());
  std::string_view charset = mark.charset;
  if (charset.empty()) {
    const std::string_view declared = declared_charset(body, options.format);
    for (const std::string_view candidate :
         {header_parameter(content_type, "charset"), declared, std::string_view{options.charset}})
      if (charset.empty() && !is_wide(candidate)) charset = candidate;
    if (charset.empty()) charset = utf8;
  }
  if (is_utf8_name(charset)) {
    const auto checked = check_utf8(body);
    if (!checked) return std::unexpected(checked.error());
    return body;
  }
  // What is wholly UTF-8 is no text of Latin letters by accident, whatever a server says of all that it sends: each
  // letter beyond ASCII would be an "Ã" or the like with a sign behind it. Most answers are ASCII alone.
  if (takes_all_bytes(charset) && find_invalid_utf8(body) == std::string_view::npos) return body;
  auto text = to_utf8(body, charset);
  if (!text) return std::unexpected(std::move(text.error()));
  converted = *std::move(text);
  return converted;
}

}  // namespace remitod::carriers
