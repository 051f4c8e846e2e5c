#include "carriers/multipart.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "carriers/digest.h"
#include "carriers/excerpt.h"
#include "carriers/media_type.h"

namespace remitod::carriers {
namespace {

constexpr std::size_t parts_max = 100;

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// The line at `at` without its end; `at` is then where the next begins.
std::string_view take_header_line(std::string_view text, std::size_t& at) {
  const std::size_t end = std::min(text.find('\n', at), text.size());
  const std::string_view line = text.substr(at, end - at);
  at = std::min(end + 1, text.size());
  return without_line_end(line);
}

/// "--" and the boundary, as the parts begin with; "" where the answer is not multipart.
std::string delimiter_of(std::string_view body, std::string_view content_type) {
  if (starts_ignoring_case(content_type, "multipart/")) {
    const std::string_view boundary = header_parameter(content_type, "boundary");
    std::string delimiter = "--" + std::string(boundary);
    if (!boundary.empty() && body.contains(delimiter)) return delimiter;
  }
  std::size_t at = std::min(body.find_first_not_of("\r\n"), body.size());
  const std::string_view first = take_header_line(body, at);
  const bool gives_it_away = first.starts_with("--") && starts_ignoring_case(body.substr(at), "content-");
  return gives_it_away ? std::string(first.substr(0, first.find_last_not_of(" \t") + 1)) : std::string{};
}

/// One part as it stands in the answer.
struct RawPart {
  std::string_view headers;
  std::string_view body;
  bool ends = false;  ///< a delimiter follows

  std::string_view header(std::string_view name) const {
    for (std::size_t at = 0; at < headers.size();) {
      const std::size_t begin = at;
      const std::string_view line = take_header_line(headers, at);
      if (line.size() <= name.size() || line[name.size()] != ':' || !starts_ignoring_case(line, name)) continue;
      while (at < headers.size() && (headers[at] == ' ' || headers[at] == '\t')) take_header_line(headers, at);
      std::string_view value = without_line_end(headers.substr(begin, at - begin)).substr(name.size() + 1);
      value.remove_prefix(std::min(value.find_first_not_of(" \t\r\n"), value.size()));
      return value;
    }
    return {};
  }

  bool is(std::string_view wanted) const {
    std::string_view id = media_type(header("content-id"));
    if (id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
    return equal_ignoring_case(media_type(header("content-type")), wanted) || id == wanted ||
           header_parameter(header("content-disposition"), "name") == wanted;
  }
};

/// Where the next line begins that starts with the delimiter.
std::size_t find_delimiter(std::string_view body, std::string_view delimiter, std::size_t at) {
  for (at = body.find(delimiter, at); at != std::string_view::npos; at = body.find(delimiter, at + 1))
    if (at == 0 || body[at - 1] == '\n') return at;
  return std::string_view::npos;
}

/// The part whose delimiter stands at `at`; `at` is then where the next one's does.
std::optional<RawPart> take_part(std::string_view body, std::string_view delimiter, std::size_t& at) {
  if (at == std::string_view::npos || body.substr(at + delimiter.size()).starts_with("--")) return std::nullopt;
  std::size_t begin = at;
  take_header_line(body, begin);
  at = find_delimiter(body, delimiter, begin);
  const std::string_view whole = body.substr(begin, at == std::string_view::npos ? at : at - begin);
  std::size_t header_end = 0;
  std::size_t next = 0;
  while (next < whole.size() && !take_header_line(whole, next).empty()) header_end = next;
  const std::string_view content = whole.substr(next);
  const bool ends = at != std::string_view::npos;
  return RawPart{whole.substr(0, header_end), ends ? without_line_end(content) : content, ends};
}

std::optional<std::string> from_quoted_printable(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '=') {
      plain += text[at];
      continue;
    }
    const std::string_view after = text.substr(at + 1);
    if (after.starts_with("\r\n") || after.starts_with('\n')) {  // a line that goes on
      at += after.starts_with('\n') ? 1 : 2;
      continue;
    }
    unsigned char byte = 0;
    const std::string_view digits = after.substr(0, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || digits.size() != 2 || end != digits.data() + digits.size()) return std::nullopt;
    plain += static_cast<char>(byte);
    at += 2;
  }
  return plain;
}

std::expected<Part, DecodeError> decoded(const RawPart& raw) {
  Part part{raw.header("content-type"), raw.body};
  if (!raw.ends)
    return std::unexpected(DecodeError{DecodeError::Kind::truncated, "a multipart answer ends in the middle"});
  const std::string_view encoding = media_type(raw.header("content-transfer-encoding"));
  const bool base64 = equal_ignoring_case(encoding, "base64");
  if (!base64 && !equal_ignoring_case(encoding, "quoted-printable")) return part;
  std::optional<std::string> plain = base64 ? from_base64(raw.body) : from_quoted_printable(raw.body);
  if (!plain) {
    return std::unexpected(DecodeError{
        DecodeError::Kind::malformed, "a part is not in the " + excerpt(encoding, 0, 20) + " that it claims to be in"});
  }
  part.decoded = std::move(plain);
  return part;
}

}  // namespace

std::expected<Part, DecodeError> choose_part(std::string_view body, std::string_view content_type,
                                             std::string_view wanted) {
  const std::string delimiter = delimiter_of(body, content_type);
  if (delimiter.empty()) return Part{content_type, body};
  std::size_t at = find_delimiter(body, delimiter, 0);
  std::string seen;
  for (std::size_t parts = 0; parts < parts_max; ++parts) {
    const std::optional<RawPart> part = take_part(body, delimiter, at);
    if (!part) break;
    if (wanted.empty() || part->is(wanted)) return decoded(*part);
    if (seen.size() < 100) seen += (seen.empty() ? "" : ", ") + std::string(media_type(part->header("content-type")));
  }
  return std::unexpected(DecodeError{DecodeError::Kind::malformed,
                                     wanted.empty() ? "a multipart answer without a part"
                                                    : "a multipart answer without the part '" + std::string(wanted) +
                                                          "', of: " + excerpt(seen, 0, 120)});
}

}  // namespace remitod::carriers
