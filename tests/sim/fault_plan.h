// What goes wrong in one run, as rates and bounds: drawn from the seed, printed, and nothing else decides. Swarm: each
// seed turns some of them fully off, since faults that always come together hide each other.
#pragma once

#include <chrono>
#include <string>

#include "tests/sim/dice.h"

namespace remitod::sim {

/// Chances of one request to a carrier; at most one of them comes true.
struct WireFaults {
  double no_connection = 0;  ///< provably unsent
  double lost_request = 0;   ///< broken off before the carrier acted
  double lost_answer = 0;    ///< broken off after it acted
  double timeout = 0;        ///< it acted, and is not heard of
  double throttled = 0;      ///< 429 with a Retry-After, not acted
  double error_before = 0;   ///< 5xx, not acted
  double error_after = 0;    ///< 5xx, acted
  double html_page = 0;      ///< status 200, acted
  double truncated = 0;      ///< a body that ends early, acted
  double login_expired = 0;  ///< the carrier has forgotten who logged in
  double partial_batch = 0;  ///< of several shipments some are left out, and a stranger is put in
  std::chrono::microseconds latency_max{200'000};
  double outages_per_day = 0;  ///< nothing but no_connection, 503 or 429 for a while
  std::chrono::microseconds outage_max{0};
};

/// Chances of one parcel, unless it says otherwise.
struct DataFaults {
  double late_event = 0;  ///< of an event: published after what followed it
  double corrected = 0;   ///< delivered, and then not
  double unknown_code = 0;
  double reordered = 0;   ///< of an answer: its rows in any order
  double duplicated = 0;  ///< of an answer: rows twice
  double planned = 0;     ///< what is to come stands among what has happened
  bool volatile_envelope = false;
};

struct HostFaults {
  double crashes_per_day = 0;
  double reloads_per_day = 0;
  double clock_jumps_per_day = 0;
  std::chrono::microseconds clock_jump_max{0};
  double busy = 0;             ///< of a transaction: SQLITE_BUSY, from a real lock of
                               ///< another connection
  double unclear_commit = 0;   ///< of a transaction: committed, and reported as failed
  double outages_per_day = 0;  ///< the database is away
  std::chrono::microseconds outage_max{0};
  double disk_full_per_day = 0;
  double lost_wake = 0;  ///< of a row that the platform writes: nobody is told
};

/// Chances of one webhook.
struct ReceiverFaults {
  double error = 0;        ///< 5xx, not taken
  double error_after = 0;  ///< taken, and an error all the same
  double hangs = 0;        ///< taken or not, no answer
  double throttled = 0;    ///< 429 with a Retry-After
  double restarts_per_day = 0;
  std::chrono::microseconds restart_max{0};
};

/// Chances of one order.
struct OrderFaults {
  double cancelled = 0;  ///< it is no longer wanted
};

struct FaultPlan {
  WireFaults wire;
  DataFaults data;
  HostFaults host;
  ReceiverFaults receiver;
  OrderFaults orders;
  std::string to_string() const;  ///< only what is on
};

FaultPlan draw_plan(Dice dice);

}  // namespace remitod::sim
