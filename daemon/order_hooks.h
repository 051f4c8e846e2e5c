// What requests about orders (create, find, cancel ...) tell their carrier's lane. The poller holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "scheduler/lane.h"

namespace remitod::daemon {

struct OrderHooks {
  /// A request goes out. Not zero: it is the one that tries after a rest (Lane::order_sent()).
  std::function<std::uint64_t(std::string_view carrier)> request_sent;
  std::function<void(std::string_view carrier)> request_answered;
  /// How one ended, where that says something of the carrier (Lane::order_judged()); before request_answered().
  std::function<void(std::string_view carrier, const scheduler::BatchOutcome&, std::uint64_t trial)> judged;
  /// The one that tried is over, judged or not.
  std::function<void(std::string_view carrier, std::uint64_t trial)> trial_ended;
};

}  // namespace remitod::daemon
