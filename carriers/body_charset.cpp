#include "carriers/body_charset.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "carriers/answer.h"
#include "carriers/charset.h"
#include "carriers/charset_converter.h"
#include "carriers/nearest_word.h"

namespace remitod::carriers {
namespace {

constexpr std::size_t converted_at_once = 1024;  // bytes: a converter makes room for all that is left each time

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string hex(std::uint32_t number, std::size_t digits) {
  std::string text;
  for (std::size_t i = digits; i-- > 0;) text += "0123456789ABCDEF"[number >> (4 * i) & 0x0FU];
  return text;
}

/// The character in ASCII; empty: the format has no way to write it.
std::string reference(std::uint32_t code, Escape escape) {
  if (escape == Escape::xml) return "&#" + std::to_string(code) + ";";
  if (escape != Escape::json) return "";
  if (code <= 0xFFFF) return "\\u" + hex(code, 4);
  code -= 0x10000;
  return "\\u" + hex(0xD800 + (code >> 10), 4) + "\\u" + hex(0xDC00 + (code & 0x3FFU), 4);
}

/// The bytes of "%C3%B1..." at the beginning of a text, four at most.
std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string bytes;
  for (; bytes.size() < 4 && text.size() >= 3 && text[0] == '%'; text.remove_prefix(3)) {
    const int high = digit(text[1]), low = digit(text[2]);
    if (high < 0 || low < 0) break;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

class BodyWriter {
 public:
  using Written = std::expected<std::string, std::string>;
  explicit BodyWriter(const std::string& charset) : converter_(charset, "UTF-8") {}

  Written write(std::string_view text, Escape escape) {
    std::string out;
    while (!text.empty()) {
      std::size_t end = std::min(converted_at_once, text.size());
      while (end < text.size() && end > 1 && (text[end] & 0xc0) == 0x80) --end;  // not in the middle of a character
      std::string_view run = text.substr(0, end);
      const int error = converter_.convert(run, out);
      text.remove_prefix(end - run.size());
      if (error == 0 || text.empty()) continue;
      const std::size_t length = utf8_sequence(text, 0);
      const std::string instead = length == 0 ? "" : reference(code_point(text.substr(0, length)), escape);
      if (instead.empty()) return std::unexpected(std::string(text.substr(0, std::max<std::size_t>(length, 1))));
      std::string_view ascii = instead;
      converter_.convert(ascii, out);
      text.remove_prefix(length);
    }
    return out;
  }

  /// The values of a form have been percent-encoded as UTF-8 by now.
  Written write_form(std::string_view text) {
    std::string form;
    for (std::size_t percent; (percent = text.find('%')) != text.npos;) {
      form += text.substr(0, percent);
      text.remove_prefix(percent);
      const std::string letters = take_letters(text);
      if (letters.empty()) {
        form += '%';
        text.remove_prefix(1);
        continue;
      }
      const Written written = write(letters, Escape::url);
      if (!written) return written;
      append_escaped(form, *written, Escape::url);
    }
    form += text;
    return write(form, Escape::url);
  }

 private:
  /// What is UTF-8 beyond ASCII of the percent-encoded bytes at the beginning of a text, which then begins behind it.
  static std::string take_letters(std::string_view& text) {
    std::string letters;
    for (;;) {
      const std::string bytes = percent_decoded(text);
      const std::size_t length = bytes.empty() ? 0 : utf8_sequence(bytes, 0);
      if (length < 2) return letters;
      letters.append(bytes, 0, length);
      text.remove_prefix(3 * length);
    }
  }

  CharsetConverter converter_;
};

/// Letters of many scripts, and what windows-1252 has that ISO-8859-1 has not.
constexpr std::string_view letters_of_the_world = "¡¿ñÑáÜßÿ€–’ŁžČőğİŸŽΩжЯאعทあ中한😀";

}  // namespace

std::string body_charset_problem(const std::string& charset) {
  static const std::vector<std::string> usual{
      "UTF-8",        "ISO-8859-1",   "ISO-8859-2",   "ISO-8859-5",   "ISO-8859-7",   "ISO-8859-9", "ISO-8859-15",
      "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "US-ASCII",   "CP850",
      "KOI8-R",       "GBK",          "GB18030",      "Big5",         "EUC-JP",       "EUC-KR"};
  if (is_utf8_name(charset)) return "";
  if (!is_charset_name(charset) || !CharsetConverter(charset, "UTF-8").known())
    return "'" + charset + "' is not a character set that iconv knows" + did_you_mean(charset, usual);
  std::string ascii;
  for (char c = 0; c < 0x7F; ++c) ascii += c;
  std::string_view left = ascii;
  std::string written;
  if (CharsetConverter(charset, "UTF-8").convert(left, written) == 0 && written == ascii) return "";
  return "'" + charset + "' writes ASCII in bytes of its own: a body leaves in a character set that contains it" +
         did_you_mean(charset, usual);
}

std::expected<std::string, std::string> to_charset(std::string_view body, const std::string& charset, Escape escape) {
  const bool is_plain = is_ascii(body) && (escape != Escape::url || !body.contains('%'));
  if (is_plain || charset.empty()) return std::string(body);  // most: iconv is not even opened
  BodyWriter writer(charset);
  return escape == Escape::url ? writer.write_form(body) : writer.write(body, escape);
}

std::string lacking(std::string_view character, std::string_view charset) {
  const std::string where(charset);
  if (utf8_sequence(character, 0) != character.size())
    return "holds a byte that is no UTF-8, 0x" + hex(static_cast<unsigned char>(character.front()), 2) +
           ": it cannot be written in " + where;
  const std::uint32_t code = code_point(character);
  return "holds '" + std::string(character) + "' (U+" + hex(code, code > 0xFFFF ? 6 : 4) + "), which " + where +
         " does not have";
}

std::string place_of(const JsonValue& order, std::string_view character) {
  const auto below = [&](const std::string& name, const JsonValue& value) -> std::string {
    if (value.text.contains(character)) return name;
    const std::string place = place_of(value, character);
    return place.empty() ? "" : name + "." + place;
  };
  for (std::size_t i = 0; i < order.items.size(); ++i)
    if (std::string place = below(std::to_string(i), order.items[i]); !place.empty()) return place;
  for (const auto& [name, member] : order.members)
    if (std::string place = below(name, member); !place.empty()) return place;
  return "";
}

std::string readable_body(const HttpRequest& request) {
  if (request.body_charset.empty()) return request.body;
  return to_utf8(request.body, request.body_charset).value_or(request.body);
}

bool is_readable_as(const std::string& charset, const std::string& other) {
  if (!is_charset_name(other) || !CharsetConverter(other, "UTF-8").known()) return false;
  if (takes_all_bytes(charset) && takes_all_bytes(other)) return true;
  const auto written_in = [](const std::string& name) {
    return BodyWriter(name).write(letters_of_the_world, Escape::xml).value_or("");
  };
  const std::string written = written_in(charset.empty() ? "UTF-8" : charset);
  return is_ascii(written) || written == written_in(other);
}

bool is_single_byte(const std::string& charset) {
  bool has_letters = false;
  for (unsigned byte = 0x80; byte <= 0xFF; ++byte) {
    const char c = static_cast<char>(byte);
    const auto letter = to_utf8({&c, 1}, charset);
    if (!letter && letter.error().kind == DecodeError::Kind::truncated) return false;
    has_letters |= letter.has_value();
  }
  return has_letters;
}

}  // namespace remitod::carriers
