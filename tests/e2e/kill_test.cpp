// Killed at random moments and started again: nothing is lost, nothing happens twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "tests/support/daemon_fixture.h"
#include "tests/support/http_get.h"
#include "tests/support/postgres.h"

namespace remitod::test {
namespace {

using testing::IsEmpty;

// A day in five seconds: a parcel's life of two or three days fits in.
constexpr double time_scale = 17280;

/// The demo's carriers, which know what really happened.
class DemoCarriers {
 public:
  DemoCarriers(const Installation& installation, std::uint64_t faults)
      : port_file_(installation.folder() / "port"),
        process_({DEMO_CARRIERS_PROGRAM, "--port-file", port_file_.string(), "--time-scale",
                  std::to_string(installation.time_scale()), "--time-origin", installation.time_origin(), "--faults",
                  std::to_string(faults)},
                 {installation.folder() / "carriers.log", installation.folder() / "carriers.log"}) {
    if (!eventually([this] { return std::filesystem::exists(port_file_); }))
      throw std::runtime_error("the carriers did not come up");
    port_ = std::stoi(read_file(port_file_));
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  nlohmann::json stats() const { return nlohmann::json::parse(http_get(port_, "/demo/stats")); }

  struct Event {
    std::string status, reason;
    std::int64_t occurred_us;
  };
  struct Parcel {
    std::string carrier, reference;
    std::vector<Event> events;
  };
  /// By the carrier's number.
  std::map<std::string, Parcel> truth() const {
    std::map<std::string, Parcel> parcels;
    std::istringstream lines(http_get(port_, "/demo/truth"));
    for (std::string line; std::getline(lines, line);) {
      std::vector<std::string> fields;
      std::istringstream cells(line);
      for (std::string cell; std::getline(cells, cell, ',');) fields.push_back(cell);
      Parcel& parcel = parcels[fields.at(1)];
      parcel.carrier = fields.at(0);
      parcel.reference = fields.at(2);
      parcel.events.push_back({fields.at(3), fields.at(4), std::stoll(fields.at(5))});
    }
    return parcels;
  }

 private:
  std::filesystem::path port_file_;
  Process process_;
  int port_ = 0;
};

/// The status that a carrier can express: OCA does not tell being out for delivery from being on the way, and what
/// Correios registers it has in its hands.
std::string as_told(const std::string& carrier, const std::string& status) {
  if (carrier == "oca" && status == "out_for_delivery") return "in_transit";
  if (carrier == "correios" && status == "registered") return "picked_up";
  return status;
}

std::string reason_as_told(const std::string& carrier, const std::string& reason) {
  return carrier == "olva" && reason != "recipient_refused" ? "" : reason;  // one word for every failed visit
}

/// "attempt_failed/recipient_absent", for each step that a life takes.
std::vector<std::string> expected_steps(const DemoCarriers::Parcel& parcel) {
  std::vector<std::string> steps;
  std::string present = "registered";
  for (const DemoCarriers::Event& event : parcel.events) {
    const std::string status = as_told(parcel.carrier, event.status);
    if (status == present && status != "attempt_failed") continue;
    const std::string reason = status == "attempt_failed" ? reason_as_told(parcel.carrier, event.reason) : "";
    steps.push_back(status + "/" + reason);
    present = status;
  }
  return steps;
}

/// Where a carrier tells days only, two rounds on one day are the same event to everybody but the carrier.
bool tells_two_rounds_as_one(const DemoCarriers::Parcel& parcel) {
  if (parcel.carrier == "correios") return false;
  const std::int64_t offset_hours = parcel.carrier == "olva" ? -5 : -3;
  std::set<std::int64_t> days;
  for (const DemoCarriers::Event& event : parcel.events)
    if (event.status == "out_for_delivery" &&
        !days.insert((event.occurred_us / 1'000'000 + offset_hours * 3600) / 86400).second)
      return true;
  return false;
}

std::set<std::string> as_set(const std::vector<std::string>& steps) {
  return {steps.begin(), steps.end()};
}

struct Plan {
  int kills = 0;
  int requests_per_kill = 0;
  std::uint32_t seed = 0;
};

class Killed : public testing::Test {
 protected:
  // One life of the daemon after another; each is cut at a moment that may lie in its start.
  static void live_and_die(Installation& installation, const Plan& plan) {
    std::mt19937 dice(plan.seed);
    std::uniform_int_distribution<int> life_ms(0, 600);
    int order = 1000;
    for (int kill = 0; kill < plan.kills; ++kill) {
      for (int i = 0; i < plan.requests_per_kill; ++i, ++order)
        installation.platform().ask_remito("K" + std::to_string(order), std::to_string(order), "oca",
                                           order % 15 == 7 ? "9999" : "1001", order % 15 == 11 ? "" : "Av. Demo");
      std::this_thread::sleep_for(std::chrono::milliseconds{life_ms(dice)});
      installation.kill();
      installation.launch();
    }
  }

  // In the end it does what it is for. A call may time out where time runs so fast and the machine is busy.
  static bool grants_one(Platform& platform) {
    for (int order = 9000; order < 9020; ++order) {
      const std::string number = std::to_string(order);
      platform.ask_remito("L" + number, number, "oca", "1001", "Av. Demo");
      const std::string of_it = " from remito_requests where order_number = '" + number + "'";
      const bool ended = eventually([&] {
        return platform.number("select count(*)" + of_it + " and state in ('granted', 'needs_operator')") == 1;
      });
      if (ended && platform.number("select count(*)" + of_it + " and state = 'granted'") == 1) return true;
    }
    return false;
  }

  static bool settled(Platform& platform) {
    return platform.number(
               "select count(*) from remito_requests where accepted_at is null or state in ('pending', "
               "'sending', 'unknown')") == 0 &&
           platform.number("select count(*) from shipments where terminal_at is null") == 0 &&
           platform.number("select count(*) from transitions where seq is null") == 0;
  }

  static void expect_each_remito_once(Platform& platform, const DemoCarriers& carriers) {
    EXPECT_EQ(carriers.stats().at("duplicates"), 0);
    EXPECT_EQ(platform.number(
                  "select count(*) from remito_requests where state not in ('granted', 'refused', 'needs_operator')"),
              0);
    EXPECT_EQ(platform.number("select count(*) from remito_requests where state = 'granted'"),
              platform.number("select count(*) from transitions where to_status = 'ready_to_ship'"));
    EXPECT_EQ(platform.number("select count(*) from remito_requests where state = 'refused'"),
              platform.number("select count(*) from transitions where to_status = 'remito_refused'"));
    // What the carrier made is granted, or nobody was told that it was not; what is granted the carrier made.
    std::map<std::string, std::string> made;
    for (const auto& [number, parcel] : carriers.truth())
      if (parcel.carrier == "oca") made[parcel.reference] = number;
    for (const std::string& row : platform.rows("select client_ref || ' ' || state || ' ' || remito from "
                                                "remito_requests where client_ref <> ''")) {
      std::istringstream words(row);
      std::string reference, state, remito;
      words >> reference >> state >> remito;
      if (state == "refused") {
        EXPECT_FALSE(made.contains(reference)) << row;
      } else if (state == "granted") {
        EXPECT_EQ(made[reference], remito) << row;
      }
    }
  }

  static void expect_truth_told_once(Platform& platform, const DemoCarriers& carriers) {
    EXPECT_EQ(platform.number("select count(*) from transitions"), platform.number("select max(seq) from transitions"));
    EXPECT_EQ(platform.number("select min(seq) from transitions"), 1);
    EXPECT_THAT(platform.rows("select remito from transitions where inferred or late or correction"), IsEmpty());
    std::map<std::string, std::vector<std::string>> told;
    for (const std::string& row : platform.rows("select remito || ' ' || to_status || '/' || reason from transitions "
                                                "where subject = 'shipment' order by seq"))
      told[row.substr(0, row.find(' '))].push_back(row.substr(row.find(' ') + 1));
    const auto truth = carriers.truth();
    for (const std::string& row : platform.rows("select remito || ' ' || status from shipments")) {
      const std::string remito = row.substr(0, row.find(' '));
      const DemoCarriers::Parcel& parcel = truth.at(remito);
      EXPECT_EQ(row.substr(row.find(' ') + 1), as_told(parcel.carrier, parcel.events.back().status)) << remito;
      if (tells_two_rounds_as_one(parcel))
        EXPECT_EQ(as_set(told[remito]), as_set(expected_steps(parcel))) << parcel.carrier << ' ' << remito;
      else
        EXPECT_EQ(told[remito], expected_steps(parcel)) << parcel.carrier << ' ' << remito;
    }
  }

  static void survives(Installation& installation, const Plan& plan) {
    std::cout << "seed " << plan.seed << ", " << plan.kills << " kills\n";
    const DemoCarriers carriers(installation, plan.seed);
    const std::string often = "interval = \"3 h\"\n";
    installation.configure(installation.carrier("oca", carriers.url(), often) +
                           installation.carrier("correios", carriers.url(), often) +
                           installation.carrier("olva", carriers.url(), often));
    installation.start();
    Platform& platform = installation.platform();
    for (int i = 0; i < 40; ++i)
      platform.follow("correios", std::to_string(410000001 + i) + "BR", "C" + std::to_string(i));
    for (int i = 0; i < 25; ++i) platform.follow("olva", std::to_string(5500001 + i), "O" + std::to_string(i));
    live_and_die(installation, plan);
    EXPECT_TRUE(grants_one(platform)) << installation.log();
    ASSERT_TRUE(eventually([&] { return settled(platform); }, std::chrono::minutes{2})) << installation.log();
    expect_each_remito_once(platform, carriers);
    expect_truth_told_once(platform, carriers);
    for (const std::string& row : platform.rows("select state || ': ' || cast(count(*) as text) from remito_requests "
                                                "group by state order by state"))
      std::cout << row << '\n';
    std::cout << "transitions: " << platform.number("select count(*) from transitions") << '\n';
    EXPECT_EQ(installation.stop(), 0);
  }
};

/// Another one each time; --gtest_random_seed=N repeats what a run printed, as far as processes can be repeated.
std::uint32_t seed() {
  const auto stated = static_cast<std::uint32_t>(GTEST_FLAG_GET(random_seed));
  return stated != 0 ? stated : 1 + static_cast<std::uint32_t>(::getpid()) % 99'999;
}

TEST_F(Killed, FiftyTimesOnSqliteItLosesAndDoublesNothing) {
  Installation installation({.time_scale = time_scale});
  survives(installation, {50, 3, seed()});
}

TEST_F(Killed, TenTimesOnPostgresqlItLosesAndDoublesNothing) {
  Installation installation({.database_url = Postgres::server().take_database(), .time_scale = time_scale});
  survives(installation, {10, 4, seed()});
}

}  // namespace
}  // namespace remitod::test
