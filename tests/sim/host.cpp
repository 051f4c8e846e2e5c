// What happens to the machine that the daemon runs on, and to the carriers' own.
#include <array>

#include "tests/sim/world.h"

namespace remitod::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// After the database is back, a daemon waits this long at most before it tries again; on the wall's clock.
constexpr seconds longest_retry{40};
constexpr seconds start_retry{10};

}  // namespace

// ------------------------------------------------------------------ the
// daemon's lives

void World::start_daemon() {
  if (disk_full_ || database_condition_ != SimExecutor::Condition::well)
    return at(now_ + start_retry, [this] { start_daemon(); });
  daemon_ = std::make_unique<SimDaemon>(options_.mutation, wire_, database_, plan_.host,
                                        dice_.fork("life " + std::to_string(++lives_)), database_hooks(), now_,
                                        time_scale_, clock_error_);
  set_conditions();
  daemon_->start(lanes_);
  trace_.add(now_, "started", "");
  silence([this](Silence& silence) { silence.end(now_); });
}

void World::crash(microseconds pause) {
  crash_in_turns_.reset();
  crash_at_create_ = reloading_ = false;
  trace_.add(now_, "stopped", "");
  note_cut_off();
  silence([this](Silence& silence) { silence.begin(now_); });
  daemon_.reset();
  wire_.connections_lost();
  at(now_ + pause, [this] { start_daemon(); });
}

// At any turn; and some of them while a shipment is being asked for.
void World::crash_soon() {
  if (!daemon_) return;
  crash_at_create_ = dice_.chance(0.5);
  if (!crash_at_create_) crash_in_turns_ = static_cast<std::uint64_t>(dice_.between(0, 100));
}

void World::reload() {
  if (!daemon_ || std::exchange(reloading_, true)) return;
  trace_.add(now_, "reload", "");
  silence([this](Silence& silence) { silence.until(now_, now_ + seconds{30} * static_cast<int>(time_scale_)); });
  daemon_->wind_up([this] { reload_done_ = true; });
}

// ------------------------------------------------------------------ clock,
// database, disk

void World::set_clock(microseconds error) {
  const microseconds jump = error - clock_error_;
  clock_error_ = error;
  trace_.add(now_, "clock set by", std::to_string(jump / seconds{1}) + " s");
  store_watch_.daemons_clock_is_behind(error < microseconds{0});
  for (const auto& [name, carrier] : wire_.carriers()) carrier->watch().clock_was_set();
  silence([&](Silence& silence) {
    silence.count(std::chrono::abs(jump));
    silence.until(now_, now_ + minutes{2});
  });
  if (daemon_) daemon_->runtime.set_clock_error(error);
}

void World::database_outage(microseconds length, SimExecutor::Condition condition) {
  if (database_condition_ != SimExecutor::Condition::well) return;
  database_condition_ = condition;
  trace_.add(now_, "database", condition == SimExecutor::Condition::frozen ? "frozen" : "away");
  silence([this](Silence& silence) { silence.begin(now_); });
  set_conditions();
  at(now_ + length, [this] {
    database_condition_ = SimExecutor::Condition::well;
    trace_.add(now_, "database", "back");
    silence([this](Silence& silence) {
      silence.end(now_);
      silence.until(now_, now_ + longest_retry * static_cast<int>(time_scale_));
    });
    set_conditions();
  });
}

void World::disk_full(microseconds length) {
  if (std::exchange(disk_full_, true)) return;
  trace_.add(now_, "disk", "full");
  silence([this](Silence& silence) { silence.begin(now_); });
  set_conditions();
  at(now_ + length, [this] {
    disk_full_ = false;
    trace_.add(now_, "disk", "has room");
    silence([this](Silence& silence) {
      silence.end(now_);
      silence.until(now_, now_ + longest_retry * static_cast<int>(time_scale_));
    });
    set_conditions();
  });
}

void World::set_conditions() {
  if (!daemon_) return;
  daemon_->executor.set_disk_full(disk_full_);
  daemon_->executor.set_condition(database_condition_);
  if (calm_) daemon_->executor.end_faults();
}

// ------------------------------------------------------------------ when

void World::plan_host_faults() {
  Dice dice = dice_.fork("host");
  const HostFaults& host = plan_.host;
  now_and_then(host.crashes_per_day, dice, [&](Instant moment) { at(moment, [this] { crash_soon(); }); });
  now_and_then(host.reloads_per_day, dice, [&](Instant moment) { at(moment, [this] { reload(); }); });
  now_and_then(host.clock_jumps_per_day, dice, [&](Instant moment) {
    const microseconds error = dice.time(-host.clock_jump_max, host.clock_jump_max);
    at(moment, [this, error] { set_clock(error); });
  });
  now_and_then(host.outages_per_day, dice, [&](Instant moment) {
    const microseconds length = dice.time(seconds{1}, host.outage_max);
    const auto condition = dice.chance(0.5) ? SimExecutor::Condition::refusing : SimExecutor::Condition::frozen;
    at(moment, [this, length, condition] { database_outage(length, condition); });
  });
  now_and_then(host.disk_full_per_day, dice, [&](Instant moment) {
    const microseconds length = dice.time(seconds{30}, minutes{20});
    at(moment, [this, length] { disk_full(length); });
  });
}

void World::plan_wire_faults() {
  Dice dice = dice_.fork("outages");
  constexpr std::array outages{Wire::Outage::unreachable, Wire::Outage::broken, Wire::Outage::throttled};
  for (const auto& [name, carrier] : wire_.carriers())
    now_and_then(plan_.wire.outages_per_day, dice, [&](Instant moment) {
      const auto outage = dice.pick(std::span<const Wire::Outage>(outages));
      const microseconds length = dice.time(minutes{1}, plan_.wire.outage_max);
      at(moment, [this, carrier_name = name, outage, length] {
        wire_.set_outage(carrier_name, outage);
        at(now_ + length, [this, carrier_name] { wire_.set_outage(carrier_name, Wire::Outage::none); });
      });
    });
  now_and_then(plan_.receiver.restarts_per_day, dice, [&](Instant moment) {
    const microseconds length = dice.time(seconds{1}, plan_.receiver.restart_max);
    at(moment, [this, length] {
      wire_.receiver().set_away(true);
      at(now_ + length, [this] { wire_.receiver().set_away(false); });
    });
  });
}

// Nothing goes wrong any more, and nothing further happens to a parcel: now everything has to become true.
void World::end_faults() {
  calm_ = true;
  agenda_.clear();
  crash_in_turns_.reset();
  crash_at_create_ = false;
  trace_.add(now_, "calm", "");
  wire_.end_faults();
  for (const auto& [name, carrier] : wire_.carriers()) carrier->freeze(now_);
  if (clock_error_.count() != 0) set_clock(microseconds{0});
  if (std::exchange(database_condition_, SimExecutor::Condition::well) != SimExecutor::Condition::well)
    silence([this](Silence& silence) { silence.end(now_); });
  if (std::exchange(disk_full_, false)) silence([this](Silence& silence) { silence.end(now_); });
  silence([this](Silence& silence) { silence.until(now_, now_ + longest_retry * static_cast<int>(time_scale_)); });
  set_conditions();
  if (!daemon_) start_daemon();
  look();
}

}  // namespace remitod::sim
