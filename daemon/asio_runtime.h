// The deciding thread for real: one io_context, one thread, one clock.
#pragma once

#include <boost/asio/io_context.hpp>

#include "daemon/runtime.h"

namespace remitod::daemon {

class AsioRuntime final : public Runtime {
 public:
  /// now() = origin + (wall clock - origin) * time_scale. Two programs with the same two values agree on the time.
  AsioRuntime(double time_scale, Instant origin);
  Instant now() const override;
  std::chrono::microseconds steady() const override;
  Instant in(std::chrono::microseconds wall_time) const override;
  std::unique_ptr<Alarm> alarm(Task ring) override;
  void post(Task task) override;
  boost::asio::io_context& context() { return context_; }
  /// The moment of the steady clock at which now() will be `at`.
  std::chrono::steady_clock::time_point steady_at(Instant at) const;

 private:
  boost::asio::io_context context_{1};
  double time_scale_;
  Instant origin_;
};

/// The system's clock, in our precision.
Instant wall_clock();

}  // namespace remitod::daemon
