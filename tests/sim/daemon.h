// One life of the daemon in a simulation: its deciding parts on the simulated clock, wire and database. A crash is to
// destroy it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/lane.h"
#include "tests/sim/database.h"
#include "tests/sim/mutation.h"
#include "tests/sim/transport.h"
#include "tests/support/virtual_daemon.h"

namespace remitod::sim {

struct SimMachine {
  SimMachine(Wire& wire, Database& database, const HostFaults& faults, Dice dice, SimExecutor::Hooks hooks,
             Instant true_now, double time_scale, std::chrono::microseconds clock_error)
      : runtime(true_now, time_scale),
        executor(runtime, database, faults, dice, std::move(hooks)),
        mapper(runtime),
        transport(runtime, wire) {
    runtime.set_clock_error(clock_error);
  }
  test::VirtualRuntime runtime;
  SimExecutor executor;
  test::VirtualOffload mapper;
  SimTransport transport;
};

class SimDaemon : public SimMachine, public test::DecidingParts {
 public:
  template <class... MachineArguments>
  explicit SimDaemon(Mutation mutation, MachineArguments&&... machine)
      : SimMachine(std::forward<MachineArguments>(machine)...),
        DecidingParts(runtime, transport, mapper, executor),
        mutation_(mutation),
        house_alarm_(runtime.alarm([this] { keep_house(); })) {}

  /// As daemon/app.cpp: what a crash cut off, who was asked when, and then everything runs.
  void start(const std::vector<scheduler::LaneConfig>& lanes);
  /// As daemon/app.cpp at a reload: `then` is called when what was under way is done and written, or when the patience
  /// is over.
  void wind_up(std::function<void()> then);

 private:
  void keep_house();
  void drain();

  Mutation mutation_;
  std::unique_ptr<daemon::Alarm> house_alarm_;
  std::unique_ptr<daemon::Alarm> drain_alarm_;
  Instant drain_until_{};
  std::function<void()> drained_;
};

}  // namespace remitod::sim
