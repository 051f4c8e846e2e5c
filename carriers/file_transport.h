// How files are taken from where a carrier leaves them: a server (FTP, FTPS, SFTP) or a folder of this machine. Tests
// bring their own implementation.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "carriers/transport.h"

namespace remitod::carriers {

/// Where the files are, and how to get in. Made by a profile; the secrets in it are never shown.
struct FileSite {
  enum class Scheme : std::uint8_t {
    file,   ///< a folder of this machine
    ftp,    ///< in the clear
    ftpes,  ///< FTP that begins in the clear and turns to TLS before it logs in (RFC 4217), files as well
    ftps,   ///< FTP inside of TLS from the first byte on, usually at port 990
    sftp,
  };
  Scheme scheme = Scheme::file;
  std::string authority;  ///< host[:port]
  /// Begins and ends with '/'. Of a server percent-encoded, as in a URL: of SFTP from the root, or from the user's home
  /// after "/~/"; of FTP from where the login leads to, or from the root after "/%2F".
  std::string folder;
  std::string archive_folder{};  ///< for archive(); from `folder` on, or from the root where it begins with '/'. No '/'
                                 ///< at the end
  std::string user{}, password{};
  std::string private_key{};           ///< PEM, as ssh-keygen writes it; empty: the password
  std::string private_key_password{};  ///< empty: the key has none
  std::string host_key{};              ///< SFTP: SHA-256 of the server's key in base64, as ssh-keygen -l prints it
  std::string ca_file{};               ///< an extra CA bundle; empty: the system's
  std::string tls_min = "1.2";
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds total_timeout{60'000};  ///< of each step: a listing, a file
  long low_speed_bytes = 64;                        ///< below this many bytes a second ...
  std::chrono::seconds low_speed_time{20};          ///< ... for this long: timeout
  std::uint64_t file_bytes_max = 32u << 20;         ///< a larger file is FetchError::Kind::too_large
};

/// A file as its folder lists it.
struct ListedFile {
  std::string name;  ///< valid UTF-8 without '/' or control characters
  std::uint64_t bytes = 0;
  /// When it was changed last, as the server writes it: in a zone and a precision that only the server knows. Good for
  /// being compared with what it was, and for nothing else.
  std::string modified;
  friend bool operator==(const ListedFile&, const ListedFile&) = default;
};

struct FileListing {
  std::vector<ListedFile> files;        ///< in no order; no folders, no links
  std::vector<std::string> unreadable;  ///< the first lines that are not understood, printable
};

inline constexpr std::size_t listed_files_max = 20'000;      ///< more is FetchError::Kind::too_large
inline constexpr std::size_t listing_bytes_max = 8'000'000;  ///< likewise
inline constexpr std::size_t unreadable_lines_max = 5;

/// One site, one step at a time. Every call blocks until it is done, at most the site's total_timeout; all but stop()
/// are called by one thread.
class FileTransport {
 public:
  virtual ~FileTransport() = default;
  virtual std::expected<FileListing, FetchError> list() = 0;
  /// Its bytes, as they are now: they may be more or fewer than were listed.
  virtual std::expected<std::string, FetchError> fetch(const std::string& name) = 0;
  virtual std::expected<void, FetchError> remove(const std::string& name) = 0;
  /// Into the archive folder, which is made where it is missing.
  virtual std::expected<void, FetchError> archive(const std::string& name, const std::string& archived_name) = 0;
  /// From any thread: what is under way ends soon, as FetchError::Kind::stopped, and nothing begins any more.
  virtual void stop() = 0;
};

/// By the site's scheme. Does not connect yet.
std::unique_ptr<FileTransport> open_files(const FileSite& site);

}  // namespace remitod::carriers
