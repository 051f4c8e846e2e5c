#include "tests/support/paths.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace remitod::test {

std::filesystem::path source_dir() {
  return REMITOD_SOURCE_DIR;
}

std::optional<std::filesystem::path> shared_dir() {
  const char* stated = std::getenv("REMITOD_SHARED");
  const std::filesystem::path folder = stated ? std::filesystem::path{stated} : source_dir() / ".." / "shared";
  if (!std::filesystem::exists(folder / "corpus")) return std::nullopt;
  return folder;
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "remitod-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace remitod::test
