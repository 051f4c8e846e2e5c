// SIGHUP: the configuration and the profiles are read again by the process that runs.
#include <gtest/gtest.h>

#include <csignal>
#include <future>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"

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

}  // namespace
}  // namespace remitod::test
