#include "daemon/config_places.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/support/files_profile.h"
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

TEST_F(ConfigPlaces, ThePlaceIsToldWithItsLine) {
  const std::filesystem::path file = folder_.path() / "remitod.toml";
  write_file(file, "[database]\nurl = \"sqlite:" + (nowhere_ / "remitod.db").string() +
                       "\"\n\n[daemon]\ncontrol_socket = \"" + (nowhere_ / "control.sock").string() + "\"\n");
  const auto config = daemon::load_config(file);
  ASSERT_TRUE(config);
  const std::string missing = "the folder " + nowhere_.string() + " does not exist";
  EXPECT_THAT(said(*config), ElementsAre(file.string() + ":2: database.url: " + missing,
                                         file.string() + ":5: daemon.control_socket: " + missing));
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

TEST_F(ConfigPlaces, AFileInTheSocketsPlaceIsTold) {
  write_file(folder_.path() / "control.sock", "somebody's notes");
  EXPECT_THAT(said(folder_.path(), folder_.path()),
              ElementsAre(testing::HasSubstr("control.sock is there already, and is no socket")));
}

TEST_F(ConfigPlaces, WhatSystemdMakesAtAStartMayBeMissingBeforeItForAShell) {
  EXPECT_THAT(said("/var/lib/remitod/a-test-has-no-such", "/run/remitod/a-test-has-no-such"), IsEmpty());
  EXPECT_THAT(said("/var/lib/remitod/no/such", "/run/remitod/no/such"), testing::SizeIs(2));
  ::setenv("RUNTIME_DIRECTORY", "/run/remitod", 1);
  EXPECT_THAT(said("/var/lib/remitod/a-test-has-no-such", "/run/remitod/a-test-has-no-such"), testing::SizeIs(2))
      << "the service has them";
}

// ------------------------------------------------------------------ for whoever only speaks to the daemon

class ControlSocketPath : public ConfigPlaces {
 protected:
  std::expected<std::string, std::vector<ConfigError>> path_in(const std::string& text) const {
    const std::filesystem::path file = folder_.path() / "remitod.toml";
    write_file(file, text);
    return daemon::load_control_socket(file);
  }
  std::string complaint(const std::string& text) const {
    const auto path = path_in(text);
    return path ? "" : path.error().front().to_string();
  }
};

TEST_F(ControlSocketPath, IsReadFromAFileThatIsWrongElsewhere) {
  const std::string socket = "[daemon]\ncontrol_socket = \"/run/other.sock\"\n";
  EXPECT_EQ(path_in(socket), "/run/other.sock") << "without a database";
  EXPECT_EQ(path_in(socket + "drain = \"soon\"\n[carriers.oca]\nwrong = 1\n"), "/run/other.sock");
  EXPECT_EQ(path_in("[database]\nurl = \"sqlite:/x\"\n"), Config{}.control_socket);
}

TEST_F(ControlSocketPath, IsNotGuessedWhereTheFileDoesNotTellIt) {
  EXPECT_THAT(complaint("[daemon]\ncontrol_socket = 7\n"), testing::HasSubstr("remitod.toml:2: daemon.control_socket"));
  EXPECT_THAT(complaint("daemon = 7\n"), testing::HasSubstr("remitod.toml:1: daemon"));
  EXPECT_THAT(complaint("[daemon\ncontrol_socket = \"/run/other.sock\"\n"), testing::HasSubstr("remitod.toml:1: "));
  const auto nothing = daemon::load_control_socket(nowhere_);
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().front().to_string(), testing::HasSubstr("No such file"));
}

// ------------------------------------------------------------------ folders of carriers

class CarrierFolders : public ConfigPlaces {
 protected:
  /// What is said of two carriers whose [feed] have these lines.
  std::vector<std::string> said_of(const std::string& one, const std::string& other, const std::string& key = "") {
    write_file(folder_.path() / "carriers/one/carrier.toml", files_profile_text(one));
    write_file(folder_.path() / "carriers/two/carrier.toml", files_profile_text(other));
    write_file(folder_.path() / "secret", "only for this test");
    std::string text = "database.url = \"sqlite:x\"\n[daemon]\ncarriers_dirs = [\"carriers\"]\n";
    for (const std::string name : {"one", "two"})
      text += "[carriers." + name + "]\n" + (name == "one" ? key : "") + "[carriers." + name +
              ".secrets]\npassword = \"file:secret\"\nkey = \"file:secret\"\n";
    write_file(folder_.path() / "remitod.toml", text);
    const auto config = daemon::load_config(folder_.path() / "remitod.toml");
    EXPECT_TRUE(config);
    std::vector<std::string> texts;
    if (const auto ready = daemon::load_carriers(*config, daemon::Secrets::required); !ready)
      for (const ConfigError& error : ready.error()) texts.push_back(error.to_string());
    return texts;
  }
};

TEST_F(CarrierFolders, OneThatTakesAwayWhatAnotherReadsIsTold) {
  const std::string taken = "url = 'file:///out/*.csv'\nafter = 'delete'\n", left = "url = 'file:///out/*.csv'\n";
  EXPECT_THAT(
      said_of(taken, left),
      ElementsAre(testing::HasSubstr("remitod.toml:4: carriers.one: takes away files that carriers.two reads")));
  EXPECT_THAT(said_of(taken, taken), testing::SizeIs(2));
  EXPECT_THAT(said_of(taken, left, "emit = \"shadow\"\n"), IsEmpty()) << "it leaves them to the other system";
  EXPECT_THAT(said_of(left, left), IsEmpty());
  EXPECT_THAT(said_of(taken, "url = 'file:///out/*.txt'\n"), IsEmpty());
  EXPECT_THAT(said_of(taken + "pattern = 'A.*'\n", left + "pattern = 'B.*'\n"), IsEmpty());
}

}  // namespace
}  // namespace remitod::test
