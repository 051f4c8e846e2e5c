// When to try again what the database did not do: after 1 s, then after twice as long each time, at most 30 s of the
// wall's clock. For the deciding thread.
#pragma once

#include <chrono>
#include <memory>

#include "daemon/runtime.h"

namespace remitod::daemon {

class DatabaseRetry {
 public:
  /// `again` is called when it is time.
  DatabaseRetry(Runtime& runtime, Runtime::Task again);
  DatabaseRetry(const DatabaseRetry&) = delete;
  DatabaseRetry& operator=(const DatabaseRetry&) = delete;

  void wait();
  /// The database did it. True: before, it did not.
  bool done();
  /// There will be no more. True: it was being waited for.
  bool stop();

 private:
  Runtime& runtime_;
  Runtime::Task again_;
  std::unique_ptr<Alarm> alarm_;
  std::chrono::seconds pause_{0};  ///< zero: the database does what it is asked to
  bool waits_ = false;
};

}  // namespace remitod::daemon
