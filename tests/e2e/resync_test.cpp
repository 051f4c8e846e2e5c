// Asking carriers now, and asking the daemon how it is, from a second process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {
namespace {

using std::chrono::hours;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ByHand : public testing::Test {
 protected:
  ByHand() {
    installation_.configure(installation_.carrier("oca", carrier_.url(), asked_by_hand_only) +
                            installation_.carrier("olva", carrier_.url(), asked_by_hand_only));
  }

  // Three shipments of OCA, one of them of order 1001, and one of Olva, also of order 1001.
  void start_with_shipments() {
    installation_.start();
    for (const std::string remito : {"7001", "7002", "7003"}) shows(remito, demo::Step::admitted);
    carrier_.says("tracking=8001", ScriptedAnswer::ok(demo::json_tracking(nullptr), json_headers));
    platform().follow("oca", "7001", "1001");
    platform().follow("oca", "7002", "1002");
    platform().follow("oca", "7003", "1003");
    platform().follow("olva", "8001", "1001");
    ASSERT_TRUE(eventually([&] {
      return installation_.carrier_status("oca").at("shipments") == 3 &&
             installation_.carrier_status("olva").at("shipments") == 1;
    }));
  }
  // Everything that had happened to it until this step.
  void shows(const std::string& remito, demo::Step last) {
    demo::Parcel parcel{remito, {{demo::Step::admitted, installation_.now() - hours{2}, {}}}};
    if (last != demo::Step::admitted) parcel.shown.push_back({last, installation_.now() - hours{1}, {}});
    carrier_.says("<NumeroEnvio>" + remito + "<", ScriptedAnswer::ok(demo::soap_tracking(&parcel), xml_headers));
  }
  Platform& platform() { return installation_.platform(); }
  std::size_t asked_in_all() const { return carrier_.asked(""); }
  nlohmann::json resync(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--resync");
    arguments.push_back("--json");
    const Finished finished = installation_.remitod(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return nlohmann::json::parse(finished.out);
  }

  inline static const std::string json_headers = "Content-Type: application/json\r\n";
  ScriptedCarrier carrier_;
  Installation installation_{{.time_scale = quiet}};
};

TEST_F(ByHand, OneShipmentIsAskedAboutAndAnsweredBeforeTheCommandEnds) {
  start_with_shipments();
  shows("7002", demo::Step::delivered);
  const auto begun = std::chrono::steady_clock::now();
  const Finished finished = installation_.remitod({"--resync", "oca:7002", "--wait"});
  const auto took = std::chrono::steady_clock::now() - begun;
  std::cout << "took " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(carrier_.asked("7002"), 1u);
  EXPECT_EQ(asked_in_all(), 1u);
  EXPECT_EQ(platform().text("select status from shipments where remito = '7002'"), "delivered");
}

TEST_F(ByHand, WholeCarrierIsAskedAboutWithItsCount) {
  start_with_shipments();
  const nlohmann::json done = resync({"oca", "--wait"});
  EXPECT_EQ(done.at("shipments"), 3);
  EXPECT_EQ(done.at("done"), 3);
  EXPECT_EQ(done.at("finished"), true);
  for (const std::string remito : {"7001", "7002", "7003"}) EXPECT_EQ(carrier_.asked(remito), 1u) << remito;
  EXPECT_EQ(carrier_.asked("8001"), 0u);
  EXPECT_TRUE(eventually([&] {
    return platform().number("select count(*) from resync_requests where finished_at is not null and shipments = 3") ==
           1;
  }));
}

TEST_F(ByHand, TerminalSeesTheProgress) {
  start_with_shipments();
  const demo::Parcel parcel{"7002", {{demo::Step::admitted, installation_.now() - hours{2}, {}}}};
  ScriptedAnswer slow = ScriptedAnswer::ok(demo::soap_tracking(&parcel), xml_headers);
  slow.drip = std::chrono::milliseconds{1};
  carrier_.says("<NumeroEnvio>7002<", slow);
  const Finished finished = run_to_end(
      {"script", "--quiet", "--return", "--command",
       std::string(REMITOD_PROGRAM) + " --config " + installation_.config_file().string() + " --resync oca --wait",
       "/dev/null"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, AllOf(HasSubstr("/3"), HasSubstr("#"), HasSubstr("....")));
}

TEST_F(ByHand, OrderIsAskedAboutAtEachOfItsCarriers) {
  start_with_shipments();
  EXPECT_EQ(resync({"order:1001", "--wait"}).at("shipments"), 2);
  EXPECT_EQ(carrier_.asked("7001"), 1u);
  EXPECT_EQ(carrier_.asked("8001"), 1u);
  EXPECT_EQ(asked_in_all(), 2u);
}

TEST_F(ByHand, AllMeansEveryOpenShipment) {
  start_with_shipments();
  EXPECT_EQ(resync({"all", "--wait"}).at("shipments"), 4);
  EXPECT_EQ(asked_in_all(), 4u);
}

TEST_F(ByHand, DryRunSaysWhatItWouldAskAndAsksNothing) {
  start_with_shipments();
  const nlohmann::json would = resync({"all", "--dry-run"});
  EXPECT_EQ(would.at("shipments"), 4);
  EXPECT_EQ(would.at("carriers").at("oca"), 3);
  EXPECT_EQ(would.at("carriers").at("olva"), 1);
  EXPECT_EQ(platform().number("select count(*) from resync_requests"), 0);
  EXPECT_EQ(asked_in_all(), 0u);
}

TEST_F(ByHand, SincePassesOverWhatChangedAfterIt) {
  start_with_shipments();
  shows("7001", demo::Step::delivered);
  installation_.resync("oca:7001");
  const std::string a_minute_ago = to_iso8601(installation_.now() - std::chrono::minutes{1});
  EXPECT_EQ(resync({"oca", "--dry-run", "--since", a_minute_ago}).at("shipments"), 2);
  EXPECT_EQ(resync({"oca", "--wait", "--since", a_minute_ago}).at("shipments"), 2);
  EXPECT_EQ(carrier_.asked("7001"), 1u);
  EXPECT_EQ(carrier_.asked("7002"), 1u);
}

TEST_F(ByHand, RowInThePublicTableDoesTheSame) {
  start_with_shipments();
  platform().execute("insert into resync_requests (target) values ('oca:7003'), ('rapid')");
  ASSERT_TRUE(eventually([&] {
    return platform().number("select count(*) from resync_requests where finished_at is not null") == 2;
  })) << installation_.log();
  EXPECT_EQ(carrier_.asked("7003"), 1u);
  EXPECT_EQ(asked_in_all(), 1u);
  EXPECT_EQ(platform().text("select error from resync_requests where target = 'oca:7003'"), "");
  EXPECT_EQ(platform().text("select error from resync_requests where target = 'rapid'"),
            "no carrier \"rapid\" is configured");
}

TEST_F(ByHand, WhatIsAskedTwiceIsReadAgainThoughNotAByteChanged) {
  start_with_shipments();
  installation_.resync("oca:7001");
  installation_.resync("oca:7001");
  EXPECT_EQ(carrier_.asked("7001"), 2u);
  EXPECT_EQ(installation_.carrier_status("oca").at("unchanged"), 0) << "the fingerprints are passed over";
  EXPECT_EQ(platform().number("select count(*) from tracking_events"), 1);
}

TEST_F(ByHand, WithoutADaemonTheCommandsSaySo) {
  const Finished resync = installation_.remitod({"--resync", "oca"});
  EXPECT_EQ(resync.exit_code, 69);
  EXPECT_THAT(resync.err, HasSubstr("control.sock"));
  EXPECT_EQ(installation_.remitod({"--status"}).exit_code, 3);
  installation_.start();
  EXPECT_EQ(installation_.remitod({"--status"}).exit_code, 0);
  installation_.kill();  // which leaves the socket's file behind
  EXPECT_EQ(installation_.remitod({"--resync", "oca"}).exit_code, 69);
  EXPECT_EQ(installation_.remitod({"--status", "--json"}).exit_code, 3);
}

TEST_F(ByHand, WhoMayNotOpenTheSocketIsToldSoAndNotThatNobodyIsThere) {
  installation_.start();
  const std::string socket = (installation_.folder() / "control.sock").string();
  std::filesystem::permissions(socket, std::filesystem::perms::none);
  std::vector<std::string> as_somebody;
  if (::geteuid() == 0) as_somebody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  for (const std::vector<std::string>& mode : std::vector<std::vector<std::string>>{
           {"--status"}, {"--resync", "all"}, {"--settle", "K", "--resend"}, {"--compare-shadow", "oca"}}) {
    std::vector<std::string> command = as_somebody;
    command.insert(command.end(), {REMITOD_PROGRAM, "--socket", socket});
    command.insert(command.end(), mode.begin(), mode.end());
    const Finished finished = run_to_end(command);
    EXPECT_EQ(finished.exit_code, 77) << mode.front() << ' ' << finished.err;
    EXPECT_THAT(finished.err, AllOf(HasSubstr("you may not open " + socket), Not(HasSubstr("systemctl"))));
  }
}

TEST_F(ByHand, ADaemonThatStandsStillIsNotWaitedForForEver) {
  installation_.start();
  installation_.daemon().signal(SIGSTOP);
  const Finished finished = installation_.remitod({"--status"});
  installation_.daemon().signal(SIGCONT);
  EXPECT_EQ(finished.exit_code, 69) << "it runs: 3 would be wrong";
  EXPECT_THAT(finished.err, AllOf(HasSubstr("has said nothing for 15 s"), HasSubstr("systemctl status remitod")));
  EXPECT_EQ(installation_.remitod({"--status"}).exit_code, 0);
}

TEST_F(ByHand, TheSocketIsNotGuessedWhereTheStatedConfigurationDoesNotTellIt) {
  installation_.start();
  const std::string missing = (installation_.folder() / "missing.toml").string();
  const Finished finished = run_to_end({REMITOD_PROGRAM, "--config", missing, "--status"});
  EXPECT_EQ(finished.exit_code, 78);
  EXPECT_THAT(finished.err, HasSubstr("cannot read " + missing));
  write_file(installation_.config_file(), read_file(installation_.config_file()) + "[carriers.nobody]\nwrong = 1\n");
  EXPECT_EQ(installation_.remitod({"--status"}).exit_code, 0) << "what is being edited is the next start's business";
}

TEST_F(ByHand, UnknownRemitoAndNonsenseAreToldApart) {
  start_with_shipments();
  EXPECT_EQ(installation_.remitod({"--resync", "oca:9999", "--wait"}).exit_code, 66);
  const Finished nobody = installation_.remitod({"--resync", "order:9999"});
  EXPECT_EQ(nobody.exit_code, 66);
  EXPECT_THAT(nobody.err, HasSubstr("no open shipment of order:9999"));
  EXPECT_EQ(installation_.remitod({"--status", "oca:9999"}).exit_code, 66);
  EXPECT_EQ(installation_.remitod({"--resync", "no-such-carrier"}).exit_code, 64);
  EXPECT_EQ(installation_.remitod({"--resync", "no-such-carrier:7001"}).exit_code, 64);
  EXPECT_EQ(installation_.remitod({"--resync", ""}).exit_code, 64);
  EXPECT_EQ(installation_.remitod({"--resync", "oca", "--since", "yesterday"}).exit_code, 64);
  EXPECT_EQ(installation_.remitod({"--resync", "oca:caf\xe9"}).exit_code, 66) << "not typed in UTF-8";
  EXPECT_EQ(installation_.remitod({"--resync", "oca", "--status"}).exit_code, 64);
  EXPECT_EQ(installation_.remitod({"--wait"}).exit_code, 64);
  EXPECT_EQ(installation_.remitod({"--no-such-flag"}).exit_code, 64);
  EXPECT_EQ(asked_in_all(), 0u);
}

TEST_F(ByHand, StatusOfAShipmentSaysWhenItWasLastAsked) {
  start_with_shipments();
  const auto shipment = [&] {
    const Finished finished = installation_.remitod({"--status", "oca:7001", "--json"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return nlohmann::json::parse(finished.out).at("shipments").at(0);
  };
  EXPECT_TRUE(shipment().at("last_asked").is_null());
  installation_.resync("oca:7001");
  const auto last_asked = from_iso8601(shipment().at("last_asked").get<std::string>());
  ASSERT_TRUE(last_asked);
  EXPECT_LE(*last_asked, installation_.now());
  EXPECT_EQ(shipment().at("status"), "registered");
  EXPECT_THAT(installation_.remitod({"--status", "order:1001"}).out, AllOf(HasSubstr("7001"), HasSubstr("8001")));
}

TEST_F(ByHand, StatusIsDegradedWhileACarriersBreakerIsOpen) {
  start_with_shipments();
  EXPECT_EQ(installation_.remitod({"--status"}).exit_code, 0);
  const Finished of_all = installation_.remitod({"--status", "all"});
  EXPECT_EQ(of_all.exit_code, 0);
  EXPECT_THAT(of_all.out, AllOf(HasSubstr("oca"), HasSubstr("olva"))) << "as --resync has it";
  carrier_.says("", ScriptedAnswer::status(500, "out of order\n"));
  ASSERT_EQ(installation_.remitod({"--resync", "oca"}).exit_code, 0);
  ASSERT_TRUE(eventually([&] { return installation_.carrier_status("oca").at("breaker") == "open"; }));
  const Finished status = installation_.remitod({"--status"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_THAT(status.out, HasSubstr("oca"));
  EXPECT_EQ(installation_.carrier_status("olva").at("breaker"), "closed") << "another carrier's trouble is not its own";
}

TEST_F(ByHand, VersionAndHelpNeedNoConfiguration) {
  const Finished version = run_to_end({REMITOD_PROGRAM, "--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, HasSubstr("remitod "));
  const Finished help = run_to_end({REMITOD_PROGRAM, "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("--resync"), HasSubstr("--status"), HasSubstr("--check-config")));
  for (const char* exit_code : {"0 done", "1 --status", "3 --status", "64 usage", "65 a", "66 no", "69 no", "73 a",
                                "75 try", "76 the", "77 you", "78"})
    EXPECT_THAT(help.out, HasSubstr(exit_code));
}

}  // namespace
}  // namespace remitod::test
