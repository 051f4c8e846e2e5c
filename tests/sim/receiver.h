// The other end of a webhook: it takes letters, fails, hangs and restarts, and never forgets what it has taken.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "carriers/transport.h"
#include "tests/sim/dice.h"
#include "tests/sim/fault_plan.h"

namespace remitod::sim {

class Receiver {
 public:
  static constexpr const char* url = "https://receiver.example/remitod";

  Receiver(const ReceiverFaults& faults, Dice dice) : faults_(faults), dice_(dice) {}

  /// Nothing: it hangs. Broken check: receiver_order (of one order what is new comes in the order of its seq).
  std::optional<carriers::FetchResult> receive(const carriers::HttpRequest& letter);
  void set_away(bool away) { away_ = away; }
  void end_faults() {
    calm_ = true;
    away_ = false;
  }
  /// The ids of the transitions that it was told at least once.
  const std::set<std::int64_t>& taken() const { return taken_; }

 private:
  void take(const std::string& body);

  const ReceiverFaults& faults_;
  Dice dice_;
  bool away_ = false, calm_ = false;
  std::set<std::int64_t> taken_;
  std::map<std::string, std::int64_t> last_seq_;  ///< by order key
};

}  // namespace remitod::sim
