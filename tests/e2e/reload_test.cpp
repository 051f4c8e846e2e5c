// SIGHUP: the configuration and the profiles are read again by the process that runs.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <future>
#include <memory>
#include <utility>

#include "db/session.h"
#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"
#include "tests/support/service_manager.h"

namespace remitod::test {
namespace {

class SigHup : public testing::Test {
 protected:
  std::string oca() const { return installation_.carrier("oca", carrier_.url(), asked_by_hand_only); }
  std::string olva() const { return installation_.carrier("olva", carrier_.url(), asked_by_hand_only); }
  void reload(const std::string& carriers) {
    installation_.configure(carriers);
    installation_.daemon().signal(SIGHUP);
  }
  // How often the daemon has said this.
  std::size_t said(const std::string& event) const { return installation_.log_lines({event}).size(); }
  bool comes(const std::string& event, std::size_t times) {
    return eventually([&] { return said(event) == times; });
  }

  ScriptedCarrier carrier_;
  Installation installation_{{.time_scale = quiet}};
};

TEST_F(SigHup, AnotherCarrierIsFollowedByTheSameProcess) {
  installation_.configure(oca());
  installation_.start();
  const pid_t pid = installation_.daemon().pid();
  installation_.platform().follow("oca", "7001", "1001");
  installation_.platform().follow("olva", "8001", "1002");
  reload(oca() + olva());
  ASSERT_TRUE(comes(" started ", 2)) << installation_.log();
  ASSERT_TRUE(eventually([&] { return installation_.answers(); }));
  ASSERT_TRUE(eventually([&] {
    return installation_.carrier_status("oca").at("shipments") == 1 &&
           installation_.carrier_status("olva").at("shipments") == 1;
  }));
  EXPECT_EQ(installation_.daemon().pid(), pid);
  EXPECT_TRUE(installation_.daemon().running());
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(SigHup, AWrongConfigurationIsToldAndChangesNothing) {
  installation_.configure(oca());
  installation_.start();
  reload(oca() + "[carriers.nobody]\n");
  ASSERT_TRUE(comes("reload_refused", 1)) << installation_.log();
  EXPECT_EQ(installation_.log_lines({"reload_refused", "carriers.nobody"}).size(), 1U);
  EXPECT_EQ(installation_.carrier_status("oca").at("shipments"), 0);
  EXPECT_EQ(said("stopping") + said("reloading "), 0U);
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(SigHup, AControlSocketThatCannotBeIsToldAndChangesNothing) {
  installation_.configure(oca());
  installation_.start();
  std::string text = read_file(installation_.config_file());
  const std::string socket = (installation_.folder() / "control.sock").string();
  const std::string nowhere = (installation_.folder() / "nowhere" / "control.sock").string();
  write_file(installation_.config_file(), text.replace(text.find(socket), socket.size(), nowhere));
  EXPECT_EQ(installation_.remitod({"--check-config"}).exit_code, 78);
  installation_.daemon().signal(SIGHUP);
  ASSERT_TRUE(comes("reload_refused", 1)) << installation_.log();
  EXPECT_EQ(installation_.log_lines({"reload_refused", "daemon.control_socket", "nowhere does not exist"}).size(), 1U);
  EXPECT_TRUE(installation_.answers());
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(SigHup, ACallUnderWayIsFinishedFirst) {
  std::promise<void> asked, may_answer;
  demo::Parcel parcel{"7001",
                      {{demo::Step::admitted, installation_.now() - std::chrono::hours{2}, {}},
                       {demo::Step::delivered, installation_.now() - std::chrono::hours{1}, {}}}};
  carrier_.answers("<NumeroEnvio>7001<", [&, body = demo::soap_tracking(&parcel)] {
    asked.set_value();
    may_answer.get_future().wait();
    return ScriptedAnswer::ok(body, xml_headers);
  });
  installation_.configure(oca());
  installation_.start();
  installation_.platform().follow("oca", "7001", "1001");
  ASSERT_TRUE(eventually([&] { return installation_.carrier_status("oca").at("shipments") == 1; }));
  ASSERT_EQ(installation_.remitod({"--resync", "oca"}).exit_code, 0);
  asked.get_future().wait();
  reload(oca() + olva());
  ASSERT_TRUE(comes("reloading ", 1)) << installation_.log();
  EXPECT_EQ(said(" started "), 1U);
  may_answer.set_value();
  ASSERT_TRUE(comes(" started ", 2)) << installation_.log();
  EXPECT_EQ(said("drain_cut_short"), 0U);
  EXPECT_EQ(installation_.platform().text("select status from shipments where remito = '7001'"), "delivered");
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(SigHup, AStopDuringAReloadIsAStop) {
  std::promise<void> asked, may_answer;
  carrier_.answers("<NumeroEnvio>7001<", [&] {
    asked.set_value();
    may_answer.get_future().wait();
    return ScriptedAnswer::ok(demo::soap_tracking(nullptr), xml_headers);
  });
  installation_.configure(oca());
  installation_.start();
  installation_.platform().follow("oca", "7001", "1001");
  ASSERT_TRUE(eventually([&] { return installation_.carrier_status("oca").at("shipments") == 1; }));
  ASSERT_EQ(installation_.remitod({"--resync", "oca"}).exit_code, 0);
  asked.get_future().wait();
  reload(oca() + olva());
  ASSERT_TRUE(comes("reloading ", 1)) << installation_.log();
  installation_.daemon().signal(SIGTERM);
  ASSERT_TRUE(comes("stopping ", 1)) << installation_.log();
  may_answer.set_value();
  EXPECT_EQ(installation_.daemon().wait(), 0);
  EXPECT_EQ(said(" started "), 1U);
}

// A carrier that answers when the test lets it: until then a reload waits.
class SlowSigHup : public SigHup {
 protected:
  ~SlowSigHup() override { answer(); }
  void start_with_a_call_under_way() {
    const auto asked = std::make_shared<std::atomic<bool>>(false);
    carrier_.answers("<NumeroEnvio>7001<", [asked, may_answer = may_answer_.get_future().share()] {
      *asked = true;
      may_answer.wait();
      return ScriptedAnswer::ok(demo::soap_tracking(nullptr), xml_headers);
    });
    installation_.configure(oca());
    installation_.start();
    installation_.platform().follow("oca", "7001", "1001");
    ASSERT_TRUE(eventually([&] { return installation_.carrier_status("oca").at("shipments") == 1; }));
    ASSERT_EQ(installation_.remitod({"--resync", "oca"}).exit_code, 0);
    ASSERT_TRUE(eventually([&] { return asked->load(); }));
  }
  void answer() {
    if (!std::exchange(has_answered_, true)) may_answer_.set_value();
  }

 private:
  std::promise<void> may_answer_;
  bool has_answered_ = false;
};

TEST_F(SlowSigHup, AReloadDuringAReloadIsAboutWhatTheFileSaysLast) {
  start_with_a_call_under_way();
  reload(oca() + "[carriers.nobody]\n");
  ASSERT_TRUE(comes("reload_refused", 1)) << installation_.log();
  reload(oca());
  ASSERT_TRUE(comes("reloading ", 1)) << installation_.log();
  reload(oca() + "[carriers.nobody]\n");
  ASSERT_TRUE(comes("reload_refused", 2)) << installation_.log();
  reload(oca() + olva());
  ASSERT_TRUE(comes("reloading ", 2)) << installation_.log();
  answer();
  ASSERT_TRUE(comes(" started ", 2)) << installation_.log();
  EXPECT_EQ(installation_.carrier_status("olva").at("shipments"), 0);
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(SlowSigHup, AReloadDuringAStopIsSaidToBePassedOver) {
  start_with_a_call_under_way();
  installation_.daemon().signal(SIGTERM);
  ASSERT_TRUE(comes("stopping ", 1)) << installation_.log();
  installation_.daemon().signal(SIGHUP);
  ASSERT_TRUE(comes("reload_passed_over", 1)) << installation_.log();
  answer();
  EXPECT_EQ(installation_.daemon().wait(), 0);
}

TEST_F(SigHup, EveryReloadThatSystemdIsToldOfHasAnEnd) {
  ServiceManager manager;
  const auto hear_until = [&manager](const std::string& begin) {
    std::string said;
    while (!said.starts_with(begin)) said = manager.hear();
    return said;
  };
  installation_.configure(oca());
  installation_.start();
  hear_until("READY=1\n");
  reload(oca() + "[carriers.nobody]\n");
  hear_until("RELOADING=1\nMONOTONIC_USEC=");
  EXPECT_TRUE(hear_until("READY=1\n").contains("refused"));
  reload(oca());
  hear_until("RELOADING=1\nMONOTONIC_USEC=");
  hear_until("READY=1\n");
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(SigHup, NobodyIsRefusedAtTheControlSocketMeanwhile) {
  installation_.configure(oca());
  installation_.start();
  reload(oca() + olva());
  ASSERT_TRUE(eventually([&] {
    EXPECT_TRUE(installation_.answers());
    return said(" started ") == 2;
  })) << installation_.log();
  EXPECT_EQ(installation_.stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(installation_.folder() / "control.sock"));
}

TEST_F(SigHup, AReloadIsNotForgottenWhileTheDatabaseKeepsTheOneBeforeWaiting) {
  installation_.configure(oca());
  installation_.start();
  auto other = db::OwnSession::open(db::DatabaseUrl::parse(installation_.database_url()).value());
  ASSERT_TRUE(other);
  other->session().run_script("begin exclusive");
  reload(oca());
  ASSERT_TRUE(comes("database_not_ready", 1)) << installation_.log();
  reload(oca() + olva());
  other->session().run_script("rollback");
  ASSERT_TRUE(comes(" started ", 3)) << installation_.log();
  EXPECT_EQ(installation_.carrier_status("olva").at("shipments"), 0);
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(SlowSigHup, WhoWaitsForAResyncIsAnsweredAfterTheReload) {
  start_with_a_call_under_way();
  Process waiting({REMITOD_PROGRAM, "--config", installation_.config_file().string(), "--resync", "oca", "--wait"},
                  {installation_.folder() / "waiting.out", installation_.folder() / "waiting.err"});
  ASSERT_TRUE(eventually([&] { return installation_.platform().number("select count(*) from resync_requests") == 2; }));
  reload(oca() + olva());
  ASSERT_TRUE(comes("reloading ", 1)) << installation_.log();
  answer();
  EXPECT_EQ(waiting.wait(), 0) << read_file(installation_.folder() / "waiting.err") << installation_.log();
  EXPECT_EQ(said(" started "), 2U);
  EXPECT_EQ(installation_.stop(), 0);
}

}  // namespace
}  // namespace remitod::test
