// A start that cannot succeed: it is told at once with the path, exit 78, and what belongs to others is left alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/daemon_fixture.h"

namespace remitod::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Start : public testing::Test {
 protected:
  static void configure(Installation& installation) {
    installation.configure(installation.carrier("oca", "http://127.0.0.1:9", "interval = \"2 h\"\n"));
  }
  /// What a daemon says that ends with 78.
  static std::string refusal(Installation& installation) {
    const Finished run = installation.remitod({});
    EXPECT_EQ(run.exit_code, 78) << run.err;
    return run.err;
  }
};

TEST_F(Start, ASecondDaemonWithTheSameControlSocketIsRefusedAndTheFirstGoesOnAnswering) {
  Installation first, second;
  configure(first);
  configure(second);
  const std::string socket = (first.folder() / "control.sock").string();
  std::string text = read_file(second.config_file());
  const std::string own = (second.folder() / "control.sock").string();
  write_file(second.config_file(), text.replace(text.find(own), own.size(), socket));
  first.start();
  EXPECT_THAT(refusal(second), AllOf(HasSubstr("control_socket"), HasSubstr("another daemon listens on " + socket)));
  EXPECT_TRUE(first.answers());
  EXPECT_EQ(first.stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(Start, AFileThatIsNoDatabaseIsTold) {
  Installation installation;
  configure(installation);
  const std::filesystem::path file = installation.folder() / "remitod.db";
  write_file(file, std::string(2000, 'x'));
  EXPECT_THAT(refusal(installation), AllOf(HasSubstr("database_unusable"), HasSubstr(file.string() + ": ")));
  EXPECT_EQ(read_file(file), std::string(2000, 'x'));
}

TEST_F(Start, AFolderThatIsNotThereIsToldByTheCheckToo) {
  const TemporaryFolder folder;
  const std::filesystem::path nowhere = folder.path() / "nowhere";
  Installation installation({.database_url = "sqlite:" + (nowhere / "remitod.db").string()});
  configure(installation);
  const std::string missing = "the folder " + nowhere.string() + " does not exist";
  EXPECT_THAT(refusal(installation), AllOf(HasSubstr("database_unusable"), HasSubstr(missing)));
  const Finished checked = installation.remitod({"--check-config"});
  EXPECT_EQ(checked.exit_code, 78);
  EXPECT_THAT(checked.err, HasSubstr("database.url: " + missing));
}

}  // namespace
}  // namespace remitod::test
