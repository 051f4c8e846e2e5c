// A database server that hangs: connections stand, and nothing comes back.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "tests/e2e/database_trouble.h"
#include "tests/support/postgres.h"
#include "tests/support/service_manager.h"

namespace remitod::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds watchdog{4000};

/// Long enough for every wait in the daemon that would be too long, of whose own time it is two and a half hours, or as
/// long as REMITOD_STANDSTILL_SECONDS says.
seconds standstill() {
  const char* said = std::getenv("REMITOD_STANDSTILL_SECONDS");
  return seconds{said ? std::stol(said) : 15};
}

long resident_kib(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  long whole = 0, resident = 0;
  file >> whole >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

/// The longest that the watchdog goes without food while that much time passes. Hears all the while: a socket that is
/// not read holds no more than eleven messages.
milliseconds longest_fast(ServiceManager& manager, seconds span) {
  while (manager.said_something()) manager.hear();
  const auto begin = steady_clock::now();
  const auto end = begin + span;
  auto fed = begin;
  milliseconds longest{};
  for (auto now = begin; now < end; now = steady_clock::now()) {
    const bool heard = manager.said_something(std::chrono::ceil<milliseconds>(end - now));
    if (heard && manager.hear() != "WATCHDOG=1") continue;
    now = steady_clock::now();
    longest = std::max(longest, std::chrono::round<milliseconds>(now - fed));
    fed = now;
  }
  return longest;
}

TEST_F(DatabaseTrouble, PostgresqlThatStandsStillFeedsNoFearAndIsMadeGoodInAMinute) {
  ServiceManager manager;
  ::setenv("WATCHDOG_USEC", std::to_string(std::chrono::microseconds{watchdog}.count()).c_str(), 1);
  Installation installation({.database_url = Postgres::server().take_database(), .time_scale = time_scale});
  start_following(installation);
  ::unsetenv("WATCHDOG_USEC");
  const long resident_before = resident_kib(installation.daemon().pid());

  Postgres::server().stand_still();
  show_all_delivered(installation);
  EXPECT_TRUE(eventually([&] { return degraded(installation); })) << installation.log();
  EXPECT_LT(longest_fast(manager, standstill()), watchdog);
  EXPECT_TRUE(degraded(installation)) << "and it still says so";
  EXPECT_LT(resident_kib(installation.daemon().pid()) - resident_before, 64 * 1024);

  Postgres::server().go_on();
  expect_all_delivered_and_told_once(installation);
}

}  // namespace
}  // namespace remitod::test
