// What requests about orders (create, find, cancel ...) tell their carrier's lane. The poller holds it.
#pragma once

#include <functional>
#include <string_view>

#include "scheduler/lane.h"

namespace remitod::daemon {

struct OrderHooks {
  /// A request goes out. True: it is the one that tries after a rest (Lane::order_sent()).
  std::function<bool(std::string_view carrier)> request_sent;
  std::function<void(std::string_view carrier)> request_answered;
  /// How one ended, where that says something of the carrier (Lane::order_judged()); before request_answered().
  std::function<void(std::string_view carrier, const scheduler::BatchOutcome&)> judged;
  /// The one that tried is over, judged or not.
  std::function<void(std::string_view carrier)> trial_ended;
};

}  // namespace remitod::daemon
