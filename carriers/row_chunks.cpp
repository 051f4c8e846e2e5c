#include "carriers/row_chunks.h"

#include <algorithm>

#include "carriers/text_lines.h"

namespace remitod::carriers {
namespace {

constexpr std::string_view utf8_mark = "\xef\xbb\xbf";

/// UTF-16 and UTF-32, by their byte order marks, or by their names where the profile says so.
bool is_wide(std::string_view bytes, const DecodeOptions& options) {
  constexpr std::string_view utf16_big = "\xfe\xff", utf16_little = "\xff\xfe";
  const std::string_view charset = options.charset;
  return bytes.starts_with(utf16_big) || bytes.starts_with(utf16_little) || bytes.starts_with('\0') ||
         charset.contains("16") || charset.contains("32") || charset.contains("UCS");
}

}  // namespace

RowChunks::RowChunks(std::string_view bytes, const DecodeOptions& options, std::size_t rows_max)
    : bytes_(bytes), rows_max_(rows_max) {
  const bool is_csv = options.format == Format::csv;
  has_rows_ = (is_csv || options.format == Format::fixed_width) && !is_wide(bytes, options);
  if (!has_rows_) return;
  if (bytes.starts_with(utf8_mark)) head_bytes_ = utf8_mark.size();
  if (is_csv) {
    // Lines before the header are of any kind, quotes in them are not matched.
    for (std::size_t line = 0; line < options.csv.skip_lines; ++line) head_bytes_ = end_of_row(head_bytes_);
    quote_ = options.csv.quote;
    if (options.csv.header) head_bytes_ = end_of_row(head_bytes_);
  }
  at_ = head_bytes_;
}

std::optional<std::string> RowChunks::next() {
  if (began_ && (!has_rows_ || at_ == bytes_.size())) return std::nullopt;
  began_ = true;
  if (!has_rows_) return std::string(bytes_);
  rows_before_ += rows_last_;
  const std::size_t begin = at_;
  for (rows_last_ = 0; rows_last_ < rows_max_ && at_ < bytes_.size(); ++rows_last_) at_ = end_of_row(at_);
  std::string part(bytes_.substr(0, head_bytes_));
  return part.append(bytes_.substr(begin, at_ - begin));
}

std::size_t RowChunks::end_of_row(std::size_t at) const {
  bool is_quoted = false;
  for (; at < bytes_.size(); ++at) {
    const char c = bytes_[at];
    if (quote_ != '\0' && c == quote_) is_quoted = !is_quoted;
    if (is_quoted || !is_line_end(c)) continue;
    return at + (bytes_.substr(at).starts_with("\r\n") ? 2 : 1);
  }
  return at;
}

}  // namespace remitod::carriers
