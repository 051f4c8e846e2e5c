// [sinks.NAME]: what is right, and what is said of what is wrong.
#include <gmock/gmock.h>

#include <cstdlib>

#include "daemon/config.h"
#include "daemon/sink_queue.h"
#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using daemon::Config;
using daemon::ConfigError;
using daemon::Secrets;
using daemon::SinkConfig;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string secret_a = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct SinkConfigTest : testing::Test {
  std::expected<Config, std::vector<ConfigError>> load(const std::string& text) {
    write_file(folder.path() / "remitod.toml", "[database]\nurl = \"sqlite:/tmp/x.db\"\n" + text);
    return daemon::load_config(folder.path() / "remitod.toml");
  }
  /// The one error, as it is told.
  std::string error(const std::string& text) {
    const auto loaded = load(text);
    if (loaded) return "none";
    EXPECT_EQ(loaded.error().size(), 1u) << loaded.error().back().to_string();
    return loaded.error().front().to_string();
  }
  static std::string webhook(const std::string& url, const std::string& more = "") {
    return "[sinks.shop]\ntype = \"webhook\"\nurl = \"" + url + "\"\nsecrets = [\"credential:a\"]\n" + more;
  }
  std::string secret_file(const std::string& name, const std::string& text) {
    write_file(folder.path() / name, text);
    return "\"file:" + (folder.path() / name).string() + "\"";
  }
  TemporaryFolder folder;
};

TEST_F(SinkConfigTest, EveryKeyIsRead) {
  const auto config = load(R"(
[sinks.shop-events]
type = "webhook"
url = "https://shop.example/hooks"
secrets = ["credential:new", "credential:old"]
concurrency = 32
timeout = "5 s"
retries = ["1 s", "10 min"]
[sinks.mail]
type = "command"
command = ["send-mails", "--fast"]
concurrency = 2
timeout = "2 min"
)");
  ASSERT_TRUE(config) << config.error().front().to_string();
  ASSERT_EQ(config->sinks.size(), 2u);
  const SinkConfig& mail = config->sinks[0];
  EXPECT_EQ(mail.name, "mail");
  EXPECT_EQ(mail.type, SinkConfig::Type::command);
  EXPECT_THAT(mail.command, ElementsAre("send-mails", "--fast"));
  EXPECT_EQ(mail.concurrency, 2);
  EXPECT_EQ(mail.timeout, 2min);
  EXPECT_EQ(mail.retries, daemon::standard_retries());
  const SinkConfig& shop = config->sinks[1];
  EXPECT_EQ(shop.name, "shop-events");
  EXPECT_EQ(shop.url, "https://shop.example/hooks");
  EXPECT_THAT(shop.secrets, ElementsAre("credential:new", "credential:old"));
  EXPECT_EQ(shop.concurrency, 32);
  EXPECT_EQ(shop.timeout, 5s);
  EXPECT_THAT(shop.retries, ElementsAre(1s, 10min));
}

TEST_F(SinkConfigTest, WhatIsLeftOutHasADefault) {
  const auto config = load(webhook("https://shop.example") + "[sinks.mail]\ntype = \"command\"\ncommand = [\"m\"]\n");
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_EQ(config->sinks[0].concurrency, 1);
  EXPECT_EQ(config->sinks[0].timeout, 30s);
  EXPECT_EQ(config->sinks[1].concurrency, 16);
  EXPECT_EQ(config->sinks[1].timeout, 20s);
}

TEST_F(SinkConfigTest, PlainHttpIsForThisMachineAlone) {
  for (const char* url : {"http://127.0.0.1:8080/x", "http://127.8.8.8/", "http://[::1]:1/x", "http://localhost/x"})
    EXPECT_TRUE(load(webhook(url))) << url;
  for (const char* url : {"http://shop.example/", "http://127.0.0.1.example/", "http://192.0.2.1/"})
    EXPECT_THAT(error(webhook(url)), testing::AllOf(HasSubstr("sinks.shop.url"), HasSubstr("https://"))) << url;
}

TEST_F(SinkConfigTest, UrlThatIsNoneIsRefused) {
  for (const char* url : {"shop.example", "https://", "ftp://shop.example/", "https://user:word@shop.example/"})
    EXPECT_THAT(error(webhook(url)), HasSubstr("remitod.toml:5: sinks.shop.url")) << url;
}

TEST_F(SinkConfigTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(error("[sinks.shop]\n"), HasSubstr("sinks.shop.type: is missing"));
  EXPECT_THAT(error("[sinks.shop]\ntype = \"webhook\"\nurl = \"https://shop.example\"\n"),
              HasSubstr("sinks.shop.secrets: expected at least one"));
  EXPECT_THAT(error("[sinks.shop]\ntype = \"webhook\"\nsecrets = [\"credential:a\"]\n"), HasSubstr("sinks.shop.url"));
  EXPECT_THAT(error("[sinks.mail]\ntype = \"command\"\n"), HasSubstr("sinks.mail.command: expected the program"));
}

TEST_F(SinkConfigTest, WhatIsOutOfRangeIsNamed) {
  const std::string url = "https://shop.example";
  EXPECT_THAT(error(webhook(url, "concurrency = 0\n")), HasSubstr("sinks.shop.concurrency"));
  EXPECT_THAT(error(webhook(url, "concurrency = 257\n")), HasSubstr("sinks.shop.concurrency"));
  EXPECT_THAT(error(webhook(url, "timeout = \"6 min\"\n")), HasSubstr("from 100 ms to 5 min"));
  EXPECT_THAT(error(webhook(url, "retries = [\"5 s\", \"soon\"]\n")), HasSubstr("not \"soon\""));
  EXPECT_THAT(error(webhook(url, "retrys = [\"5 s\"]\n")), HasSubstr("did you mean 'retries'?"));
  EXPECT_THAT(error(webhook(url, "command = [\"x\"]\n")), HasSubstr("sinks.shop.command: is not a key here"));
  EXPECT_THAT(error("[sinks.shop]\ntype = \"kafka\"\n"), HasSubstr("sinks.shop.type"));
}

TEST_F(SinkConfigTest, NamesThatReplayCouldMisreadAreRefused) {
  EXPECT_THAT(error("[sinks.dead]\ntype = \"command\"\ncommand = [\"x\"]\n"), HasSubstr("other than \"dead\""));
  EXPECT_THAT(error("[sinks.\"a:b\"]\ntype = \"command\"\ncommand = [\"x\"]\n"), HasSubstr("letters, digits"));
}

TEST_F(SinkConfigTest, SecretsAreReadAndCheckedInTheirOrder) {
  const auto config =
      load("[sinks.shop]\ntype = \"webhook\"\nurl = \"https://shop.example\"\nsecrets = [" +
           secret_file("a", secret_a + "\n") + ", " + secret_file("b", "whsec_" + std::string(40, 'A')) + "]\n");
  ASSERT_TRUE(config) << config.error().front().to_string();
  const auto sinks = daemon::load_sinks(*config, Secrets::required);
  ASSERT_TRUE(sinks) << sinks.error().front().to_string();
  ASSERT_EQ(sinks->at(0).keys.size(), 2u);
  EXPECT_EQ(sinks->at(0).keys[1], std::string(30, '\0'));
}

TEST_F(SinkConfigTest, SecretThatIsNoneIsNamedButNotTold) {
  const auto config = load("[sinks.shop]\ntype = \"webhook\"\nurl = \"https://shop.example\"\nsecrets = [" +
                           secret_file("a", "letmein") + "]\n");
  const auto sinks = daemon::load_sinks(config.value(), Secrets::required);
  ASSERT_FALSE(sinks);
  const std::string told = sinks.error().at(0).to_string();
  EXPECT_THAT(told, HasSubstr("remitod.toml:6: sinks.shop.secrets"));
  EXPECT_THAT(told, HasSubstr("whsec_"));
  EXPECT_THAT(told, testing::Not(HasSubstr("letmein")));
}

TEST_F(SinkConfigTest, SecretsThatSystemdPassesAreTakenAsPresentFromAShell) {
  ::unsetenv("CREDENTIALS_DIRECTORY");
  const auto config = load(webhook("https://shop.example"));
  EXPECT_TRUE(daemon::load_sinks(config.value(), Secrets::as_far_as_readable));
  EXPECT_FALSE(daemon::load_sinks(config.value(), Secrets::required));
}

}  // namespace
}  // namespace remitod::test
