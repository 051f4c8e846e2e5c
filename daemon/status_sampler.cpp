#include "daemon/status_sampler.h"

#include <algorithm>
#include <utility>

namespace remitod::daemon {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds pause_min{10}, pause_max{300};
constexpr std::chrono::seconds pause_of_trouble{2};
// Longer than a reading takes behind the longest work of others. A database that hangs answers with no error.
constexpr std::chrono::seconds patience{20};
// So many times as long as a reading took nothing is read.
constexpr int pause_factor = 50;
// More in one pause than a burst of batches brings; what is left is told by the next readings.
constexpr std::size_t detections_max = 10'000;

}  // namespace

StatusSampler::StatusSampler(Runtime& runtime, db::Executor& executor, Detected detected)
    : runtime_(runtime),
      executor_(executor),
      detected_(std::move(detected)),
      alarm_(runtime.alarm([this] { read(); })),
      late_(runtime.alarm([this] { answers_ = false; })) {}

void StatusSampler::start() {
  read();
}

db::DbResult<StatusSampler::Reading> StatusSampler::read_from(db::Session& session,
                                                              std::optional<std::int64_t> after_seq) {
  Reading reading;
  auto rows = read_status_rows(session);
  if (!rows) return std::unexpected(rows.error());
  auto unmapped = db::count_unmapped(session);
  if (!unmapped) return std::unexpected(unmapped.error());
  auto detections = db::detections_after(session, after_seq.value_or(rows->overview.last_seq), detections_max);
  if (!detections) return std::unexpected(detections.error());
  reading.sample.rows = std::move(*rows);
  reading.sample.unmapped = std::move(*unmapped);
  reading.detections = std::move(*detections);
  return reading;
}

void StatusSampler::read() {
  late_->set(runtime_.in(patience));
  executor_.run<Reading>(
      [after_seq = detected_seq_](db::Session& session) { return read_from(session, after_seq); },
      [this, begun = steady_clock::now()](db::DbResult<Reading> reading) {
        late_->cancel();
        answers_ = reading.has_value();
        if (!reading) return alarm_->set(runtime_.in(pause_of_trouble));
        last_ = std::move(reading->sample);
        last_->at = runtime_.now();
        last_->took = duration_cast<microseconds>(steady_clock::now() - begun);
        if (!detected_seq_) detected_seq_ = last_->rows.overview.last_seq;
        if (!reading->detections.empty()) detected_seq_ = reading->detections.back().seq;
        detected_(reading->detections);
        alarm_->set(runtime_.in(std::clamp<microseconds>(last_->took * pause_factor, pause_min, pause_max)));
      });
}

}  // namespace remitod::daemon
