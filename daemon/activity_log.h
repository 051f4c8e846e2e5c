// What carriers were asked and what that brought, in spans of five minutes over the last day, for the page's charts.
// Made of counters that go up; since the start of the daemon. Spans in which nothing happened take no room.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "carriers/tracking.h"

namespace remitod::daemon {

class ActivityLog {
 public:
  static constexpr std::chrono::minutes span_length{5};
  static constexpr std::chrono::hours kept{24};

  struct Counts {
    std::uint64_t requests = 0, polls = 0, failed_requests = 0, transitions = 0;
    friend bool operator==(const Counts&, const Counts&) = default;
  };
  struct Span {
    Instant begins_at{};
    Counts counts;
    friend bool operator==(const Span&, const Span&) = default;
  };

  /// `total` since the start. What has come since the last time belongs to the span of `now`.
  void note(std::string_view carrier, const Counts& total, Instant now);
  /// The oldest first; empty for a carrier that nothing was noted of.
  const std::deque<Span>& of(std::string_view carrier) const;

 private:
  struct Carrier {
    Counts total;
    std::deque<Span> spans;
  };
  std::map<std::string, Carrier, std::less<>> carriers_;
};

}  // namespace remitod::daemon
