// How long each shipment waits to be asked about, and who is asked about for no reason.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/store_watch.h"

namespace remitod::sim {

/// Time in which nobody can be expected to ask: every stretch counts once, whatever its reasons.
class Silence {
 public:
  void begin(Instant now) {
    total(now);
    ++reasons_;
  }
  void end(Instant now) {
    total(now);
    --reasons_;
  }
  void until(Instant now, Instant until) {
    total(now);
    until_ = std::max(until_, until);
  }
  /// The clock was set: the daemon takes that for time in which nothing happened.
  void count(std::chrono::microseconds jump) { total_ += jump; }
  std::chrono::microseconds total(Instant now) {
    if (reasons_ != 0)
      total_ += now - counted_to_;
    else if (until_ > counted_to_)
      total_ += std::min(now, until_) - counted_to_;
    counted_to_ = now;
    return total_;
  }

 private:
  int reasons_ = 0;
  Instant counted_to_{}, until_{};
  std::chrono::microseconds total_{0};
};

/// Of one carrier's shipments.
class FollowWatch {
 public:
  struct Rules {
    std::chrono::microseconds max_interval;  ///< nobody waits longer, silence aside
    std::chrono::microseconds patience;      ///< what transactions, latencies and the look itself may take
    std::chrono::microseconds tail;          ///< of a terminal shipment
  };
  FollowWatch(std::string carrier, Rules rules) : carrier_(std::move(carrier)), rules_(rules) {}

  /// Broken checks: polled_after_end, waited_too_long.
  void asked(const std::vector<std::string>& remitos, Instant now);
  /// Broken check: waited_too_long.
  void look(const std::vector<ShipmentRow>& shipments, Instant now);
  Silence& silence() { return silence_; }

 private:
  /// A moment, and how much silence there was until then.
  struct Mark {
    Instant at{};
    std::chrono::microseconds silence{0};
  };
  struct Followed {
    Mark asked;
    std::optional<Mark> terminal;  ///< since `terminal_at` has this value
    std::optional<Instant> terminal_at;
    std::optional<Instant> ended;
  };
  Mark mark(Instant now) { return {now, silence_.total(now)}; }
  Followed& followed(const std::string& remito, Instant now) {
    return followed_.try_emplace(remito, Followed{mark(now), {}, {}, {}}).first->second;
  }
  void check_wait(const std::string& remito, const Followed& shipment, Instant now);
  void check_end(const std::string& remito, const Followed& shipment, Instant now);

  std::string carrier_;
  Rules rules_;
  Silence silence_;
  std::map<std::string, Followed> followed_;
};

}  // namespace remitod::sim
