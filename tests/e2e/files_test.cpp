// A carrier that tells by files, through the real daemon: a drop folder on the disk, the database, the tables.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/daemon_fixture.h"
#include "tests/support/files_profile.h"

namespace remitod::test {
namespace {

TEST(FilesOfACarrier, ReachTheTransitionsAndAreArchived) {
  Installation installation;
  const std::filesystem::path out = installation.folder() / "out";
  std::filesystem::create_directories(out);
  std::filesystem::create_directories(installation.folder() / "profiles" / "express");
  write_file(installation.folder() / "profiles" / "express" / "carrier.toml",
             files_profile_text("url = 'file://" + out.string() +
                                "/*.csv'\nsettle = '1 s'\nafter = 'archive'\narchive_dir = 'done'"));
  const std::string secret = "\"file:" + (installation.folder() / "password").string() + "\"";
  installation.configure("[carriers.express]\nsecrets = { password = " + secret + ", key = " + secret + " }\n");

  installation.start();
  Platform& platform = installation.platform();
  platform.follow("express", "0001", "1001");
  ASSERT_TRUE(eventually([&] { return platform.number("select count(*) from shipments where cycle = 1") == 1; }));
  // Under a name that is not looked at, until it is whole: as a careful sender does.
  write_file(out / "today.part", "remito;estado;fecha;ciudad\n0001;ENT;24/11/2026 09:00;Lima\n");
  std::filesystem::rename(out / "today.part", out / "today.csv");
  installation.kill();
  installation.start();
  EXPECT_TRUE(eventually([&] {
    return platform.number("select count(*) from transitions where to_status = 'delivered' and seq is not null") == 1 &&
           !std::filesystem::exists(out / "today.csv");
  })) << installation.log();
  EXPECT_EQ(installation.stop(), 0) << installation.log();
}

}  // namespace
}  // namespace remitod::test
