#include "tests/support/file_servers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace remitod::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* user_id = "60321";

std::string run(const std::vector<std::string>& command) {
  Finished finished = run_to_end(command);
  if (finished.exit_code != 0) throw std::runtime_error(command.at(0) + ": " + finished.err);
  return std::move(finished.out);
}

std::string password_hash() {
  std::string hash = run({"openssl", "passwd", "-6", file_password});
  hash.erase(hash.find_last_not_of('\n') + 1);
  return hash;
}

bool accepts(int port) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(connection);
  return connected;
}

}  // namespace

FileServer::FileServer() : port_(closed_port()) {
  if (::geteuid() != 0) throw std::runtime_error("servers of files run as root: this test needs it");
  fs::create_directories(out());
  // The user is another one than the test's.
  fs::permissions(folder(), fs::perms{0755});
  fs::permissions(home(), fs::perms{0777});
  fs::permissions(out(), fs::perms{0777});
}

void FileServer::start(const std::vector<std::string>& command) {
  const fs::path log = folder() / "server.log";
  process_ = std::make_unique<Process>(command, Process::Outputs{log, log});
  const bool ready = eventually([this] { return !process_->running() || accepts(port_); });
  if (!ready || !process_->running()) throw std::runtime_error(command.at(0) + " did not start: " + read_file(log));
}

SshServer::SshServer() {
  const std::string etc = (folder() / "etc").string();
  fs::create_directory(etc);
  for (const char* name : {"host_key", "user_key"})
    run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", (folder() / name).string()});
  write_file(etc + "/passwd", read_file("/etc/passwd") + file_user + ":x:" + user_id + ":" + user_id +
                                  "::" + home().string() + ":/bin/sh\n");
  write_file(etc + "/shadow", read_file("/etc/shadow") + file_user + ":" + password_hash() + ":20000::::::\n");
  const std::string config = (folder() / "sshd_config").string();
  write_file(config, "HostKey " + (folder() / "host_key").string() + "\nAuthorizedKeysFile " +
                         (folder() / "user_key.pub").string() + "\nAllowUsers " + file_user +
                         "\nListenAddress 127.0.0.1\nUsePAM no\nStrictModes no\nPidFile none\n"
                         "Subsystem sftp internal-sftp\nForceCommand internal-sftp\n");
  const std::string script = "mount --bind " + etc + "/passwd /etc/passwd && mount --bind " + etc +
                             "/shadow /etc/shadow && mkdir -p /run/sshd && "
                             "exec /usr/sbin/sshd -D -e -f " +
                             config + " -p " + std::to_string(port());
  start({"unshare", "--mount", "--propagation", "private", "sh", "-c", script});
}

std::string SshServer::host_key() const {
  const std::string line = run({"ssh-keygen", "-l", "-f", (folder() / "host_key.pub").string()});
  const std::size_t begin = line.find("SHA256:");
  return line.substr(begin, line.find(' ', begin) - begin);
}

std::string SshServer::private_key() const {
  return read_file(folder() / "user_key");
}

FtpServer::FtpServer(Speaks speaks) {
  const TlsIdentity identity = TlsIdentity::make("127.0.0.1", -std::chrono::hours{1}, std::chrono::hours{24});
  const std::string certificate = (folder() / "server.pem").string();
  write_file(ca_file(), identity.certificate_pem);
  write_file(certificate, identity.key_pem + identity.certificate_pem);
  const std::string users = (folder() / "users").string(), database = (folder() / "users.pdb").string();
  write_file(users, std::string(file_user) + ":" + password_hash() + ":" + user_id + ":" + user_id +
                        "::" + home().string() + "/./::::::::::::\n");
  run({"pure-pw", "mkdb", database, "-f", users});
  start({"/usr/sbin/pure-ftpd", "--bind", "127.0.0.1," + std::to_string(port()), "--login", "puredb:" + database,
         "--noanonymous", "--dontresolve", "--minuid", "1", "--pidfile", (folder() / "pid").string(), "--tls",
         speaks == Speaks::tls ? "3" : "0", "--certfile", certificate});
}

}  // namespace remitod::test
