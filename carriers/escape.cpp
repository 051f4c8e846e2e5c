#include "carriers/escape.h"

#include <algorithm>

namespace remitod::carriers {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

void append_xml(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += c;
    }
  }
}

void append_json(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (const auto byte = static_cast<unsigned char>(c); byte < 0x20) {
      out += "\\u00";
      out += hex_digits[byte >> 4];
      out += hex_digits[byte & 0x0F];
    } else {
      out += c;
    }
  }
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void append_url(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 0x0F];
  }
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

void append_escaped(std::string& out, std::string_view text, Escape escape) {
  switch (escape) {
    case Escape::xml:
      return append_xml(out, text);
    case Escape::json:
      return append_json(out, text);
    case Escape::url:
      return append_url(out, text);
    case Escape::none:
      out += text;
  }
}

std::size_t find_unencoded(std::string_view url, std::size_t at) {
  constexpr std::string_view marks = "!$&'()*+,;=:@/?";
  for (; at < url.size(); ++at) {
    const bool is_encoding =
        url[at] == '%' && url.size() - at > 2 && is_hex_digit(url[at + 1]) && is_hex_digit(url[at + 2]);
    if (!is_encoding && !is_unreserved(url[at]) && !marks.contains(url[at])) return at;
  }
  return std::string_view::npos;
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace remitod::carriers
