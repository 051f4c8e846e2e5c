// What every file of the tree has to keep to, as functions over (path, text): the tree is checked with them, and so are
// bad examples, to show that each of them can fail.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace remitod::tidy {

struct Finding {
  std::string path;
  std::size_t line = 0;  ///< from 1; 0: the file as a whole
  std::string message;
};

/// `path` is relative to the checkout: "scheduler/lane.cpp". A rule finds nothing in files that it does not speak of.
using Rule = std::vector<Finding> (*)(std::string_view path, std::string_view text);

/// carriers/ includes nothing of ours, scheduler/ and db/ only carriers/tracking.h besides their own, daemon/ and
/// tests/ everything but tests/. All quoted includes are written from the checkout.
std::vector<Finding> include_direction(std::string_view path, std::string_view text);

/// libcurl is known to one file, database libraries to db/; tests may use both.
std::vector<Finding> library_borders(std::string_view path, std::string_view text);

/// No SQL outside db/ and tests/.
std::vector<Finding> sql_border(std::string_view path, std::string_view text);

/// The time is an argument outside daemon/ and tests/.
std::vector<Finding> clocks(std::string_view path, std::string_view text);

/// Randomness enters the program in daemon/main.cpp and is a seed everywhere else.
std::vector<Finding> randomness(std::string_view path, std::string_view text);

/// No source file has more than 450 lines.
std::vector<Finding> file_length(std::string_view path, std::string_view text);

/// No line of C++ has more than 120 columns.
std::vector<Finding> line_length(std::string_view path, std::string_view text);

/// A header begins with a comment that says what it is for, and is included once.
std::vector<Finding> header_shape(std::string_view path, std::string_view text);

/// No absolute path of somebody's machine, in any text file.
std::vector<Finding> machine_paths(std::string_view path, std::string_view text);

/// No note to oneself is left behind, in any text file.
std::vector<Finding> leftovers(std::string_view path, std::string_view text);

/// What clang-format says of these files; empty: they are as it would write them. `folder` is where they lie.
std::string clang_format_complaints(const std::string& folder, const std::vector<std::string>& paths);

}  // namespace remitod::tidy
