#include "carriers/file_listing.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "carriers/answer.h"
#include "carriers/media_type.h"
#include "carriers/query.h"
#include "carriers/text_lines.h"

namespace remitod::carriers {
namespace {

constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t unreadable_bytes_max = 120;

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Line {
  enum class Kind { file, other, unreadable };
  Kind kind = Kind::unreadable;
  ListedFile file{};
};

Line file_line(std::string_view name, std::string_view bytes, std::string_view modified) {
  const auto number = to_number(bytes);
  if (!number || !is_file_name(name)) return {};
  return {Line::Kind::file, {std::string(name), *number, std::string(modified)}};
}

/// Is it of the form `fact=value;fact=value; name`?
bool is_machine_line(std::string_view line) {
  const std::size_t blank = line.find(' ');
  return blank != line.npos && blank > 0 && line[blank - 1] == ';' && line.substr(0, blank).contains('=');
}

Line read_machine_line(std::string_view line) {
  std::string_view facts = line.substr(0, line.find(' '));
  const std::string_view name = line.substr(facts.size() + 1);
  std::string_view type, bytes, modified;
  while (!facts.empty()) {
    const std::string_view fact = facts.substr(0, facts.find(';'));
    facts.remove_prefix(std::min(fact.size() + 1, facts.size()));
    const std::size_t equals = std::min(fact.find('='), fact.size());
    const std::string_view value = fact.substr(std::min(equals + 1, fact.size()));
    if (equal_ignoring_case(fact.substr(0, equals), "type")) type = value;
    if (equal_ignoring_case(fact.substr(0, equals), "size")) bytes = value;
    if (equal_ignoring_case(fact.substr(0, equals), "modify")) modified = value;
  }
  if (!equal_ignoring_case(type, "file")) return {Line::Kind::other};
  return file_line(name, bytes, modified);
}

Line read_line(std::string_view line) {
  // Owners and groups of a Windows domain hold blanks: the date is what the size stands before.
  static const RE2 as_ls(R"(-[^ ]* +\d+ .*?(\d+) ([A-Z][a-z]{2} +\d{1,2} +(?:\d{1,2}:\d{2}|\d{4})) (.+))");
  // The day first, and padded to the length of one with a time: servers of SFTP that are written in Python (paramiko).
  static const RE2 as_ls_day_first(R"(-[^ ]* +\d+ .*?(\d+) (\d\d [A-Z][a-z]{2} (?:\d\d:\d\d|\d{4} )) (.+))");
  static const RE2 as_dir(R"((\d\d-\d\d-(?:\d\d|\d{4})  ?\d\d:\d\d(?:[AP]M)?) +(\d+) (.+))");
  static const RE2 no_file(
      R"([dlbcps][rwxsStTl-]{9}.*|total \d+|\d\d-\d\d-\d\d(?:\d\d)?  ?\d\d:\d\d(?:[AP]M)? +<[A-Z]+> .*)");
  if (is_machine_line(line)) return read_machine_line(line);
  std::string name, bytes, modified;
  if (RE2::FullMatch(line, as_ls, &bytes, &modified, &name)) return file_line(name, bytes, modified);
  if (RE2::FullMatch(line, as_ls_day_first, &bytes, &modified, &name)) return file_line(name, bytes, modified);
  if (RE2::FullMatch(line, as_dir, &modified, &bytes, &name)) return file_line(name, bytes, modified);
  return {RE2::FullMatch(line, no_file) ? Line::Kind::other : Line::Kind::unreadable};
}

}  // namespace

bool is_file_name(std::string_view name) {
  if (name.empty() || name.size() > name_bytes_max || name == "." || name == "..") return false;
  const auto is_bad = [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '/' || c == '\\'; };
  return std::ranges::none_of(name, is_bad) && to_utf8(name, "UTF-8").has_value();
}

std::expected<FileListing, FetchError> read_listing(std::string_view text) {
  FileListing listing;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = take_line(text, at);
    if (line.empty()) continue;
    Line read = read_line(line);
    if (read.kind == Line::Kind::file) {
      if (listing.files.size() == listed_files_max)
        return std::unexpected(
            FetchError{.kind = FetchError::Kind::too_large,
                       .message = "more than " + std::to_string(listed_files_max) + " files in the folder"});
      listing.files.push_back(std::move(read.file));
    } else if (read.kind == Line::Kind::unreadable && listing.unreadable.size() < unreadable_lines_max) {
      listing.unreadable.push_back(tidy(line, unreadable_bytes_max));
    }
  }
  return listing;
}

}  // namespace remitod::carriers
