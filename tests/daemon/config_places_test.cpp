#include "daemon/config_places.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using daemon::Config;
using daemon::ConfigError;
using testing::ElementsAre;
using testing::IsEmpty;

class ConfigPlaces : public testing::Test {
 protected:
  ConfigPlaces() { ::unsetenv("RUNTIME_DIRECTORY"); }
  ~ConfigPlaces() override { ::unsetenv("RUNTIME_DIRECTORY"); }
  /// What is said of places in these folders.
  static std::vector<std::string> said(const std::filesystem::path& database_folder,
                                       const std::filesystem::path& socket_folder) {
    Config config;
    config.file = "remitod.toml";
    config.database.connect = database_folder / "remitod.db";
    config.control_socket = socket_folder / "control.sock";
    return said(config);
  }
  static std::vector<std::string> said(const Config& config) {
    std::vector<std::string> texts;
    for (const ConfigError& error : daemon::place_errors(config)) texts.push_back(error.to_string());
    return texts;
  }

  TemporaryFolder folder_;
  std::filesystem::path nowhere_ = folder_.path() / "nowhere";
};

TEST_F(ConfigPlaces, FoldersThatAreThereAreRight) {
  EXPECT_THAT(said(folder_.path(), folder_.path()), IsEmpty());
  EXPECT_THAT(said("", ""), IsEmpty()) << "the folder one is in";
}

TEST_F(ConfigPlaces, FoldersThatAreMissingAreTold) {
  const std::string missing = "the folder " + nowhere_.string() + " does not exist";
  EXPECT_THAT(said(nowhere_, nowhere_),
              ElementsAre("remitod.toml: database.url: " + missing, "remitod.toml: daemon.control_socket: " + missing));
}

TEST_F(ConfigPlaces, AFileIsNoFolder) {
  write_file(nowhere_, "");
  EXPECT_THAT(said(nowhere_, folder_.path()),
              ElementsAre("remitod.toml: database.url: " + nowhere_.string() + " is no folder"));
}

TEST_F(ConfigPlaces, PostgresqlIsInNoFolder) {
  Config config;
  config.database = {db::DatabaseUrl::Engine::postgresql, "dbname='nowhere/at/all'"};
  config.control_socket = folder_.path() / "control.sock";
  EXPECT_THAT(said(config), IsEmpty());
}

TEST_F(ConfigPlaces, APathThatIsTooLongForASocketIsTold) {
  Config config;
  config.database.connect = folder_.path() / "remitod.db";
  config.control_socket = "/tmp/" + std::string(102, 'a');
  EXPECT_THAT(said(config), IsEmpty()) << "107 bytes, and one that ends them";
  config.control_socket += 'a';
  EXPECT_THAT(said(config), ElementsAre(testing::HasSubstr("longer than the system allows (107)")));
}

TEST_F(ConfigPlaces, WhatSystemdMakesAtAStartMayBeMissingBeforeItForAShell) {
  EXPECT_THAT(said("/var/lib/remitod/a-test-has-no-such", "/run/remitod/a-test-has-no-such"), IsEmpty());
  EXPECT_THAT(said("/var/lib/remitod/no/such", "/run/remitod/no/such"), testing::SizeIs(2));
  ::setenv("RUNTIME_DIRECTORY", "/run/remitod", 1);
  EXPECT_THAT(said("/var/lib/remitod/a-test-has-no-such", "/run/remitod/a-test-has-no-such"), testing::SizeIs(2))
      << "the service has them";
}

}  // namespace
}  // namespace remitod::test
