// kill -9 at system calls of the remito path, one after the other: nothing is lost, no shipment is made twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "tests/e2e/maker.h"
#include "tests/support/postgres.h"

namespace remitod::test {
namespace {

/// Kills the daemon at its Nth call of one kind from now on, in whichever of its threads (each counts by itself).
class Executioner {
 public:
  Executioner(const Installation& installation, pid_t daemon, const std::string& call, int nth)
      : said_(installation.folder() / ("strace." + std::to_string(daemon))),
        process_({"strace", "-f", "-p", std::to_string(daemon), "-o", "/dev/null", "-e", "trace=" + call, "-e",
                  "inject=" + call + ":signal=KILL:when=" + std::to_string(nth)},
                 {said_, said_}) {
    if (!eventually([this] { return std::filesystem::exists(said_) && read_file(said_).contains("attached"); }))
      throw std::runtime_error("strace did not attach");
  }
  ~Executioner() {
    process_.signal(SIGINT);  // lets go of what it has not killed
    process_.wait();
  }
  Executioner(const Executioner&) = delete;
  Executioner& operator=(const Executioner&) = delete;

 private:
  std::filesystem::path said_;
  Process process_;
};

/// Every call, or, in an ordinary run, ever fewer of them: 1, 2, 3, 5, 8, 12, 18 ...
int next_call(int nth) {
  return std::getenv("REMITOD_KILL_AT_EVERY_CALL") ? nth + 1 : nth + 1 + nth / 2;
}

class KilledAtSystemCalls : public testing::Test {
 protected:
  void sweep(Installation& installation, const std::string& call) {
    maker_.install(installation);
    installation.start();
    int kills = 0, last = 0;
    for (int nth = 1; nth < 500; nth = next_call(nth)) {
      last = nth;
      if (!killed_at(installation, call, nth)) break;
      ++kills;
      installation.start();
      ASSERT_TRUE(eventually([&] { return decided(installation.platform()); })) << call << ' ' << nth << '\n'
                                                                                << installation.log();
    }
    std::cout << call << ": " << kills << " kills, up to call " << last << '\n';
    EXPECT_GT(kills, 0) << "the path makes no such call";
    expect_one_effect(installation.platform());
    EXPECT_EQ(installation.stop(), 0);
  }

 private:
  /// False: three requests were decided before the daemon came to its Nth call.
  bool killed_at(Installation& installation, const std::string& call, int nth) {
    {
      const Executioner executioner(installation, installation.daemon().pid(), call, nth);
      for (const char* carrier : {"finder", "keyed", "bare"})
        Maker::ask(installation.platform(), "K" + std::to_string(++asked_), carrier);
      EXPECT_TRUE(eventually([&] { return !installation.daemon().running() || decided(installation.platform()); }));
    }
    // Asked only now: until it is let go, a call of something else may be its Nth. One that answers lives, since a kill
    // has reached every thread by the time that strace lets go.
    if (installation.daemon().running() && installation.answers()) return false;
    EXPECT_TRUE(eventually([&] { return !installation.daemon().running(); })) << "it neither answers nor ends";
    return true;
  }

  static bool decided(Platform& platform) {
    return platform.number(
               "select count(*) from remito_requests where accepted_at is null or state not in ('granted', "
               "'needs_operator')") == 0 &&
           platform.number("select count(*) from transitions where seq is null") == 0;
  }

  void expect_one_effect(Platform& platform) const {
    const auto made = maker_.made();
    for (const auto& [reference, numbers] : made) EXPECT_EQ(numbers.size(), 1u) << reference;
    EXPECT_EQ(platform.number("select count(*) from remito_requests"), asked_);
    EXPECT_EQ(platform.number("select count(*) from remito_requests where state <> 'granted' and carrier <> 'bare'"),
              0);
    for (const std::string& row :
         platform.rows("select carrier || ' ' || client_ref || '=' || remito from remito_requests "
                       "where state = 'granted'")) {
      const std::size_t mark = row.find('=');
      const auto at_carrier = made.find(row.substr(0, mark));
      ASSERT_NE(at_carrier, made.end()) << row;
      EXPECT_EQ(at_carrier->second.front(), row.substr(mark + 1));
    }
    EXPECT_EQ(platform.number("select count(*) from remito_requests where state = 'granted'"),
              platform.number("select count(*) from transitions where to_status = 'ready_to_ship'"));
    EXPECT_EQ(platform.number("select count(*) from transitions"), platform.number("select max(seq) from transitions"));
    EXPECT_EQ(platform.number("select count(*) from shipments"),
              platform.number("select count(*) from remito_requests where state = 'granted'"));
  }

  Maker maker_;
  int asked_ = 0;
};

class KilledAtSystemCallsOfSqlite : public KilledAtSystemCalls, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Calls, KilledAtSystemCallsOfSqlite,
                         testing::Values("pwrite64", "fdatasync", "sendto", "recvfrom", "write"),
                         [](const auto& of) { return std::string(of.param); });

TEST_P(KilledAtSystemCallsOfSqlite, ItLosesAndDoublesNothing) {
  Installation installation;
  sweep(installation, GetParam());
}

TEST_F(KilledAtSystemCalls, OfPostgresqlItLosesAndDoublesNothing) {
  Installation installation({.database_url = Postgres::server().take_database()});
  sweep(installation, "sendto");
}

}  // namespace
}  // namespace remitod::test
