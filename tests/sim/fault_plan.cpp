#include "tests/sim/fault_plan.h"

#include <array>
#include <cstdio>
#include <string_view>

namespace remitod::sim {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Swarm {
 public:
  explicit Swarm(Dice& dice) : dice_(dice), group_on_(dice.chance(0.75)) {}
  /// Off, or somewhere up to `most`.
  double rate(double most) {
    const bool on = dice_.chance(0.5);
    const double drawn = most * dice_.share();
    return group_on_ && on ? drawn : 0;
  }
  microseconds time(microseconds low, microseconds high) { return dice_.time(low, high); }
  bool flag() { return dice_.chance(0.5) && group_on_; }

 private:
  Dice& dice_;
  bool group_on_;
};

class Printer {
 public:
  void add(std::string_view name, double rate) {
    if (rate == 0) return;
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%.3g", rate);
    text_ += " " + std::string(name) + "=" + number.data();
  }
  void add(std::string_view name, microseconds most) {
    text_ += "(<=" + std::to_string(most / seconds{1}) + "s " + std::string(name) + ")";
  }
  std::string take() { return text_.empty() ? " none" : std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

FaultPlan draw_plan(Dice dice) {
  FaultPlan plan;
  Swarm wire(dice);
  plan.wire.no_connection = wire.rate(0.05);
  plan.wire.lost_request = wire.rate(0.05);
  plan.wire.lost_answer = wire.rate(0.05);
  plan.wire.timeout = wire.rate(0.05);
  plan.wire.throttled = wire.rate(0.02);
  plan.wire.error_before = wire.rate(0.05);
  plan.wire.error_after = wire.rate(0.05);
  plan.wire.html_page = wire.rate(0.03);
  plan.wire.truncated = wire.rate(0.03);
  plan.wire.login_expired = wire.rate(0.1);
  plan.wire.partial_batch = wire.rate(0.2);
  plan.wire.latency_max = wire.time(milliseconds{10}, seconds{20});
  plan.wire.outages_per_day = wire.rate(3);
  plan.wire.outage_max = wire.time(minutes{5}, hours{3});

  Swarm data(dice);
  plan.data.late_event = data.rate(0.2);
  plan.data.corrected = data.rate(0.3);
  plan.data.unknown_code = data.rate(0.2);
  plan.data.reordered = data.rate(0.5);
  plan.data.duplicated = data.rate(0.5);
  plan.data.planned = data.rate(0.8);
  plan.data.volatile_envelope = data.flag();

  Swarm host(dice);
  plan.host.crashes_per_day = host.rate(12);
  plan.host.reloads_per_day = host.rate(6);
  plan.host.clock_jumps_per_day = host.rate(2);
  plan.host.clock_jump_max = host.time(seconds{10}, hours{1});
  plan.host.busy = host.rate(0.05);
  plan.host.unclear_commit = host.rate(0.02);
  plan.host.outages_per_day = host.rate(3);
  plan.host.outage_max = host.time(seconds{5}, minutes{30});
  plan.host.disk_full_per_day = host.rate(2);
  plan.host.lost_wake = host.rate(0.5);

  Swarm receiver(dice);
  plan.receiver.error = receiver.rate(0.2);
  plan.receiver.error_after = receiver.rate(0.1);
  plan.receiver.hangs = receiver.rate(0.1);
  plan.receiver.throttled = receiver.rate(0.05);
  plan.receiver.restarts_per_day = receiver.rate(4);
  plan.receiver.restart_max = receiver.time(seconds{5}, hours{2});

  Swarm orders(dice);
  plan.orders.cancelled = orders.rate(0.6);
  return plan;
}

std::string FaultPlan::to_string() const {
  Printer printer;
  printer.add("wire.no_connection", wire.no_connection);
  printer.add("wire.lost_request", wire.lost_request);
  printer.add("wire.lost_answer", wire.lost_answer);
  printer.add("wire.timeout", wire.timeout);
  printer.add("wire.throttled", wire.throttled);
  printer.add("wire.error_before", wire.error_before);
  printer.add("wire.error_after", wire.error_after);
  printer.add("wire.html_page", wire.html_page);
  printer.add("wire.truncated", wire.truncated);
  printer.add("wire.login_expired", wire.login_expired);
  printer.add("wire.partial_batch", wire.partial_batch);
  printer.add("wire.outages_per_day", wire.outages_per_day);
  if (wire.outages_per_day != 0) printer.add("each", wire.outage_max);
  printer.add("data.late_event", data.late_event);
  printer.add("data.corrected", data.corrected);
  printer.add("data.unknown_code", data.unknown_code);
  printer.add("data.reordered", data.reordered);
  printer.add("data.duplicated", data.duplicated);
  printer.add("data.planned", data.planned);
  printer.add("data.volatile_envelope", data.volatile_envelope ? 1 : 0);
  printer.add("host.crashes_per_day", host.crashes_per_day);
  printer.add("host.reloads_per_day", host.reloads_per_day);
  printer.add("host.clock_jumps_per_day", host.clock_jumps_per_day);
  if (host.clock_jumps_per_day != 0) printer.add("wrong", host.clock_jump_max);
  printer.add("host.busy", host.busy);
  printer.add("host.unclear_commit", host.unclear_commit);
  printer.add("host.database_outages_per_day", host.outages_per_day);
  if (host.outages_per_day != 0) printer.add("each", host.outage_max);
  printer.add("host.disk_full_per_day", host.disk_full_per_day);
  printer.add("host.lost_wake", host.lost_wake);
  printer.add("receiver.error", receiver.error);
  printer.add("receiver.error_after", receiver.error_after);
  printer.add("receiver.hangs", receiver.hangs);
  printer.add("receiver.throttled", receiver.throttled);
  printer.add("receiver.restarts_per_day", receiver.restarts_per_day);
  if (receiver.restarts_per_day != 0) printer.add("each", receiver.restart_max);
  printer.add("orders.cancelled", orders.cancelled);
  return printer.take();
}

}  // namespace remitod::sim
