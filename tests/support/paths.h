// Where tests find things and put things.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace remitod::test {

/// The checkout.
std::filesystem::path source_dir();
/// The folder `shared` beside the checkout (or $REMITOD_SHARED), where there is one. Tests that need it skip without.
std::optional<std::filesystem::path> shared_dir();
std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, std::string_view text);

/// A folder of one's own, gone afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace remitod::test
