// The modes for whoever writes a profile: what they leave on the disk, and how they end.
#include "daemon/carrier_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>

#include "carriers/starter.h"
#include "daemon/config.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class WrittenCarrier : public testing::Test {
 protected:
  WrittenCarrier() {
    std::filesystem::create_directories(dir() / "samples");
    for (const carriers::StarterFile& file : carriers::starter_files("starter"))
      write_file(dir() / file.path, file.text);
  }
  std::filesystem::path dir() const { return folder_.path() / "starter"; }

  int check(bool accept = false) {
    daemon::Options options;
    options.target = dir();
    options.accept = accept;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int exit_code = daemon::check_carrier(options);
    told_ = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    return exit_code;
  }

  TemporaryFolder folder_;
  std::string told_;
};

TEST_F(WrittenCarrier, KeepsWhatIsReadWhereTheExpectationSaysNothingYet) {
  const auto file = dir() / "samples" / "delivered.expected.json";
  write_file(file, R"({"operation": "track", "asked": ["0041700001"]})");
  EXPECT_EQ(check(), 1);
  EXPECT_EQ(check(true), EX_OK);
  EXPECT_THAT(told_, HasSubstr("wrote " + file.string()));
  EXPECT_THAT(read_file(file), HasSubstr("Entregado en portería"));
  EXPECT_EQ(check(), EX_OK);
}

TEST_F(WrittenCarrier, SaysThatWhatIsKeptIsTrouble) {
  write_file(dir() / "samples" / "delivered.json", "<html><body>Servicio en mantenimiento</body></html>");
  write_file(dir() / "samples" / "delivered.expected.json", R"({"operation": "track", "asked": ["0041700001"]})");
  check(true);
  EXPECT_THAT(told_, HasSubstr("it now expects trouble (malformed: "));
}

TEST_F(WrittenCarrier, NeverChangesWhatAnExpectationSays) {
  const auto file = dir() / "samples" / "delivered.expected.json";
  const std::string spoiled = with(read_file(file), "\"delivered\"", "\"returned\"");
  write_file(file, spoiled);
  EXPECT_EQ(check(true), 1);
  EXPECT_EQ(read_file(file), spoiled);
  EXPECT_THAT(told_, Not(HasSubstr("wrote")));
}

TEST_F(WrittenCarrier, IsHeldToHoursThatTheDaemonCanRead) {
  const auto file = dir() / "carrier.toml";
  write_file(file, with(read_file(file), "concurrency = 2", "blackouts = [\"nachts\"]\nconcurrency = 2"));
  EXPECT_EQ(check(), EX_CONFIG);
  EXPECT_THAT(told_, HasSubstr(":" + std::to_string(line_of(read_file(file), "blackouts")) + ": limits.blackouts: "));
}

TEST(WorkedExample, EndsWithAWholeConfiguration) {
  std::string page = read_file(source_dir() / "carriers" / "README.md");
  page.erase(0, page.find("This is a whole configuration"));
  page.erase(0, page.find("```toml\n") + 8);
  const TemporaryFolder folder;
  write_file(folder.path() / "remitod.toml", page.substr(0, page.find("```")));
  const auto config = daemon::load_config(folder.path() / "remitod.toml");
  ASSERT_TRUE(config) << config.error().front().to_string();
  ASSERT_EQ(config->carriers.size(), 1U);
  EXPECT_EQ(config->carriers[0].name, "rapidos");
}

}  // namespace
}  // namespace remitod::test
