// Answers whose lines have their fields at fixed places -> the document tree.
#include <algorithm>
#include <string>
#include <vector>

#include "carriers/document_tree.h"
#include "carriers/excerpt.h"
#include "carriers/text_lines.h"

namespace remitod::carriers {
namespace {

/// Control characters count as blanks.
bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// A line whose places are counted in characters.
class Line {
 public:
  /// `starts` is scratch memory: where each character begins, and the end. Empty where all are one byte wide.
  Line(std::string_view text, std::vector<std::size_t>& starts) : text_(text), starts_(starts) {
    starts_.clear();
    const auto continues = [](char c) { return (c & 0xc0) == 0x80; };
    if (std::ranges::none_of(text, continues)) return;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (!continues(text[i])) starts_.push_back(i);
    starts_.push_back(text.size());
  }

  std::size_t size() const { return starts_.empty() ? text_.size() : starts_.size() - 1; }
  std::string_view field(const FixedWidthOptions::Column& column) const {
    const std::size_t begin = byte_of(column.start - 1);
    return text_.substr(begin, byte_of(column.start - 1 + column.width) - begin);
  }

 private:
  std::size_t byte_of(std::size_t place) const {
    place = std::min(place, size());
    return starts_.empty() ? place : starts_[place];
  }

  std::string_view text_;
  std::vector<std::size_t>& starts_;
};

bool write_record(pugi::xml_node root, const FixedWidthOptions::Record& record, const Line& line,
                  TreeBuilder& builder) {
  const pugi::xml_node row = builder.append(root, record.name.c_str());
  for (const FixedWidthOptions::Column& column : record.columns) {
    if (column.start > line.size()) continue;  // blanks at the ends of lines get lost on the way
    if (!builder.append_text(row, column.name.c_str(), trimmed(line.field(column)))) return false;
  }
  return !builder.error();
}

}  // namespace

void read_fixed_width(std::string_view text, TreeBuilder& builder) {
  const std::vector<FixedWidthOptions::Record>& records = builder.options().fixed_width.records;
  const pugi::xml_node root = builder.append(builder.tree(), "fixed_width");
  std::vector<std::size_t> starts;
  text = without_end_of_file_mark(text);
  std::size_t number = 1;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::string_view line = take_line(text, at);
    if (std::ranges::all_of(line, is_blank)) continue;
    const auto record = std::ranges::find_if(records, [&](const auto& kind) { return line.starts_with(kind.prefix); });
    if (record == records.end())
      builder.note("line " + std::to_string(number) + ": no record begins with '" + excerpt(line, 0, 20) + "'");
    else if (!write_record(root, *record, Line(line, starts), builder))
      return;
  }
}

}  // namespace remitod::carriers
