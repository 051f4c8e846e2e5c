#include "daemon/listen_config.h"

#include <gmock/gmock.h>

#include "daemon/config.h"
#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using daemon::Secrets;
using testing::HasSubstr;

class ListenConfigTest : public testing::Test {
 protected:
  std::expected<daemon::Config, std::vector<daemon::ConfigError>> load(const std::string& listen) {
    write_file(file(), "[database]\nurl = \"sqlite:x.db\"\n[listen]\n" + listen);
    return daemon::load_config(file());
  }
  /// The one error that there is.
  std::string error_of(const std::string& listen) {
    const auto config = load(listen);
    if (config) return "no error";
    return config.error().size() == 1 ? config.error().front().to_string() : "several errors";
  }
  std::filesystem::path file() const { return folder_.path() / "remitod.toml"; }
  std::string token_file(const std::string& text) {
    write_file(folder_.path() / "token", text);
    return "file:" + (folder_.path() / "token").string();
  }

  TemporaryFolder folder_;
};

TEST_F(ListenConfigTest, WithoutATableNobodyListens) {
  write_file(file(), "[database]\nurl = \"sqlite:x.db\"\n");
  const auto config = daemon::load_config(file());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listen.address, "");
  EXPECT_EQ(daemon::load_listen_token(*config, Secrets::required), "");
}

TEST_F(ListenConfigTest, AnAddressOfThisMachineNeedsNoToken) {
  for (const char* address : {"127.0.0.1:9470", "[::1]:9470", "/run/remitod/http.sock"}) {
    const auto config = load("address = \"" + std::string(address) + "\"\nnames = [\"remitod.example\"]\n");
    ASSERT_TRUE(config) << address;
    EXPECT_EQ(config->listen.address, address);
    EXPECT_EQ(config->listen.names, std::vector<std::string>{"remitod.example"});
  }
}

TEST_F(ListenConfigTest, AnAddressThatOthersReachDoes) {
  EXPECT_THAT(error_of("address = \"0.0.0.0:9470\"\n"), HasSubstr("listen.token: is missing"));
  EXPECT_TRUE(load("address = \"0.0.0.0:9470\"\ntoken = \"credential:secret_listen\"\n"));
}

TEST_F(ListenConfigTest, WhatIsWrongIsToldWithItsKey) {
  EXPECT_THAT(error_of("address = \"localhost\"\n"), HasSubstr("listen.address: expected an address and a port"));
  EXPECT_THAT(error_of("adress = \"127.0.0.1:9470\"\n"), HasSubstr("listen.adress"));
}

TEST_F(ListenConfigTest, TheTokenIsReadFromItsFileAndHeldToALength) {
  const auto token_of = [&](const std::string& text) {
    const auto config = load("token = \"" + token_file(text) + "\"\n");
    return daemon::load_listen_token(config.value(), Secrets::required);
  };
  EXPECT_EQ(token_of("0123456789abcdef\n"), "0123456789abcdef");
  for (const auto& [text, problem] : {std::pair<std::string, std::string>("short", "shorter"),
                                      {std::string(600, 'a'), "longer"},
                                      {"0123456789 abcdef", "blanks"},
                                      {"", "is empty"}}) {
    const auto token = token_of(text);
    ASSERT_FALSE(token) << text;
    EXPECT_THAT(token.error().front().to_string(), HasSubstr(problem));
    EXPECT_THAT(token.error().front().to_string(), HasSubstr(":4: listen.token"));
  }
}

TEST_F(ListenConfigTest, ACheckFromAShellTakesACredentialAsPresent) {
  const auto config = load("token = \"credential:secret_listen\"\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(daemon::load_listen_token(*config, Secrets::as_far_as_readable), "");
  EXPECT_FALSE(daemon::load_listen_token(*config, Secrets::required));
}

}  // namespace
}  // namespace remitod::test
