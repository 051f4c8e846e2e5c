// The rules, over the tree.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/paths.h"
#include "tests/tidy/rules.h"

namespace remitod::tidy {
namespace {

struct File {
  std::string path;  ///< from the checkout
  std::string text;
};

/// All text files: those of our folders, and those that lie at the top. Build folders and git's own are not ours.
const std::vector<File>& tree() {
  static const std::vector<File> files = [] {
    std::vector<File> found;
    const std::filesystem::path top = test::source_dir();
    const auto keep = [&](const std::filesystem::directory_entry& entry) {
      if (!entry.is_regular_file() || entry.is_symlink()) return;
      const std::string path = entry.path().lexically_relative(top).string();
      if (path == "LICENSE" || path.find("__pycache__") != std::string::npos) return;
      std::string text = test::read_file(entry.path());
      if (text.find('\0') == std::string::npos) found.push_back({path, std::move(text)});
    };
    for (const auto& entry : std::filesystem::directory_iterator(top)) keep(entry);
    for (const char* folder : {".ci", "carriers", "daemon", "db", "scheduler", "systemd", "tests"}) {
      if (!std::filesystem::exists(top / folder)) continue;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(top / folder)) keep(entry);
    }
    std::ranges::sort(found, {}, &File::path);
    return found;
  }();
  return files;
}

void expect_kept(Rule rule) {
  for (const File& file : tree()) {
    for (const Finding& finding : rule(file.path, file.text)) {
      ADD_FAILURE_AT((test::source_dir() / finding.path).c_str(), static_cast<int>(finding.line)) << finding.message;
    }
  }
}

TEST(Tree, IsRead) {
  const auto has = [](std::string_view path) { return std::ranges::find(tree(), path, &File::path) != tree().end(); };
  EXPECT_TRUE(has("scheduler/lane.cpp"));
  EXPECT_TRUE(has("tests/tidy/rules.h"));
  EXPECT_TRUE(has("CMakeLists.txt"));
  EXPECT_TRUE(std::ranges::none_of(tree(), [](const File& file) { return file.path.starts_with("build"); }));
}

TEST(Tree, IncludesGoAlongTheArrows) {
  expect_kept(include_direction);
}
TEST(Tree, LibrariesStayWhereTheyBelong) {
  expect_kept(library_borders);
}
TEST(Tree, SqlStaysInDb) {
  expect_kept(sql_border);
}
TEST(Tree, TheTimeIsAnArgument) {
  expect_kept(clocks);
}
TEST(Tree, RandomnessIsASeed) {
  expect_kept(randomness);
}
TEST(Tree, FilesAreShort) {
  expect_kept(file_length);
}
TEST(Tree, LinesAreShort) {
  expect_kept(line_length);
}
TEST(Tree, HeadersSayWhatTheyAreFor) {
  expect_kept(header_shape);
}
TEST(Tree, NamesNoFolderOfOneMachine) {
  expect_kept(machine_paths);
}
TEST(Tree, HasNoNotesLeftBehind) {
  expect_kept(leftovers);
}

TEST(Tree, IsFormatted) {
  std::vector<std::string> sources;
  for (const File& file : tree()) {
    if (file.path.ends_with(".cpp") || file.path.ends_with(".h")) sources.push_back(file.path);
  }
  EXPECT_EQ(clang_format_complaints(test::source_dir().string(), sources), "");
}

}  // namespace
}  // namespace remitod::tidy
