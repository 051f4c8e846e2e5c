#include "carriers/local_files.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "carriers/file_listing.h"
#include "carriers/query.h"

namespace remitod::carriers {
namespace {

namespace fs = std::filesystem;

std::unexpected<FetchError> failure(const fs::path& path, const std::error_code& error) {
  return std::unexpected(
      FetchError{.kind = FetchError::Kind::transport, .message = path.string() + ": " + error.message()});
}

std::unexpected<FetchError> stopped() {
  return std::unexpected(FetchError{.kind = FetchError::Kind::stopped, .message = "shutting down"});
}

std::unexpected<FetchError> too_large(std::string message) {
  return std::unexpected(FetchError{.kind = FetchError::Kind::too_large, .message = std::move(message)});
}

/// Nothing: it is no plain file, or has gone meanwhile, as files in a drop folder do.
std::optional<ListedFile> describe(const fs::directory_entry& entry) {
  std::error_code error;
  if (entry.is_symlink(error) || !entry.is_regular_file(error)) return std::nullopt;
  ListedFile file;
  file.name = entry.path().filename().string();
  file.bytes = entry.file_size(error);
  if (error) return std::nullopt;
  file.modified = std::to_string(entry.last_write_time(error).time_since_epoch().count());
  if (error) return std::nullopt;
  return file;
}

}  // namespace

LocalFiles::LocalFiles(const FileSite& site)
    : folder_(site.folder), archive_folder_(folder_ / site.archive_folder), file_bytes_max_(site.file_bytes_max) {}

std::expected<FileListing, FetchError> LocalFiles::list() {
  if (stopping_) return stopped();
  std::error_code error;
  FileListing listing;
  for (fs::directory_iterator each(folder_, error), end; !error && each != end; each.increment(error)) {
    auto file = describe(*each);
    if (!file) continue;
    if (!is_file_name(file->name)) {
      if (listing.unreadable.size() < unreadable_lines_max) listing.unreadable.push_back(tidy(file->name, 120));
      continue;
    }
    if (listing.files.size() == listed_files_max)
      return too_large("more than " + std::to_string(listed_files_max) + " files in the folder");
    listing.files.push_back(*std::move(file));
  }
  if (error) return failure(folder_, error);
  return listing;
}

std::expected<std::string, FetchError> LocalFiles::fetch(const std::string& name) {
  if (stopping_) return stopped();
  const fs::path path = folder_ / name;
  std::ifstream in(path, std::ios::binary);
  const auto broken = [&] { return failure(path, {errno, std::generic_category()}); };
  if (!in) return broken();
  std::error_code error;
  const std::uintmax_t bytes_then = fs::file_size(path, error);
  if (error) return failure(path, error);
  std::string bytes;
  bytes.reserve(std::min<std::uintmax_t>(bytes_then, file_bytes_max_));
  char block[64 << 10];
  while (in.read(block, sizeof block), in.gcount() > 0) {
    const auto count = static_cast<std::size_t>(in.gcount());
    if (count > file_bytes_max_ - bytes.size())
      return too_large(name + " is larger than " + std::to_string(file_bytes_max_) + " bytes");
    bytes.append(block, count);
  }
  if (in.bad()) return broken();
  return bytes;
}

std::expected<void, FetchError> LocalFiles::remove(const std::string& name) {
  if (stopping_) return stopped();
  std::error_code error;
  fs::remove(folder_ / name, error);
  if (error) return failure(folder_ / name, error);
  return {};
}

std::expected<void, FetchError> LocalFiles::archive(const std::string& name, const std::string& archived_name) {
  if (stopping_) return stopped();
  std::error_code error;
  fs::create_directories(archive_folder_, error);
  if (!error) fs::rename(folder_ / name, archive_folder_ / archived_name, error);
  if (error) return failure(folder_ / name, error);
  return {};
}

}  // namespace remitod::carriers
