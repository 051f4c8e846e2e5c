// From valid UTF-8 to the document tree, one function for each format. Private to carriers/; answer.h says what the
// trees look like.
#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "carriers/answer.h"

namespace remitod::carriers {

using Tree = std::expected<std::unique_ptr<pugi::xml_document>, DecodeError>;

/// `text` starts with '<'.
Tree xml_tree(std::string_view text, const DecodeOptions& options);
/// `text` starts with the value.
Tree json_tree(std::string_view text, const DecodeOptions& options);

/// A C0 control other than tab, line feed and carriage return: such characters are dropped.
inline bool is_forbidden_in_xml(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
}

DecodeError too_deep(const DecodeOptions& options);
DecodeError too_many_nodes(const DecodeOptions& options);
/// "byte 812: what: '...'", with the text around `at`.
DecodeError wrong_at(DecodeError::Kind kind, std::string_view text, std::size_t at, std::string_view what);

}  // namespace remitod::carriers
