// What happened in a run, as one hash of all of it and the last events in words.
#pragma once

#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "carriers/tracking.h"

namespace remitod::sim {

/// Two runs of one seed end with the same hash, or something in the program is not deterministic.
class Trace {
 public:
  void add(Instant at, std::string_view what, std::string_view about) {
    mix(static_cast<std::uint64_t>(to_micros(at)));
    for (const char c : what) mix(static_cast<unsigned char>(c));
    for (const char c : about) mix(static_cast<unsigned char>(c));
    if (last_.size() == kept) last_.pop_front();
    last_.push_back({at, std::string(what), std::string(about)});
    ++events_;
  }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t events() const { return events_; }
  std::string last_events() const {
    std::string text;
    for (const Event& event : last_) text += "  " + to_iso8601(event.at) + " " + event.what + " " + event.about + "\n";
    return text;
  }

 private:
  struct Event {
    Instant at{};
    std::string what, about;
  };
  static constexpr std::size_t kept = 60;
  void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 1099511628211ULL; }

  std::uint64_t hash_ = 14695981039346656037ULL;
  std::uint64_t events_ = 0;
  std::deque<Event> last_;
};

/// A rule that does not hold. `check` is its name, as the mutations and the messages have it.
class BrokenCheck : public std::runtime_error {
 public:
  BrokenCheck(std::string check, const std::string& what) : std::runtime_error(what), check_(std::move(check)) {}
  const std::string& check() const { return check_; }

 private:
  std::string check_;
};

[[noreturn]] inline void broken(std::string check, const std::string& what) {
  throw BrokenCheck(std::move(check), what);
}

}  // namespace remitod::sim
