// A database server that hangs: connections stand, and nothing comes back.
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/e2e/database_trouble.h"
#include "tests/support/postgres.h"
#include "tests/support/service_manager.h"

namespace remitod::test {
namespace {

using std::chrono::seconds;

// Long enough for every wait in the daemon that would be too long; of its own time it is two and a half hours.
constexpr seconds standstill{15};
constexpr long watchdog_us = 4'000'000;

long resident_kib(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  long whole = 0, resident = 0;
  file >> whole >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

int fed_watchdogs(ServiceManager& manager) {
  int fed = 0;
  while (manager.said_something())
    if (manager.hear() == "WATCHDOG=1") ++fed;
  return fed;
}

TEST_F(DatabaseTrouble, PostgresqlThatStandsStillFeedsNoFearAndIsMadeGoodInAMinute) {
  ServiceManager manager;
  ::setenv("WATCHDOG_USEC", std::to_string(watchdog_us).c_str(), 1);
  Installation installation({.database_url = Postgres::server().take_database(), .time_scale = time_scale});
  start_following(installation);
  ::unsetenv("WATCHDOG_USEC");
  const long resident_before = resident_kib(installation.daemon().pid());

  Postgres::server().stand_still();
  show_all_delivered(installation);
  EXPECT_TRUE(eventually([&] { return degraded(installation); })) << installation.log();
  fed_watchdogs(manager);
  std::this_thread::sleep_for(standstill);
  EXPECT_GE(fed_watchdogs(manager), 2 * standstill / std::chrono::microseconds{watchdog_us} - 1);
  EXPECT_TRUE(degraded(installation)) << "and it still says so";
  EXPECT_LT(resident_kib(installation.daemon().pid()) - resident_before, 64 * 1024);

  Postgres::server().go_on();
  expect_all_delivered_and_told_once(installation);
}

}  // namespace
}  // namespace remitod::test
