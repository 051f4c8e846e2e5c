// Files from real servers: what libcurl is asked to do is what happens there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "carriers/file_transport.h"
#include "tests/support/file_servers.h"

namespace remitod::carriers {
namespace {

using test::FileServer;
using test::FtpServer;
using test::read_file;
using test::SshServer;
using test::write_file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// A server, and the site that a profile would state of it.
struct Place {
  std::unique_ptr<FileServer> server;
  FileSite site;
};

FileSite site_of(FileSite::Scheme scheme, const FileServer& server) {
  FileSite site;
  site.scheme = scheme;
  site.authority = server.authority();
  site.folder = scheme == FileSite::Scheme::sftp ? server.out().string() + "/" : "/out/";
  site.archive_folder = "done";
  site.user = test::file_user;
  site.password = test::file_password;
  return site;
}

Place sftp_with_key() {
  auto server = std::make_unique<SshServer>();
  FileSite site = site_of(FileSite::Scheme::sftp, *server);
  site.host_key = server->host_key().substr(std::string("SHA256:").size());
  site.password.clear();
  site.private_key = server->private_key();
  return {std::move(server), std::move(site)};
}

Place sftp_with_password() {
  Place place = sftp_with_key();
  place.site.private_key.clear();
  place.site.password = test::file_password;
  place.site.folder = "/~/out/";
  return place;
}

Place ftp() {
  auto server = std::make_unique<FtpServer>(FtpServer::Speaks::plain);
  FileSite site = site_of(FileSite::Scheme::ftp, *server);
  return {std::move(server), std::move(site)};
}

Place ftp_over_tls() {
  auto server = std::make_unique<FtpServer>(FtpServer::Speaks::tls);
  FileSite site = site_of(FileSite::Scheme::ftpes, *server);
  site.ca_file = server->ca_file().string();
  return {std::move(server), std::move(site)};
}

struct Kind {
  const char* name;
  Place (*make)();
};

class FileServers : public testing::TestWithParam<Kind> {
 protected:
  void put(const std::string& name, const std::string& text) { write_file(place.server->out() / name, text); }
  std::string text_of(const std::string& name) { return read_file(place.server->out() / name); }
  bool has(const std::string& name) { return std::filesystem::exists(place.server->out() / name); }

  Place place = GetParam().make();
  std::unique_ptr<FileTransport> files = open_files(place.site);
};
INSTANTIATE_TEST_SUITE_P(Kinds, FileServers,
                         testing::Values(Kind{"sftp_with_key", sftp_with_key},
                                         Kind{"sftp_with_password", sftp_with_password}, Kind{"ftp", ftp},
                                         Kind{"ftp_over_tls", ftp_over_tls}),
                         [](const auto& kind) { return kind.param.name; });

template <class Value>
Value value_of(std::expected<Value, FetchError> result) {
  if (!result) throw std::runtime_error(std::string(name(result.error().kind)) + ": " + result.error().message);
  if constexpr (!std::is_void_v<Value>) return *std::move(result);
}

TEST_P(FileServers, EmptyFolderHoldsNothing) {
  EXPECT_THAT(value_of(files->list()).files, IsEmpty());
  EXPECT_THAT(value_of(files->list()).unreadable, IsEmpty());
}

TEST_P(FileServers, FilesAreListedWithTheirSizesAndFetchedAsTheyAre) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  put("entregas del día #1 %41.csv", bytes);
  std::filesystem::create_directory(place.server->out() / "a folder");
  std::filesystem::create_symlink("nowhere", place.server->out() / "a link");
  const FileListing listing = value_of(files->list());
  ASSERT_THAT(listing.files, SizeIs(1)) << "neither folder nor link";
  EXPECT_EQ(listing.files[0].name, "entregas del día #1 %41.csv");
  EXPECT_EQ(listing.files[0].bytes, 256u);
  EXPECT_THAT(listing.unreadable, IsEmpty());
  EXPECT_EQ(value_of(files->fetch(listing.files[0].name)), bytes);
}

TEST_P(FileServers, TimeOfAFileTellsThatItChanged) {
  put("a.csv", "1");
  const ListedFile before = value_of(files->list()).files.at(0);
  EXPECT_EQ(value_of(files->list()).files.at(0), before);
  const auto earlier = std::filesystem::last_write_time(place.server->out() / "a.csv") - std::chrono::hours{3};
  std::filesystem::last_write_time(place.server->out() / "a.csv", earlier);
  EXPECT_NE(value_of(files->list()).files.at(0).modified, before.modified);
}

TEST_P(FileServers, FileIsArchivedUnderItsNewNameAgainAndAgain) {
  put("a \"b\".csv", "1");
  value_of(files->archive("a \"b\".csv", "first-a.csv"));
  put("a \"b\".csv", "2");
  value_of(files->archive("a \"b\".csv", "second-a.csv"));
  EXPECT_FALSE(has("a \"b\".csv"));
  EXPECT_EQ(text_of("done/first-a.csv"), "1");
  EXPECT_EQ(text_of("done/second-a.csv"), "2");
}

TEST_P(FileServers, FileIsRemovedAndNoOther) {
  put("a.csv", "1");
  put("b.csv", "2");
  value_of(files->remove("a.csv"));
  EXPECT_FALSE(has("a.csv"));
  EXPECT_TRUE(has("b.csv"));
}

TEST_P(FileServers, WhatIsNotThereIsAnError) {
  EXPECT_FALSE(files->fetch("a.csv"));
  EXPECT_FALSE(files->remove("a.csv"));
  EXPECT_FALSE(files->archive("a.csv", "b.csv"));
  place.site.folder += "nothing/";
  EXPECT_FALSE(open_files(place.site)->list());
}

TEST_P(FileServers, FileOverTheCapIsNotTaken) {
  put("a.csv", std::string(1000, 'x'));
  place.site.file_bytes_max = 999;
  const auto fetched = open_files(place.site)->fetch("a.csv");
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FetchError::Kind::too_large);
  EXPECT_THAT(fetched.error().message, HasSubstr("larger than 999 bytes"));
  place.site.file_bytes_max = 1000;
  EXPECT_EQ(value_of(open_files(place.site)->fetch("a.csv")).size(), 1000u);
}

TEST_P(FileServers, StoppedTransportBeginsNothing) {
  put("a.csv", "1");
  files->stop();
  const auto listing = files->list();
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, FetchError::Kind::stopped);
}

TEST_P(FileServers, WrongCredentialsAreRefusedAndNotShown) {
  place.site.private_key.clear();
  place.site.password = "canary in a coal mine";
  const auto listing = open_files(place.site)->list();
  ASSERT_FALSE(listing);
  EXPECT_THAT(listing.error().message, Not(HasSubstr("canary")));
}

TEST(SftpServer, AnotherHostKeyThanThePinnedOneIsRefused) {
  Place place = sftp_with_key();
  place.site.host_key[7] = place.site.host_key[7] == 'A' ? 'B' : 'A';
  const auto listing = open_files(place.site)->list();
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, FetchError::Kind::tls);
}

TEST(FtpServerOverTls, CertificateThatNobodyKnowsIsRefused) {
  Place place = ftp_over_tls();
  place.site.ca_file.clear();
  const auto listing = open_files(place.site)->list();
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, FetchError::Kind::tls);
}

TEST(FtpServerInTheClear, IsRefusedWhereTlsIsAskedFor) {
  Place place = ftp();
  place.site.scheme = FileSite::Scheme::ftpes;
  const auto listing = open_files(place.site)->list();
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, FetchError::Kind::tls);
}

/// One session of an FTP server with an empty folder: it says what it has to, and nothing to a good-bye.
class FtpServerWithoutGoodBye {
 public:
  ~FtpServerWithoutGoodBye() { session_.join(); }
  int port() const { return control_.local_endpoint().port(); }

 private:
  using tcp = boost::asio::ip::tcp;
  static tcp::endpoint any_port() { return {boost::asio::ip::make_address("127.0.0.1"), 0}; }
  void serve() {
    tcp::iostream client;
    control_.accept(client.socket());
    client << "220 at your service\r\n" << std::flush;
    for (std::string line; std::getline(client, line);) {
      if (line.starts_with("QUIT")) continue;
      client << answer_to(line.substr(0, 4)) << std::flush;
      if (!line.starts_with("MLSD")) continue;
      data_.accept().close();
      client << "226 that was all\r\n" << std::flush;
    }
  }
  std::string answer_to(const std::string& command) const {
    if (command == "USER") return "331 and the password?\r\n";
    if (command == "PASS") return "230 come in\r\n";
    if (command.starts_with("PWD")) return "257 \"/\"\r\n";
    if (command == "EPSV") return "229 (|||" + std::to_string(data_.local_endpoint().port()) + "|)\r\n";
    return command == "MLSD" ? "150 here it comes\r\n" : "200 as you like\r\n";
  }

  boost::asio::io_context context_;
  tcp::acceptor control_{context_, any_port()}, data_{context_, any_port()};
  std::thread session_{[this] { serve(); }};
};

TEST(FtpServer, ThatDoesNotAnswerAGoodByeHoldsUpNobody) {
  FtpServerWithoutGoodBye server;
  FileSite site;
  site.scheme = FileSite::Scheme::ftp;
  site.authority = "127.0.0.1:" + std::to_string(server.port());
  site.folder = "/";
  site.user = "us";
  site.password = "secret";
  auto files = open_files(site);
  EXPECT_THAT(value_of(files->list()).files, IsEmpty());
  const auto begin = std::chrono::steady_clock::now();
  files.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20});
}

}  // namespace
}  // namespace remitod::carriers
