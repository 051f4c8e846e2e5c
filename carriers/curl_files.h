// Files from a server, over libcurl: FTP, FTPS, SFTP. Private to carriers/.
//
// Certificates are always verified, a host key always compared. Of an FTP server that does not know MLSD, LIST is
// asked.
#pragma once

#include <curl/curl.h>

#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "carriers/curl_transfer.h"
#include "carriers/file_transport.h"

namespace remitod::carriers {

struct CurlFreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

class CurlFiles final : public FileTransport {
 public:
  explicit CurlFiles(FileSite site);
  ~CurlFiles() override;
  std::expected<FileListing, FetchError> list() override;
  std::expected<std::string, FetchError> fetch(const std::string& name) override;
  std::expected<void, FetchError> remove(const std::string& name) override;
  std::expected<void, FetchError> archive(const std::string& name, const std::string& archived_name) override;
  void stop() override { stopping_ = true; }

 private:
  struct Received;
  /// Everything of the last step forgotten but its connection, and what holds for all steps set.
  void prepare(const std::string& name);
  void prepare_ssh();
  static int opened(void* self, curl_socket_t socket, curlsocktype);
  static int closed(void* self, curl_socket_t socket);
  std::expected<std::string, FetchError> receive(std::size_t bytes_max, const std::string& what);
  /// In the folder.
  std::expected<void, FetchError> command(std::span<const std::string> commands);
  /// The step that was prepared.
  CURLcode perform();
  FetchError error(CURLcode code) const;
  bool is_sftp() const { return site_.scheme == FileSite::Scheme::sftp; }
  /// As SFTP's commands want it: from the root or the home on, not percent-encoded.
  std::string server_path(const std::string& name) const;
  std::string archive_path() const;

  const FileSite site_;
  std::unique_ptr<CURLM, CurlFreeMulti> multi_;  ///< holds the connection from step to step
  std::unique_ptr<CURL, CurlFreeEasy> easy_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  int key_file_ = -1;                ///< the private key in memory, which libssh2 wants to open by a path
  std::set<curl_socket_t> sockets_;  ///< that libcurl holds
  bool knows_mlsd_ = true;
  std::atomic<bool> stopping_ = false;
};

}  // namespace remitod::carriers
