// A carrier of the simulation: it holds the truth, answers in the wire format of a built-in profile, and watches what
// it is asked.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/lane.h"
#include "tests/sim/dice.h"
#include "tests/sim/fault_plan.h"
#include "tests/sim/parcel.h"
#include "tests/sim/wire.h"

namespace remitod::sim {

/// What a carrier lets its customers do, and whether they keep to it.
class LimitWatch {
 public:
  struct Limits {
    double requests_per_second = 1;
    std::optional<int> requests_per_minute, requests_per_hour;
    int concurrency = 1;
  };
  explicit LimitWatch(Limits limits) : limits_(limits) {}
  /// Broken checks: rate, quota, concurrency. A login goes out at once, and so does what it held up when it has ended;
  /// what these took of the rate is waited for later (daemon/README.md, A session).
  void begun(Instant now, const std::string& carrier, bool is_login);
  void ended(Instant now, bool is_login);
  /// The session of a question besides the polls was not taken: it is sent once more at once, or after a login.
  void is_sent_again(Instant now);
  void connections_lost() { under_way_ = 0; }
  /// The daemon's clock was set forward: it cannot know that the hour did not pass, so what was asked before counts no
  /// more.
  void clock_was_set();
  const Limits& limits() const { return limits_; }

 private:
  void count_window(std::deque<Instant>& asked, std::optional<int> most, std::chrono::microseconds period, Instant now,
                    const std::string& what) const;

  Limits limits_;
  double level_ = 0;  ///< of a bucket that leaks requests_per_second
  double lent_ = 0;   ///< to logins and to what is sent once more, until all is paid
  Instant level_at_{};
  Instant let_go_at_{};  ///< what was lent, or waited for a login, may go out in this moment
  std::deque<Instant> minute_, hour_;
  int under_way_ = 0;
};

class Carrier {
 public:
  Carrier(std::string name, Habit habit, LimitWatch::Limits limits, const DataFaults& faults, Dice dice);

  const std::string& name() const { return name_; }
  Habit habit() const { return habit_; }
  LimitWatch& watch() { return watch_; }
  const LimitWatch& watch() const { return watch_; }

  /// A parcel that a customer of ours sends without our doing.
  void take_in(const std::string& remito, Instant entered);
  /// It acts as the request says, and answers.
  struct Reply {
    carriers::FetchResult result;
    bool to_the_point = true;  ///< it tells what was asked, and not of a session that has ended
  };
  Reply act(const Request& request, Instant now);
  /// It has forgotten who has logged in.
  void forget_sessions() { ++sessions_; }
  /// Its systems stand still from then on: what is published by then is all that there is.
  void freeze(Instant now) { frozen_at_ = now; }
  /// A mutation: it shows what it plans as if it had happened.
  void date_plans_back() { dates_plans_back_ = true; }

  /// What it would show of it then; nothing of a parcel that it does not know.
  std::vector<TrueEvent> published(const std::string& remito, Instant now) const;
  /// The numbers of the shipments that were made under this reference; more than one is what must never be.
  std::vector<std::string> made(const std::string& reference) const;
  bool is_cancelled(const std::string& remito) const;  ///< because we asked for it
  static bool refuses(const std::string& order_number);
  /// What an order is named by at this carrier: our reference, or the order's number.
  const std::string& reference_of(const std::string& client_ref, const std::string& order_number) const;
  bool can_create() const { return name_ != "correios"; }
  bool can_cancel() const { return name_ == "expreso" || name_ == "llave"; }
  /// It promises to find what it has made, or to make one shipment for one key.
  bool can_be_asked_again() const { return name_ == "expreso" || name_ == "llave"; }

 private:
  struct Made {
    std::string remito;
    Instant at{};
    Instant found_from{};  ///< as it has promised
  };
  carriers::FetchResult answer(const Request& request, Instant now);
  carriers::FetchResult create(const Request& request, Instant now);
  carriers::FetchResult find(const std::string& reference, Instant now) const;
  carriers::FetchResult cancel(const std::string& remito, Instant now);
  const std::string& make(const std::string& reference, Instant now);
  std::vector<test::WireEvent> shown(const std::string& remito, Instant now);

  std::string name_;
  Habit habit_;
  LimitWatch watch_;
  const DataFaults& faults_;
  Dice parcel_dice_, answer_dice_;
  std::map<std::string, Parcel> parcels_;          ///< by remito
  std::map<std::string, std::vector<Made>> made_;  ///< by reference
  std::optional<Instant> frozen_at_;
  bool dates_plans_back_ = false;
  std::uint64_t answers_ = 0, numbers_given_ = 0, sessions_ = 1;
};

}  // namespace remitod::sim
