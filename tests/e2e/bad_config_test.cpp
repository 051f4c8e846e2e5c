// A configuration that is wrong is told with file, line and key, exit 78, and nothing was started.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/daemon_fixture.h"

namespace remitod::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class BadConfig : public testing::Test {
 protected:
  // Replaces one text of a good configuration, and returns what the daemon says of the result.
  std::string complaint(const std::string& wanted, const std::string& replacement) {
    installation_.configure(installation_.carrier("oca", "http://127.0.0.1:9", "interval = \"2 h\"\n"));
    std::string text = read_file(installation_.config_file());
    const std::size_t at = text.find(wanted);
    EXPECT_NE(at, std::string::npos) << wanted;
    write_file(installation_.config_file(), text.replace(at, wanted.size(), replacement));
    return refused();
  }
  // Both the check and the daemon itself refuse it, in the same words.
  std::string refused() {
    const Finished checked = installation_.remitod({"--check-config"});
    EXPECT_EQ(checked.exit_code, 78) << checked.out;
    const Finished run = installation_.remitod({});
    EXPECT_EQ(run.exit_code, 78);
    EXPECT_EQ(run.err, checked.err);
    EXPECT_FALSE(std::filesystem::exists(installation_.folder() / "remitod.db"));
    EXPECT_FALSE(std::filesystem::exists(installation_.folder() / "control.sock"));
    return run.err;
  }
  // A copy of a built-in profile, which is found before the built-in one, with one text replaced.
  std::string complaint_of_profile(const std::string& wanted, const std::string& replacement) {
    installation_.configure(installation_.carrier("oca", "http://127.0.0.1:9"));
    std::string text = read_file(source_dir() / "carriers" / "profiles" / "oca" / "carrier.toml");
    const std::size_t at = text.find(wanted);
    EXPECT_NE(at, std::string::npos) << wanted;
    write_file(installation_.folder() / "profiles" / "oca" / "carrier.toml",
               text.replace(at, wanted.size(), replacement));
    return refused();
  }
  // "FILE:LINE: KEY: ", with the line on which `text` stands in that file.
  static std::string where(const std::filesystem::path& file, const std::string& text, const std::string& key) {
    const std::string content = read_file(file);
    const auto end = content.begin() + static_cast<std::ptrdiff_t>(content.find(text));
    return file.string() + ":" + std::to_string(1 + std::count(content.begin(), end, '\n')) + ": " + key;
  }

  Installation installation_;
};

TEST_F(BadConfig, GoodOneIsSaidToBeGood) {
  installation_.configure(installation_.carrier("oca", "http://127.0.0.1:9", "interval = \"2 h\"\n"));
  const Finished checked = installation_.remitod({"--check-config"});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_FALSE(std::filesystem::exists(installation_.folder() / "remitod.db")) << "a check makes nothing";
}

TEST_F(BadConfig, UnknownKeyIsToldWithTheNearestWord) {
  const std::string said = complaint("interval =", "intervall =");
  EXPECT_THAT(said, AllOf(HasSubstr(where(installation_.config_file(), "intervall", "carriers.oca.intervall")),
                          HasSubstr("interval")));
}

TEST_F(BadConfig, WrongTypeIsToldWithWhatWasExpected) {
  const std::string said = complaint("interval = \"2 h\"", "interval = 7200");
  EXPECT_THAT(said, AllOf(HasSubstr(where(installation_.config_file(), "7200", "carriers.oca.interval")),
                          HasSubstr("expected")));
}

TEST_F(BadConfig, ValueOutOfRangeIsRefused) {
  EXPECT_THAT(complaint("\"2 h\"", "\"1 s\""), HasSubstr("carriers.oca.interval"));
}

TEST_F(BadConfig, CarrierThatStandsTwiceIsToldWithItsLine) {
  const std::string said = complaint("[carriers.oca]", "[carriers.oca]\nprofile = \"oca\"\n[carriers.oca]");
  EXPECT_THAT(said, HasSubstr(installation_.config_file().string() + ":"));
  EXPECT_THAT(said, HasSubstr("oca"));
}

TEST_F(BadConfig, AllErrorsAreToldAtOnce) {
  const std::string said = complaint("interval = \"2 h\"", "interval = 7200\nconcurrency = \"four\"\nbatch = 3");
  EXPECT_THAT(said, AllOf(HasSubstr("carriers.oca.interval"), HasSubstr("carriers.oca.concurrency"),
                          HasSubstr("carriers.oca.batch")));
}

TEST_F(BadConfig, TextThatIsNoTomlIsToldWithItsLine) {
  const std::string said = complaint("interval = \"2 h\"", "interval = = 2");
  EXPECT_THAT(said, HasSubstr(where(installation_.config_file(), "= = 2", "")));
}

TEST_F(BadConfig, MissingFileIsNamed) {
  const Finished run = run_to_end({REMITOD_PROGRAM, "--config", (installation_.folder() / "none.toml").string()});
  EXPECT_EQ(run.exit_code, 78);
  EXPECT_THAT(run.err, HasSubstr((installation_.folder() / "none.toml").string()));
}

TEST_F(BadConfig, ProfileThatIsNowhereIsToldWithTheNearestOne) {
  const std::string said = complaint("[carriers.oca]", "[carriers.oca]\nprofile = \"ocaa\"");
  EXPECT_THAT(said, AllOf(HasSubstr("carriers.oca.profile"), HasSubstr("ocaa"), HasSubstr("did you mean 'oca'?")));
}

TEST_F(BadConfig, SecretItselfHasNoPlaceInTheFile) {
  const std::string said = complaint("file:" + (installation_.folder() / "password").string(), "swordfish");
  EXPECT_THAT(said, HasSubstr("carriers.oca.secrets.password"));
  EXPECT_THAT(said, testing::Not(HasSubstr("swordfish"))) << "a secret is never repeated";
}

TEST_F(BadConfig, ProfileWithAZoneThatDoesNotExistIsToldWithItsLine) {
  const std::string said = complaint_of_profile("America/Argentina/Buenos_Aires", "America/Argentina/Nowhere");
  const std::filesystem::path profile = installation_.folder() / "profiles" / "oca" / "carrier.toml";
  EXPECT_THAT(said, AllOf(HasSubstr(where(profile, "Nowhere", "zone"))));
}

TEST_F(BadConfig, ProfileWithAnXPathThatIsNoneIsToldWithItsLine) {
  const std::string said = complaint_of_profile("success = \"//diffgram\"", "success = \"//diffgram[\"");
  const std::filesystem::path profile = installation_.folder() / "profiles" / "oca" / "carrier.toml";
  EXPECT_THAT(said, HasSubstr(where(profile, "//diffgram[", "track.answer.success")));
}

TEST_F(BadConfig, ProfileWithAnUnknownKeyIsToldWithTheNearestWord) {
  const std::string said = complaint_of_profile("give_up_after", "give_up_afer");
  const std::filesystem::path profile = installation_.folder() / "profiles" / "oca" / "carrier.toml";
  EXPECT_THAT(said, AllOf(HasSubstr(where(profile, "give_up_afer", "give_up_afer")), HasSubstr("give_up_after")));
}

}  // namespace
}  // namespace remitod::test
