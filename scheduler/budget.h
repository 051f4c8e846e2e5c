// Turns a budget into prices: how many minutes of delay a poll, and a request, are worth. The prices are the only knob
// of the schedule; this turns it until what is spent is what may be spent.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "scheduler/moments.h"
#include "scheduler/schedule_config.h"

namespace remitod::scheduler {

/// Minutes of delay of one status. A request costs `request` beside the polls that it carries.
struct Prices {
  double poll = 1;
  double request = 0;
  /// How much of its interval a shipment may be asked too early in order to fill a request: that costs this share of a
  /// poll, and saves as much of a request as one of `batch_max` shipments is.
  double early_share(int batch_max) const { return request / (poll * batch_max); }
  friend bool operator==(const Prices&, const Prices&) = default;
};

/// One for all carriers that share a budget. Driven by the hour; its thread is its owner's.
class Budget {
 public:
  struct Period {
    double polls = 0, requests = 0, polls_allowed = 0, requests_allowed = 0;
    double seen = 0, delay = 0;  ///< statuses, and the sum of how late each was, in minutes
    Period& operator+=(const Period& more);
    friend bool operator==(const Period&, const Period&) = default;
  };
  /// A budget without share and number is all that the hourly pull would spend.
  Budget(const ScheduleConfig::Budget& budget, int batch_max, Second now);

  /// Once an hour: what the hourly pull would have asked in it.
  void add_hourly(double polls, double requests);
  /// What was asked.
  void add_used(double polls, double requests);
  /// Of a status that was seen: how late, as far as can be told. What a target for the delay is held to.
  void add_delay(double minutes);
  /// Moves the prices every six hours; at other times it does nothing.
  void adjust(Second now);
  /// It does not wait until the clock has come so far again.
  void clock_set_back(Second now);

  const Prices& prices() const { return prices_; }
  /// Before anything is known of a carrier: each shipment is asked about so often, in seconds.
  Second even_interval() const;
  /// Sets out: `rate` is how many statuses a shipment gets a minute, on average. Only the first call counts.
  void start_from(double rate);
  bool started() const { return started_; }

  /// The last two days, with what belongs to no whole period yet.
  Period spent() const;
  /// The last 18 to 24 hours of them.
  Period spent_lately() const;

  /// What outlives a restart.
  struct State {
    bool started = false;
    Prices prices;
    double polls_owed = 0, requests_owed = 0;
    Second next = 0;
    Period current;
    std::vector<Period> recent;
    friend bool operator==(const State&, const State&) = default;
  };
  State state() const;
  void restore(const State& state);

 private:
  void hold_to_delay(const Period& sum, double exponent);
  void pay(const Period& period);

  ScheduleConfig::Budget budget_;
  int batch_max_;
  Prices prices_;
  bool started_ = false;
  Second next_ = 0;
  Period current_;
  std::deque<Period> recent_;
  double polls_owed_ = 0, requests_owed_ = 0;  ///< spent beyond what was allowed; negative: saved
};

}  // namespace remitod::scheduler
