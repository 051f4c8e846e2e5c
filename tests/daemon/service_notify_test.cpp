#include "daemon/service_notify.h"

#include <gtest/gtest.h>

#include "tests/support/service_manager.h"

namespace remitod::test {
namespace {

TEST(ServiceNotify, AReloadSaysWhenItBegan) {
  ServiceManager manager;
  daemon::notify_reloading("reading the configuration");
  const std::string said = manager.hear();
  EXPECT_TRUE(said.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << said;
  EXPECT_TRUE(said.ends_with("\nSTATUS=reading the configuration")) << said;
}

TEST(ServiceNotify, ALongStartAsksForTimeAtOnceAndStopsWhenItIsOver) {
  ServiceManager manager;
  {
    const daemon::StartTimeExtension extension;
    EXPECT_EQ(manager.hear(), "EXTEND_TIMEOUT_USEC=60000000");
  }
  EXPECT_FALSE(manager.said_more());
}

TEST(ServiceNotify, AStartThatHangsIsNotExtendedForEver) {
  ServiceManager manager;
  {
    const daemon::StartTimeExtension extension(std::chrono::seconds{0});
  }
  EXPECT_FALSE(manager.said_more());
}

TEST(ServiceNotify, WithoutSocketsOfSystemdThereIsNoPassedListener) {
  EXPECT_EQ(daemon::passed_listener("control"), std::nullopt);
}

}  // namespace
}  // namespace remitod::test
