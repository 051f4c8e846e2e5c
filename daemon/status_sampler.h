// What the database has to say for the listener, read now and then instead of at each request: whoever asks often, or
// many who ask, cost the database nothing. With a million shipments one reading takes it a second, so the next one
// waits until that is a small part of its time. Belongs to the deciding thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "daemon/runtime.h"
#include "daemon/status_report.h"
#include "db/executor.h"
#include "db/gauges.h"

namespace remitod::daemon {

class StatusSampler {
 public:
  struct Sample {
    StatusRows rows;
    std::vector<db::UnmappedCount> unmapped;
    Instant at{};
    std::chrono::microseconds took{0};  ///< until it was read, the wait for its turn included
  };
  /// `detected` is told of each transition that got its seq since the start, once.
  using Detected = std::function<void(std::span<const db::Detection>)>;
  StatusSampler(Runtime& runtime, db::Executor& executor, Detected detected);
  /// Reads at once, and from then on.
  void start();

  /// The last one, however old; nothing before the first.
  const std::optional<Sample>& last() const { return last_; }
  /// The last time that it was asked. It does not either while a reading takes so long that it may never end.
  bool database_answers() const { return answers_; }

 private:
  struct Reading {
    Sample sample;
    std::vector<db::Detection> detections;
  };
  static db::DbResult<Reading> read_from(db::Session& session, std::optional<std::int64_t> after_seq);
  void read();

  Runtime& runtime_;
  db::Executor& executor_;
  Detected detected_;
  std::optional<std::int64_t> detected_seq_;  ///< the last that was told
  std::unique_ptr<Alarm> alarm_, late_;
  std::optional<Sample> last_;
  bool answers_ = false;
};

}  // namespace remitod::daemon
