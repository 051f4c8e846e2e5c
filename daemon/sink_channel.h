// The way to one receiver: an URL, or a command. The order of letters, their attempts and their memory are others'
// business (sink_worker.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace remitod::daemon {

struct SinkMessage {
  std::string id;    ///< the same in every attempt
  std::string body;  ///< one line
};

/// What became of one attempt.
struct SinkOutcome {
  enum class Kind : std::uint8_t {
    delivered,
    failed,
    gone,  ///< the receiver wants no more of anything (410)
  };
  Kind kind = Kind::failed;
  std::string why = {};
  /// The receiver wants nothing before that.
  std::optional<std::chrono::seconds> retry_after = {};
};

class SinkChannel {
 public:
  using Done = std::move_only_function<void(SinkOutcome)>;
  /// Attempts that are under way may end unanswered.
  virtual ~SinkChannel() = default;
  /// Never blocks and never calls `done` from inside this call. Calls it once, within the channel's time limit, on the
  /// deciding thread, as this is.
  virtual void send(SinkMessage message, Done done) = 0;
};

}  // namespace remitod::daemon
