// CSV answers -> the document tree. RFC 4180 where the carrier keeps to it; whatever it sends is read to the end.
#include <algorithm>
#include <string>
#include <vector>

#include "carriers/document_tree.h"
#include "carriers/text_lines.h"

namespace remitod::carriers {
namespace {

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(blanks), text.size());
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

/// Takes cell after cell.
class CellReader {
 public:
  enum class End : std::uint8_t { cell, row, never };  ///< never: a quote that is not closed

  CellReader(std::string_view text, const CsvOptions& options) : text_(text), options_(options) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t line() const { return line_; }
  void skip_line() {
    take_line(text_, at_);
    ++line_;
  }

  void skip_blank_lines() {
    for (std::size_t next = at_; next < text_.size(); at_ = next, ++line_)
      if (!trimmed(take_line(text_, next)).empty()) return;
  }

  /// Valid until the next; empty where that never ended.
  std::string_view cell() const { return cell_; }

  End take() {
    const bool quoted = options_.quote != '\0' && at_ < text_.size() && text_[at_] == options_.quote;
    cell_ = {};
    if (quoted && !take_quoted()) return End::never;
    const std::size_t rest = at_;
    while (at_ < text_.size() && !is_line_end(text_[at_]) && !at_separator()) ++at_;
    const std::string_view plain = text_.substr(rest, at_ - rest);
    if (!quoted) {
      cell_ = plain;
    } else if (!plain.empty()) {  // "Av. "Grau" 120": a quote that was not doubled ended the cell too soon
      unquoted_ = std::string(cell_) + std::string(plain);
      cell_ = unquoted_;
    }
    if (at_ < text_.size() && at_separator()) {
      at_ += options_.separator.size();
      return End::cell;
    }
    skip_line();
    return End::row;
  }

 private:
  bool at_separator() const {
    return text_[at_] == options_.separator[0] && text_.substr(at_).starts_with(options_.separator);
  }

  bool take_quoted() {
    unquoted_.clear();
    for (++at_;;) {
      const std::size_t quote = text_.find(options_.quote, at_);
      if (quote == std::string_view::npos) return false;
      const std::string_view piece = text_.substr(at_, quote - at_);
      line_ += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
      at_ = quote + 1;
      const bool doubled = at_ < text_.size() && text_[at_] == options_.quote;
      if (!doubled && unquoted_.empty()) {
        cell_ = piece;
        return true;
      }
      unquoted_ += piece;
      if (!doubled) break;
      unquoted_ += options_.quote;
      ++at_;
    }
    cell_ = unquoted_;
    return true;
  }

  std::string_view text_;
  const CsvOptions& options_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::string_view cell_;
  std::string unquoted_;
};

/// The rows of one file, and the names of their cells.
class CsvWriter {
 public:
  CsvWriter(std::string_view text, TreeBuilder& builder)
      : options_(builder.options().csv), cells_(text, options_), builder_(builder) {}

  void write() {
    for (std::size_t i = 0; i < options_.skip_lines && !cells_.at_end(); ++i) cells_.skip_line();
    const pugi::xml_node root = builder_.append(builder_.tree(), "csv");
    if (options_.header) read_header();
    while (!cells_.at_end() && !builder_.error()) write_row(root);
  }

 private:
  void read_header() {
    cells_.skip_blank_lines();
    CellReader::End end = CellReader::End::cell;
    while (end == CellReader::End::cell && !cells_.at_end()) {
      end = take();
      const std::string_view name = trimmed(cells_.cell());
      if (name.size() > name_bytes_max) return builder_.fail(name_too_long(name));
      if (!has_place(names_.size())) return;
      names_.push_back(name.empty() ? place_name(names_.size()) : element_name(name));
    }
    columns_ = names_.size();
  }

  void write_row(pugi::xml_node root) {
    const std::size_t line = cells_.line();
    pugi::xml_node row;
    CellReader::End end = CellReader::End::cell;
    std::size_t filled = 0;
    std::size_t count = 0;
    for (; end == CellReader::End::cell; ++count) {
      end = take();
      if (builder_.error()) return;
      const std::string_view cell = cells_.cell();
      if (count == 0 && end == CellReader::End::row && trimmed(cell).empty()) return;  // a blank line
      if (!has_place(count)) return;
      if (!cell.empty()) filled = count + 1;
      if (count >= columns_ && cell.empty() && columns_ != 0) continue;  // a separator at the end of the line
      if (!row) row = builder_.append(root, "row");
      if (!row || !builder_.append_text(row, name_of(count), cell)) return;
    }
    if (filled == 0) {  // separators alone: what spreadsheets write of rows that were emptied
      root.remove_child(row);
      return;
    }
    if (columns_ == 0) columns_ = count;
    if (count < columns_ || filled > columns_)
      builder_.note("line " + std::to_string(line) + ": " + std::to_string(count) + " cells, and " +
                    std::to_string(columns_) + " in the first row");
  }

  CellReader::End take() {
    const std::size_t line = cells_.line();
    const CellReader::End end = cells_.take();
    if (end == CellReader::End::never)
      builder_.fail(
          {DecodeError::Kind::truncated, "line " + std::to_string(line) + ": a quoted cell begins and never ends"});
    return end;
  }

  bool has_place(std::size_t place) {
    if (place < columns_max) return true;
    builder_.fail({DecodeError::Kind::malformed, "line " + std::to_string(cells_.line()) + ": more than " +
                                                     std::to_string(columns_max) + " cells in a row"});
    return false;
  }

  static std::string place_name(std::size_t place) { return "c" + std::to_string(place + 1); }

  const char* name_of(std::size_t place) {
    while (names_.size() <= place) names_.push_back(place_name(names_.size()));
    return names_[place].c_str();
  }

  const CsvOptions& options_;
  CellReader cells_;
  TreeBuilder& builder_;
  std::vector<std::string> names_;
  std::size_t columns_ = 0;  ///< of the first row; 0 before it
};

}  // namespace

void read_csv(std::string_view text, TreeBuilder& builder) {
  text = without_end_of_file_mark(text);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '<' || text[first] == '{'))
    return builder.fail(wrong_at(DecodeError::Kind::malformed, text, first, "CSV was promised"));
  CsvWriter(text, builder).write();
}

}  // namespace remitod::carriers
