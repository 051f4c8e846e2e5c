#include "daemon/missed_signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace remitod::test {
namespace {

TEST(MissedSignals, WhatCameWhileNobodyListenedIsToldOnce) {
  daemon::MissedSignals missed{SIGHUP, SIGTERM};
  EXPECT_FALSE(missed.came());
  std::raise(SIGHUP);
  std::raise(SIGTERM);
  EXPECT_TRUE(missed.came());
  EXPECT_FALSE(missed.came());
  std::raise(SIGTERM);
  EXPECT_TRUE(missed.came());
}

TEST(MissedSignals, WhatAnotherListenerHeardIsHeardHereToo) {
  daemon::MissedSignals missed{SIGHUP};
  {
    boost::asio::io_context context;
    boost::asio::signal_set signals(context, SIGHUP);
    int heard = 0;
    signals.async_wait([&](const boost::system::error_code&, int signal) { heard = signal; });
    std::raise(SIGHUP);
    context.run();
    EXPECT_EQ(heard, SIGHUP);
    EXPECT_TRUE(missed.came());
    std::raise(SIGHUP);  // nobody runs the context any more
  }
  EXPECT_TRUE(missed.came());
}

}  // namespace
}  // namespace remitod::test
