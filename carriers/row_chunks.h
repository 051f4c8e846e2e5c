// A long file of rows, in parts that are files of their own: each begins with the lines that stand before the first
// row. Private to carriers/.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "carriers/answer.h"

namespace remitod::carriers {

/// Cuts at the ends of rows, as read_csv() has them: a quote opens a cell only where that begins, and a line break
/// inside of quotes ends no row. Formats without rows, and character sets in which a line break or the separator is
/// other bytes, come in one part.
class RowChunks {
 public:
  /// `bytes` outlive it.
  RowChunks(std::string_view bytes, const DecodeOptions& options, std::size_t rows_max);

  /// The next part; nothing: there is no further one. There is always a first.
  std::optional<std::string> next();
  /// Rows of the parts that were given out before the last one.
  std::size_t rows_before() const { return rows_before_; }

 private:
  /// Behind the row or line that begins at `at`.
  std::size_t end_of_row(std::size_t at) const;
  /// Behind the quoted cell that begins at `at`.
  std::size_t behind_quoted(std::size_t at) const;
  std::size_t behind_blank_lines(std::size_t at) const;

  std::string_view bytes_;
  std::size_t rows_max_;
  char quote_ = '\0';
  std::string separator_;
  bool has_rows_ = false;
  std::size_t head_bytes_ = 0;  ///< what each part begins with
  std::size_t at_ = 0;
  std::size_t rows_before_ = 0, rows_last_ = 0;
  bool began_ = false;
};

}  // namespace remitod::carriers
