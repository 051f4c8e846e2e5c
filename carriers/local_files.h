// A drop folder of this machine, into which a carrier's files are brought by whatever means. Private to carriers/.
#pragma once

#include <atomic>
#include <filesystem>

#include "carriers/file_transport.h"

namespace remitod::carriers {

class LocalFiles final : public FileTransport {
 public:
  explicit LocalFiles(const FileSite& site);
  std::expected<FileListing, FetchError> list() override;
  std::expected<std::string, FetchError> fetch(const std::string& name) override;
  std::expected<void, FetchError> remove(const std::string& name) override;
  std::expected<void, FetchError> archive(const std::string& name, const std::string& archived_name) override;
  void stop() override { stopping_ = true; }

 private:
  std::filesystem::path folder_, archive_folder_;
  std::uint64_t file_bytes_max_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace remitod::carriers
