// Lines of text files, however they end: LF, CRLF, or CR alone. Private to carriers/.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace remitod::carriers {

inline bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}

/// The line at `at` without its end; `at` is then where the next begins.
inline std::string_view take_line(std::string_view text, std::size_t& at) {
  const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
  const std::string_view line = text.substr(at, end - at);
  at = end + (text.substr(end).starts_with("\r\n") ? 2 : end < text.size() ? 1 : 0);
  return line;
}

/// DOS programs end a text with Ctrl-Z.
inline std::string_view without_end_of_file_mark(std::string_view text) {
  return text.substr(0, text.find_last_not_of('\x1a') + 1);
}

}  // namespace remitod::carriers
