#include "daemon/reload.h"

#include <gmock/gmock.h>

#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using testing::HasSubstr;

class Reload : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "remitod.toml"; }
  void write(const std::string& daemon, const std::string& carriers = "",
             const std::string& url = "sqlite:/var/lib/remitod/remitod.db") const {
    write_file(file(), "[database]\nurl = \"" + url + "\"\n[daemon]\ncarriers_dirs = [\"" +
                           (source_dir() / "carriers" / "profiles").string() + "\"]\n" + daemon +
                           "control_socket = \"" + control_socket_ + "\"\n" + carriers);
  }
  daemon::Config running() const {
    auto config = daemon::load_config(file());
    EXPECT_TRUE(config) << config.error().front().to_string();
    return std::move(config).value_or(daemon::Config{});
  }
  /// The one complaint about the file as it is now.
  std::string refusal(const daemon::Config& running) const {
    const auto loaded = daemon::load_again(running);
    if (loaded) return "";
    EXPECT_EQ(loaded.error().size(), 1U);
    return loaded.error().front().to_string();
  }

  TemporaryFolder folder_;
  std::string control_socket_ = folder_.path() / "control.sock";
};

TEST_F(Reload, TakesWhatTheFileSaysNow) {
  write("drain = \"5 s\"\n");
  const daemon::Config config = running();
  write_file(folder_.path() / "key", "an invented key\n");
  write("drain = \"7 s\"\n",
        "[carriers.olva]\nsecrets = { api_key = \"file:" + (folder_.path() / "key").string() + "\" }\n");
  const auto loaded = daemon::load_again(config);
  ASSERT_TRUE(loaded) << loaded.error().front().to_string();
  EXPECT_EQ(loaded->config.drain, std::chrono::seconds{7});
  ASSERT_EQ(loaded->carriers.size(), 1U);
  EXPECT_EQ(loaded->carriers.front().lane.carrier, "olva");
}

TEST_F(Reload, RefusesAWrongFileWithItsLine) {
  write("drain = \"5 s\"\n");
  const daemon::Config config = running();
  write("drain = \"soon\"\n");
  EXPECT_THAT(refusal(config), HasSubstr("remitod.toml:5: daemon.drain"));
}

TEST_F(Reload, RefusesACarrierThatCannotBeUsed) {
  write("");
  const daemon::Config config = running();
  write("", "[carriers.nobody]\n");
  EXPECT_THAT(refusal(config), HasSubstr("no profile \"nobody\""));
}

TEST_F(Reload, RefusesAProfileThatCannotBeLookedForInsteadOfEnding) {
  write("");
  const daemon::Config config = running();
  write("", "[carriers.olva]\nprofile = \"" + std::string(300, 'a') + "\"\n");
  EXPECT_THAT(refusal(config), HasSubstr("carriers.olva.profile: cannot read "));
}

TEST_F(Reload, RefusesAnotherDatabase) {
  write("");
  const daemon::Config config = running();
  write("", "", "sqlite:/var/lib/remitod/another.db");
  EXPECT_THAT(refusal(config), HasSubstr("remitod.toml:2: database.url: expected as at the start"));
}

TEST_F(Reload, RefusesAnotherClock) {
  write("time_scale = 2.0\ntime_origin = \"2026-11-23T00:00:00Z\"\n");
  const daemon::Config config = running();
  write("time_scale = 3.0\ntime_origin = \"2026-11-23T00:00:00Z\"\n");
  EXPECT_THAT(refusal(config), HasSubstr("daemon.time_scale: expected as at the start"));
  write("time_scale = 2.0\ntime_origin = \"2026-11-22T00:00:00Z\"\n");
  EXPECT_THAT(refusal(config), HasSubstr("daemon.time_origin: expected as at the start"));
}

}  // namespace
}  // namespace remitod::test
