// Real servers of files on this machine: sshd and pure-ftpd, each with a folder, a user and keys of its own, on a port
// of 127.0.0.1, gone with the object. They run as root, because they change to the user who logs in.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/scripted_server.h"

namespace remitod::test {

inline constexpr const char* file_user = "carrier";
inline constexpr const char* file_password = "only for this test";

class FileServer {
 public:
  virtual ~FileServer() = default;
  /// What the user sees as the folder `out`.
  std::filesystem::path out() const { return folder_.path() / "home" / "out"; }
  int port() const { return port_; }
  /// "127.0.0.1:PORT"
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }

 protected:
  FileServer();
  /// Waits until connections are accepted; throws with the server's words where it ends before.
  void start(const std::vector<std::string>& command);
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path home() const { return folder_.path() / "home"; }

 private:
  TemporaryFolder folder_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

/// OpenSSH. The user is known to this server alone: it runs in a mount namespace with a list of users of its own.
class SshServer : public FileServer {
 public:
  SshServer();
  std::string host_key() const;     ///< "SHA256:..."
  std::string private_key() const;  ///< of the user, Ed25519, PEM
};

/// pure-ftpd with a virtual user.
class FtpServer : public FileServer {
 public:
  /// With TLS, what is in the clear is refused.
  enum class Speaks { plain, tls };
  explicit FtpServer(Speaks speaks);
  std::filesystem::path ca_file() const { return folder() / "ca.pem"; }
};

}  // namespace remitod::test
