// Which letter of a sink is sent when: a state machine over what is held of them in memory. Pure: `now` and the seed
// are arguments; no store, no network.
//
// Letters of one order key are sent one after the other, by seq; those of different keys side by side. A letter that
// fails is tried again along the sink's retries, and holds up its key until it is delivered or dead. What is not yet
// delivered is either behind the cursor with a row of its own, or ahead of the cursor: take_changes() says which.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carriers/tracking.h"
#include "db/sinks.h"
#include "scheduler/breaker.h"

namespace remitod::daemon {

/// The schedule that Standard Webhooks recommends: after the first attempt so many more, over three days.
std::vector<std::chrono::milliseconds> standard_retries();

/// The pause after attempt number `attempts` (1, 2, ...), or nothing: that was the last one. Anywhere between the step
/// before and its own, so that letters which failed together do not come back together, while each step is still a
/// longer wait than the last: with a draw from zero on, some would have spent all attempts within the hour.
std::optional<std::chrono::microseconds> retry_pause(std::span<const std::chrono::milliseconds> retries, int attempts,
                                                     scheduler::Jitter& jitter);

class SinkQueue {
 public:
  struct Settings {
    std::size_t concurrency = 1;
    std::vector<std::chrono::milliseconds> retries;  ///< attempts after the first; more follow no failure
  };
  /// A Retry-After is cut to this.
  static constexpr std::chrono::hours retry_after_max{1};
  /// So many failures in a row, and the next delivery says that the receiver is back: then all that waits for its next
  /// attempt is tried at once, besides and without counting. A receiver that was away for two hours is so made good in
  /// a minute, and not five hours later. Failures from before a restart, which letters bring with them, are of the row.
  static constexpr int failures_of_an_outage = 3;
  static constexpr std::chrono::minutes probe_first{1}, probe_max{15};

  SinkQueue(Settings settings, std::int64_t cursor_seq, std::uint64_t seed);

  struct Letter {
    std::int64_t seq = 0;
    std::string key;
    int attempts = 0;
    std::optional<Instant> next_try_at;  ///< absent: it has no row
  };
  /// A letter that is here already takes over what its row says, unless it is being sent or has news of its own.
  void add(const Letter& letter, Instant now);
  /// There is a transition of this seq that is not to be sent (again).
  void pass_over(std::int64_t seq);

  /// Those to be sent now, which are then in flight.
  std::vector<std::int64_t> start(Instant now);
  void delivered(std::int64_t seq, Instant now);
  enum class Failure : std::uint8_t { again, dead };
  Failure failed(std::int64_t seq, std::string error, std::optional<std::chrono::seconds> retry_after, Instant now);
  /// It was in flight, and nothing can be said of it.
  void put_back(std::int64_t seq, Instant now);

  /// When start() has something to give, if ever.
  std::optional<Instant> next_start() const;

  bool changed() const { return changed_; }
  /// What has to be written since the last call.
  db::SinkChanges take_changes();

  std::size_t size() const { return letters_.size(); }
  std::size_t without_row() const { return without_row_.size(); }
  std::size_t in_flight() const { return in_flight_; }
  std::int64_t last_seq() const { return last_seq_; }  ///< the last transition that was looked at
  int attempts(std::int64_t seq) const { return letters_.at(seq).attempts; }
  Instant resting_until() const { return resting_until_; }

 private:
  struct Held {
    std::string key;
    int attempts = 0;
    Instant due{};        ///< when it is tried next
    Instant scheduled{};  ///< the same by the retries; later than `due` for an attempt besides
    std::optional<Instant> failed_at;
    std::string error;
    bool in_flight = false;
    bool has_news = false;  ///< its row is to be written
  };
  struct Chain {
    std::set<std::int64_t> seqs;
    bool in_flight = false;
  };
  /// A clock that was set back takes all moments with it: what was to be sent now is not sent an hour later.
  void keep_up_with(Instant now);
  /// Around every change of a chain: its head is in `ready_`, unless one of it is in flight.
  void unready(const Chain& chain);
  void ready(const Chain& chain);
  void land(std::int64_t seq);
  void remove(std::int64_t seq);
  void try_all_again(Instant now);
  /// When one that waits is tried besides, to see whether the receiver is back; never where it is not away.
  std::optional<Instant> next_probe() const;
  std::chrono::microseconds longest_pause() const;
  bool is_held_up(std::int64_t seq, const Held& letter) const;

  const Settings settings_;
  scheduler::Jitter jitter_;
  std::map<std::int64_t, Held> letters_;
  std::map<std::string, Chain, std::less<>> chains_;
  std::set<std::pair<Instant, std::int64_t>> ready_;  ///< heads of chains, by `due`
  std::set<std::int64_t> without_row_;                ///< these hold the cursor
  db::SinkChanges changes_;                           ///< deliveries and deaths
  std::int64_t last_seq_;
  Instant resting_until_{};
  Instant latest_{};  ///< the last `now`
  std::size_t in_flight_ = 0;
  int failures_in_row_ = 0;
  int probes_in_row_ = 0;                      ///< of an outage
  Instant last_failure_{};                     ///< or probe, or when the first letter came
  std::pair<Instant, std::int64_t> probed_{};  ///< the last one: another has its turn next
  bool changed_ = false;
};

}  // namespace remitod::daemon
