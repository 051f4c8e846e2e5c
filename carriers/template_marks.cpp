#include "carriers/template_marks.h"

#include <algorithm>

namespace remitod::carriers::mark {
namespace {

/// Behind the mark that `text` begins with; nothing inside is to be escaped.
std::size_t end_of_mark(std::string_view text) {
  if (text.front() == function_begin) return end_of_application(text, 0);
  if (text.front() != hole_begin) return 1;
  const std::size_t end = text.find(hole_end);
  return end == text.npos ? 1 : end + 1;
}

}  // namespace

std::string hole(unsigned variable) {
  return {hole_begin, letter_of(variable), hole_end};
}

std::string application(unsigned function, std::string_view content) {
  std::string text{function_begin, letter_of(function)};
  text += content;
  text += function_end;
  text += hole_end;
  return text;
}

std::size_t end_of_application(std::string_view text, std::size_t begin) {
  std::size_t depth = 0;
  for (std::size_t at = begin; at < text.size(); ++at) {
    if (text[at] == function_begin) ++depth;
    if (text[at] == function_end && --depth == 0) return text.find(hole_end, at) + 1;
  }
  return text.size();
}

std::string escape_around(std::string_view text, Escape escape) {
  if (escape == Escape::none) return std::string(text);
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find_first_of(boundaries), text.size());
    append_escaped(escaped, text.substr(0, plain), escape);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t end = end_of_mark(text);
    escaped += text.substr(0, end);
    if (escaped.back() == hole_end) escaped.insert(escaped.size() - 1, 1, letter_of(static_cast<unsigned>(escape)));
    text.remove_prefix(end);
  }
  return escaped;
}

}  // namespace remitod::carriers::mark
