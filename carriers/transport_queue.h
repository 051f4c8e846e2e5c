// What waits in front of a transport, and what may go next. Pure: `now` is an argument. Private to carriers/; one
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <list>
#include <optional>
#include <vector>

#include "carriers/transport.h"

namespace remitod::carriers {

struct Submission {
  HttpRequest request;
  HttpTransport::Done done;
};

struct Completion {
  HttpTransport::Done done;
  FetchResult result;
};

/// Requests of the same TransportOptions stand in one line and leave it in the order in which they came, at most
/// connections_per_host_max of them at a time; the lines take turns for the places that they share.
class TransportQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit TransportQueue(std::size_t in_flight_max) : in_flight_max_(in_flight_max) {}

  /// The request's deadline is `now` + its total_timeout.
  void push(Submission&& submission, Time now);

  struct Next {
    Submission submission;
    Time deadline;
  };
  /// The next that may go, if any. It has its place until release().
  std::optional<Next> pop();
  void release(const TransportOptions& options);
  bool can_pop() const;
  std::size_t in_flight() const { return in_flight_; }

  /// Answers those whose deadline passed before they had their turn.
  void expire(Time now, std::vector<Completion>& into);
  /// Nothing expires before; absent when nothing waits.
  std::optional<Time> next_expiry() const;
  /// Answers all that wait with FetchError::Kind::stopped.
  void stop(std::vector<Completion>& into);

 private:
  /// Is there as long as one of its requests waits or runs, and they keep the options alive.
  struct Line {
    explicit Line(const TransportOptions& of) : options(&of) {}
    bool can_pop() const;

    const TransportOptions* options;
    std::deque<Next> waiting;
    std::size_t running = 0;
  };
  std::list<Line>::iterator line_of(const TransportOptions& options);

  std::size_t in_flight_max_;
  std::size_t in_flight_ = 0;
  std::size_t waiting_ = 0;  ///< in all lines
  Time next_expiry_{};       ///< a lower bound, so that expire() need not look most of the time
  std::list<Line> lines_;    ///< the one whose turn is longest ago first
};

}  // namespace remitod::carriers
