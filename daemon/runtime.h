// Time and turns of the deciding thread, as arguments: the daemon runs them on Asio, a simulation on a virtual clock.
#pragma once

#include <functional>
#include <memory>

#include "carriers/tracking.h"

namespace remitod::daemon {

/// One deadline that can be moved. Rings on the deciding thread, at or after its moment; setting it again replaces the
/// earlier moment; destroying it cancels it. Where the clock was set back it rings within a minute, too early: who
/// hears it looks what there is to do by the new time, and nobody sleeps until the clock has come so far again.
class Alarm {
 public:
  virtual ~Alarm() = default;
  virtual void set(Instant at) = 0;
  virtual void cancel() = 0;
};

class Runtime {
 public:
  using Task = std::move_only_function<void()>;
  virtual ~Runtime() = default;
  /// The daemon's time. It runs faster than the wall's where the configuration says so (demos).
  virtual Instant now() const = 0;
  /// Time since some moment, as fast as that of now(), but by a clock that nobody sets.
  virtual std::chrono::microseconds steady() const = 0;
  /// now() as it will be after so much time on the wall: for housekeeping, which no scale of time should hurry.
  virtual Instant in(std::chrono::microseconds wall_time) const = 0;
  virtual std::unique_ptr<Alarm> alarm(Task ring) = 0;
  /// Runs the task on the deciding thread, after what is queued. Callable from any thread.
  virtual void post(Task task) = 0;
};

/// Runs work off the deciding thread and brings its result back to it. Work of one queue (a carrier's name) is done in
/// order, one at a time; a queue whose work is slow holds up no other.
class Offload {
 public:
  /// Does the work and returns what is to be done with its result on the deciding thread.
  using Work = std::move_only_function<Runtime::Task()>;
  virtual ~Offload() = default;
  virtual void run(std::string_view queue, Work work) = 0;
};

}  // namespace remitod::daemon
