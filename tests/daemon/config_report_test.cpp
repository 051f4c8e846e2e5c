#include "daemon/config_report.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using daemon::EffectiveKey;
using testing::HasSubstr;
using testing::Not;

struct ConfigReportTest : testing::Test {
  std::map<std::string, EffectiveKey> report(const std::string& text) {
    write_file(folder.path() / "remitod.toml", text);
    const auto config = daemon::load_config(folder.path() / "remitod.toml");
    if (!config) throw std::runtime_error(config.error().front().to_string());
    const auto carriers = daemon::load_carriers(*config, daemon::Secrets::as_far_as_readable);
    if (!carriers) throw std::runtime_error(carriers.error().front().to_string());
    std::map<std::string, EffectiveKey> keys;
    for (const EffectiveKey& key : daemon::effective_config(*config, text, *carriers))
      EXPECT_TRUE(keys.emplace(key.key, key).second) << key.key << " is there twice";
    return keys;
  }
  std::string with_carrier() const {
    return R"([database]
url = "sqlite:/var/lib/remitod/remitod.db"
[daemon]
carriers_dirs = [")" +
           (source_dir() / "carriers/profiles").string() + R"("]
drain = "90 s"
[carriers.chazki]
concurrency = 2
[carriers.chazki.settings]
store = "1"
branch = "2"
[carriers.chazki.secrets]
api_key = "credential:secret_chazki"
[sinks.shop]
type = "command"
command = ["/bin/cat"]
)";
  }
  TemporaryFolder folder;
};

TEST_F(ConfigReportTest, EveryKeyHasItsValueAndWhereThatComesFrom) {
  const auto keys = report(with_carrier());
  EXPECT_EQ(keys.at("daemon.drain").value, "'90 s'");
  EXPECT_EQ(keys.at("daemon.drain").source, "line 5");
  EXPECT_EQ(keys.at("daemon.log_level").source, "default");
  EXPECT_EQ(keys.at("retention.payloads").value, "'90 d'");
  EXPECT_EQ(keys.at("retention.payloads").source, "default");
  EXPECT_EQ(keys.at("retention.shipments").value, "'1825 d'");
  EXPECT_EQ(keys.at("carriers.chazki.concurrency").value, "2");
  EXPECT_EQ(keys.at("carriers.chazki.concurrency").source, "line 7");
  EXPECT_EQ(keys.at("carriers.chazki.requests_per_second").source, "profile");
  EXPECT_EQ(keys.at("carriers.chazki.emit").value, "'live'");
  EXPECT_EQ(keys.at("sinks.shop.concurrency").value, "1");
}

TEST_F(ConfigReportTest, OfSecretsOnlyWhereTheyAreKeptIsTold) {
  const auto keys = report(with_carrier());
  EXPECT_EQ(keys.at("carriers.chazki.secrets.api_key").value, "'credential:secret_chazki'");
  const auto database = report("[database]\nurl = \"postgresql://shop:s3cret@db.example/market\"\n").at("database.url");
  EXPECT_THAT(database.value, Not(HasSubstr("s3cret")));
  EXPECT_THAT(database.value, HasSubstr("db.example/market"));
}

TEST_F(ConfigReportTest, NoKeyThatTheFileMayHaveIsLeftOut) {
  const std::string text = with_carrier();
  const auto keys = report(text);
  std::set<std::string> told;
  for (const auto& [key, effective] : keys) told.insert(key);
  // What a mode of the schedule has no use for, and what another type of sink has.
  const std::set<std::string> elsewhere{"carriers.chazki.budget",
                                        "carriers.chazki.target_delay",
                                        "carriers.chazki.max_interval",
                                        "carriers.chazki.settings",
                                        "carriers.chazki.secrets",
                                        "database",
                                        "daemon",
                                        "retention",
                                        "carriers",
                                        "sinks",
                                        "holidays",
                                        "listen",
                                        "carriers.chazki",
                                        "sinks.shop",
                                        "sinks.shop.url",
                                        "sinks.shop.secrets"};
  for (const std::string& key : daemon::config_keys(text))
    EXPECT_TRUE(told.contains(key) || elsewhere.contains(key)) << key;
}

TEST(WithoutPassword, HidesItInEachWayToWriteOne) {
  EXPECT_EQ(daemon::without_password("postgresql://u:p%40ss@h/d"), "postgresql://u:[secret]@h/d");
  EXPECT_EQ(daemon::without_password("postgresql://u@h/d?password=pass&x=1"),
            "postgresql://u@h/d?password=[secret]&x=1");
  EXPECT_EQ(daemon::without_password("postgresql:host=h password='a \\'b' user=u"),
            "postgresql:host=h password=[secret] user=u");
  EXPECT_EQ(daemon::without_password("sqlite:/var/lib/remitod/remitod.db"), "sqlite:/var/lib/remitod/remitod.db");
}

}  // namespace
}  // namespace remitod::test
