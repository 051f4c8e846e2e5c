// What the tests of answers share: decoding in one line, and a tree as one line of text.
#pragma once

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "carriers/answer.h"

namespace remitod::carriers::test {

inline std::expected<Document, DecodeError> decode_xml(std::string_view body,
                                                       std::string_view content_type = "text/xml",
                                                       DecodeOptions options = {}) {
  options.format = Format::xml;
  return decode(body, content_type, options);
}

inline std::expected<Document, DecodeError> decode_json(std::string_view body,
                                                        std::string_view content_type = "application/json",
                                                        DecodeOptions options = {}) {
  options.format = Format::json;
  return decode(body, content_type, options);
}

/// The tree written out again without added blanks, or what was wrong.
inline std::string written(const std::expected<Document, DecodeError>& document) {
  if (!document) return "error: " + document.error().message;
  std::ostringstream text;
  document->tree().save(text, "", pugi::format_raw | pugi::format_no_declaration);
  return text.str();
}

/// The string of an XPath expression, or what was wrong.
inline std::string read(const std::expected<Document, DecodeError>& document, const char* xpath) {
  if (!document) return "error: " + document.error().message;
  return pugi::xpath_query(xpath).evaluate_string(document->tree());
}

/// Prints as the enumerator's name would, and as "decoded" where there is no error.
inline std::string kind_of(const std::expected<Document, DecodeError>& document) {
  if (document) return "decoded";
  switch (document.error().kind) {
    case DecodeError::Kind::empty:
      return "empty";
    case DecodeError::Kind::html:
      return "html";
    case DecodeError::Kind::truncated:
      return "truncated";
    case DecodeError::Kind::malformed:
      return "malformed";
    case DecodeError::Kind::charset:
      return "charset";
    case DecodeError::Kind::too_deep:
      return "too_deep";
    case DecodeError::Kind::too_many_nodes:
      return "too_many_nodes";
  }
  return "?";
}

inline std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  text.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

}  // namespace remitod::carriers::test
