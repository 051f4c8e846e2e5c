#include "carriers/curl_files.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "carriers/file_listing.h"
#include "carriers/local_files.h"
#include "carriers/query.h"

namespace remitod::carriers {
namespace {

/// An option that libcurl refuses is a fault of this file, or of a libcurl without SSH.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    std::fprintf(stderr, "libcurl refuses option %d: %s\n", static_cast<int>(option), curl_easy_strerror(code));
    std::abort();
  }
}

struct CurlFree {
  void operator()(char* text) const { curl_free(text); }
};
using CurlText = std::unique_ptr<char, CurlFree>;

std::string escaped(CURL* easy, const std::string& text) {
  const CurlText result(curl_easy_escape(easy, text.data(), static_cast<int>(text.size())));
  return result ? result.get() : "";
}

std::string unescaped(CURL* easy, const std::string& text) {
  int length = 0;
  const CurlText result(curl_easy_unescape(easy, text.data(), static_cast<int>(text.size()), &length));
  return result ? std::string(result.get(), static_cast<std::size_t>(length)) : "";
}

/// A path in a command of libcurl for SFTP.
std::string in_quotes(std::string_view path) {
  std::string text = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string_view url_scheme(FileSite::Scheme scheme) {
  switch (scheme) {
    case FileSite::Scheme::sftp:
      return "sftp";
    case FileSite::Scheme::ftps:
      return "ftps";
    default:
      return "ftp";
  }
}

FetchError::Kind kind_of(CURLcode code) {
  using enum FetchError::Kind;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return resolve;
    case CURLE_COULDNT_CONNECT:
      return connect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return tls;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_FTP_ACCEPT_TIMEOUT:
      return timeout;
    case CURLE_FILESIZE_EXCEEDED:
      return too_large;
    default:
      return transport;
  }
}

long tls_floor(std::string_view version) {
  if (version == "1.0") return CURL_SSLVERSION_TLSv1_0;
  if (version == "1.1") return CURL_SSLVERSION_TLSv1_1;
  if (version == "1.3") return CURL_SSLVERSION_TLSv1_3;
  return CURL_SSLVERSION_TLSv1_2;
}

void configure(CURL* easy, const FileSite& site) {
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, url_scheme(site.scheme).data());
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(site.connect_timeout.count()));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(site.total_timeout.count()));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, site.low_speed_bytes);
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(site.low_speed_time.count()));
  set(easy, CURLOPT_USERNAME, site.user.c_str());
  if (!site.password.empty()) set(easy, CURLOPT_PASSWORD, site.password.c_str());

  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  set(easy, CURLOPT_SSLVERSION, tls_floor(site.tls_min));
  if (site.tls_min < "1.2") set(easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=0");
  if (!site.ca_file.empty()) set(easy, CURLOPT_CAINFO, site.ca_file.c_str());
  if (site.scheme == FileSite::Scheme::ftpes) {
    set(easy, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    set(easy, CURLOPT_FTPSSLAUTH, static_cast<long>(CURLFTPAUTH_TLS));
  }
}

/// The key is a secret of the installation; it never lies on a disk.
int key_in_memory(const std::string& key) {
  const int file = memfd_create("private_key", MFD_CLOEXEC);
  const bool written = file >= 0 && write(file, key.data(), key.size()) == static_cast<ssize_t>(key.size());
  if (!written) std::abort();
  return file;
}

/// libcurl's commands, as long as a step runs.
class CommandList {
 public:
  explicit CommandList(std::span<const std::string> commands) {
    for (const std::string& command : commands) {
      curl_slist* longer = curl_slist_append(list_.get(), command.c_str());
      if (!longer) std::abort();
      static_cast<void>(list_.release());
      list_.reset(longer);
    }
  }
  curl_slist* get() const { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, CurlFreeList> list_;
};

std::size_t discard(char*, std::size_t, std::size_t count, void*) {
  return count;
}

int stop_when_asked(void* stopping, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<std::atomic<bool>*>(stopping)->load() ? 1 : 0;
}

}  // namespace

struct CurlFiles::Received {
  std::string bytes;
  std::size_t bytes_max = 0;
  bool over_cap = false;

  static std::size_t take(char* bytes, std::size_t, std::size_t count, void* self) {
    auto& received = *static_cast<Received*>(self);
    if (count > received.bytes_max - received.bytes.size()) {
      received.over_cap = true;
      return 0;
    }
    received.bytes.append(bytes, count);
    return count;
  }
};

CurlFiles::CurlFiles(FileSite site) : site_(std::move(site)) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) std::abort();
  multi_.reset(curl_multi_init());
  easy_.reset(curl_easy_init());
  if (!multi_ || !easy_) std::abort();
  if (!site_.private_key.empty()) key_file_ = key_in_memory(site_.private_key);
}

// A connection that was in use until now is told good-bye, and libcurl waits for the answer of an FTP server for two
// minutes: one that a router has forgotten would hold up whoever stops or reloads the daemon. Hanging up says the same.
CurlFiles::~CurlFiles() {
  easy_.reset();
  for (const curl_socket_t socket : sockets_) shutdown(socket, SHUT_RDWR);
  multi_.reset();
  if (key_file_ >= 0) close(key_file_);
}

void CurlFiles::prepare(const std::string& name) {
  CURL* const easy = easy_.get();
  curl_easy_reset(easy);
  configure(easy, site_);
  error_text_.front() = '\0';
  set(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  set(easy, CURLOPT_NOPROGRESS, 0L);
  set(easy, CURLOPT_XFERINFOFUNCTION, &stop_when_asked);
  set(easy, CURLOPT_XFERINFODATA, &stopping_);
  set(easy, CURLOPT_SOCKOPTFUNCTION, &CurlFiles::opened);
  set(easy, CURLOPT_SOCKOPTDATA, this);
  set(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlFiles::closed);
  set(easy, CURLOPT_CLOSESOCKETDATA, this);
  if (is_sftp()) prepare_ssh();
  const std::string url = std::string(url_scheme(site_.scheme)) + "://" + site_.authority + site_.folder +
                          (name.empty() ? "" : escaped(easy, name));
  set(easy, CURLOPT_URL, url.c_str());
}

void CurlFiles::prepare_ssh() {
  CURL* const easy = easy_.get();
  set(easy, CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256, site_.host_key.c_str());
  if (key_file_ < 0) {
    set(easy, CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD));
    return;
  }
  set(easy, CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PUBLICKEY));
  set(easy, CURLOPT_SSH_PRIVATE_KEYFILE, ("/proc/self/fd/" + std::to_string(key_file_)).c_str());
  set(easy, CURLOPT_KEYPASSWD, site_.private_key_password.c_str());
}

int CurlFiles::opened(void* self, curl_socket_t socket, curlsocktype) {
  static_cast<CurlFiles*>(self)->sockets_.insert(socket);
  return CURL_SOCKOPT_OK;
}

int CurlFiles::closed(void* self, curl_socket_t socket) {
  static_cast<CurlFiles*>(self)->sockets_.erase(socket);
  return close(socket);
}

std::expected<FileListing, FetchError> CurlFiles::list() {
  constexpr long commands_unknown_from = 500, commands_unknown_to = 504;  // FTP's answers
  prepare("");
  if (!is_sftp() && knows_mlsd_) set(easy_.get(), CURLOPT_CUSTOMREQUEST, "MLSD");
  auto text = receive(listing_bytes_max, "the listing");
  const long answer = curl_info<long>(easy_.get(), CURLINFO_RESPONSE_CODE);
  if (!text && !is_sftp() && knows_mlsd_ && answer >= commands_unknown_from && answer <= commands_unknown_to) {
    knows_mlsd_ = false;
    return list();
  }
  if (!text) return std::unexpected(std::move(text.error()));
  return read_listing(*text);
}

std::expected<std::string, FetchError> CurlFiles::fetch(const std::string& name) {
  prepare(name);
  return receive(site_.file_bytes_max, name);
}

std::expected<std::string, FetchError> CurlFiles::receive(std::size_t bytes_max, const std::string& what) {
  Received received{.bytes = {}, .bytes_max = bytes_max};
  set(easy_.get(), CURLOPT_WRITEFUNCTION, &Received::take);
  set(easy_.get(), CURLOPT_WRITEDATA, &received);
  const CURLcode code = perform();
  if (received.over_cap)
    return std::unexpected(FetchError{.kind = FetchError::Kind::too_large,
                                      .message = what + " is larger than " + std::to_string(bytes_max) + " bytes"});
  if (code != CURLE_OK) return std::unexpected(error(code));
  return std::move(received.bytes);
}

std::expected<void, FetchError> CurlFiles::remove(const std::string& name) {
  const std::string command = is_sftp() ? "rm " + in_quotes(server_path(name)) : "DELE " + name;
  return this->command({&command, 1});
}

std::expected<void, FetchError> CurlFiles::archive(const std::string& name, const std::string& archived_name) {
  const std::string folder = archive_path();
  const std::string target = folder + '/' + archived_name;
  // The '*' lets a folder be there already.
  const std::array sftp{"*mkdir " + in_quotes(folder),
                        "rename " + in_quotes(server_path(name)) + ' ' + in_quotes(target)};
  const std::array ftp{"*MKD " + folder, "RNFR " + name, "RNTO " + target};
  return is_sftp() ? command(sftp) : command(ftp);
}

std::expected<void, FetchError> CurlFiles::command(std::span<const std::string> commands) {
  prepare("");
  const CommandList list(commands);
  set(easy_.get(), CURLOPT_NOBODY, 1L);
  // FTP's commands follow the transfer of nothing, when the server has gone to the folder; libcurl prints what it
  // learns of a folder as if it were a file.
  set(easy_.get(), is_sftp() ? CURLOPT_QUOTE : CURLOPT_POSTQUOTE, list.get());
  set(easy_.get(), CURLOPT_WRITEFUNCTION, &discard);
  const CURLcode code = perform();
  if (code != CURLE_OK) return std::unexpected(error(code));
  return {};
}

std::string CurlFiles::server_path(const std::string& name) const {
  constexpr std::string_view home = "/~/";
  const std::string folder = unescaped(easy_.get(), site_.folder);
  return (folder.starts_with(home) ? folder.substr(home.size()) : folder) + name;
}

std::string CurlFiles::archive_path() const {
  if (site_.archive_folder.starts_with('/') || !is_sftp()) return site_.archive_folder;
  return server_path(site_.archive_folder);
}

// Not curl_easy_perform: on a connection that is used again it sleeps a second before each file of FTP (libcurl 7.88).
CURLcode CurlFiles::perform() {
  constexpr int look_ms = 50;
  curl_multi_add_handle(multi_.get(), easy_.get());
  CURLMcode turn = CURLM_OK;
  for (int running = 1; running != 0 && turn == CURLM_OK;) {
    turn = curl_multi_perform(multi_.get(), &running);
    if (turn == CURLM_OK && running != 0) turn = curl_multi_poll(multi_.get(), nullptr, 0, look_ms, nullptr);
  }
  int left = 0;
  const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left);
  const CURLcode code = message ? message->data.result : CURLE_FAILED_INIT;
  curl_multi_remove_handle(multi_.get(), easy_.get());
  return code;
}

FetchError CurlFiles::error(CURLcode code) const {
  constexpr std::size_t message_bytes_max = 300;
  if (code == CURLE_ABORTED_BY_CALLBACK) return {.kind = FetchError::Kind::stopped, .message = "shutting down"};
  const char* text = error_text_.front() ? error_text_.data() : curl_easy_strerror(code);
  return {.kind = kind_of(code), .message = tidy(text, message_bytes_max)};
}

std::unique_ptr<FileTransport> open_files(const FileSite& site) {
  if (site.scheme == FileSite::Scheme::file) return std::make_unique<LocalFiles>(site);
  return std::make_unique<CurlFiles>(site);
}

}  // namespace remitod::carriers
