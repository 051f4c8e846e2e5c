// Signals between two who listen for them: they do not end the process, and are not forgotten.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <initializer_list>
#include <utility>

namespace remitod::daemon {

/// Others may listen for the same signals: each hears of every one.
class MissedSignals {
 public:
  MissedSignals(std::initializer_list<int> signals) {
    for (const int signal : signals) signals_.add(signal);
    listen();
  }

  /// Whether one has come since this was asked last, or since it was made.
  bool came() {
    context_.poll();
    return std::exchange(came_, false);
  }

 private:
  void listen() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      came_ = true;
      listen();
    });
  }

  boost::asio::io_context context_;
  boost::asio::signal_set signals_{context_};
  bool came_ = false;
};

}  // namespace remitod::daemon
