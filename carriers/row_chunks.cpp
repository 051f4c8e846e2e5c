#include "carriers/row_chunks.h"

#include <algorithm>

#include "carriers/text_lines.h"

namespace remitod::carriers {
namespace {

constexpr std::string_view utf8_mark = "\xef\xbb\xbf";
constexpr std::string_view line_blanks = " \t";

/// The profile's separator is in UTF-8. In a file of another character set one beyond ASCII is other bytes.
bool has_other_separator(const DecodeOptions& options) {
  return !options.charset.empty() && std::ranges::any_of(options.csv.separator, [](char c) { return (c & 0x80) != 0; });
}

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
  has_rows_ = is_csv ? !has_other_separator(options) : options.format == Format::fixed_width;
  has_rows_ = has_rows_ && !is_wide(bytes, options);
  if (!has_rows_) return;
  if (bytes.starts_with(utf8_mark)) head_bytes_ = utf8_mark.size();
  if (is_csv) {
    // Lines before the header are of any kind, quotes in them are not matched.
    for (std::size_t line = 0; line < options.csv.skip_lines; ++line) head_bytes_ = end_of_row(head_bytes_);
    quote_ = options.csv.quote;
    separator_ = options.csv.separator;
    if (options.csv.header) head_bytes_ = end_of_row(behind_blank_lines(head_bytes_));
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
  at_ = behind_blank_lines(at_);  // a part that holds nothing else would be an empty answer
  std::string part(bytes_.substr(0, head_bytes_));
  return part.append(bytes_.substr(begin, at_ - begin));
}

std::size_t RowChunks::end_of_row(std::size_t at) const {
  bool begins_cell = true;
  while (at < bytes_.size()) {
    const std::string_view rest = bytes_.substr(at);
    if (begins_cell && quote_ != '\0' && rest[0] == quote_) {
      at = behind_quoted(at);
      begins_cell = false;
      continue;
    }
    if (is_line_end(rest[0])) return at + (rest.starts_with("\r\n") ? 2 : 1);
    begins_cell = !separator_.empty() && rest.starts_with(separator_);
    at += begins_cell ? separator_.size() : 1;
  }
  return at;
}

std::size_t RowChunks::behind_quoted(std::size_t at) const {
  for (++at;;) {
    const std::size_t quote = bytes_.find(quote_, at);
    if (quote == std::string_view::npos) return bytes_.size();
    at = quote + 1;
    if (at == bytes_.size() || bytes_[at] != quote_) return at;
    ++at;
  }
}

std::size_t RowChunks::behind_blank_lines(std::size_t at) const {
  for (std::size_t next = at; next < bytes_.size(); at = next)
    if (take_line(bytes_, next).find_first_not_of(line_blanks) != std::string_view::npos) break;
  return at;
}

}  // namespace remitod::carriers
