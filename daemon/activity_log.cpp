#include "daemon/activity_log.h"

namespace remitod::daemon {

void ActivityLog::note(std::string_view carrier, const Counts& total, Instant now) {
  auto found = carriers_.find(carrier);
  if (found == carriers_.end()) found = carriers_.emplace(carrier, Carrier{}).first;
  Carrier& known = found->second;
  const Instant begins_at = std::chrono::floor<std::chrono::minutes>(now) -
                            std::chrono::floor<std::chrono::minutes>(now).time_since_epoch() % span_length;
  while (!known.spans.empty() && known.spans.front().begins_at <= begins_at - kept) known.spans.pop_front();
  if (total == known.total) return;
  // A clock that was set back adds to the newest span there is.
  if (known.spans.empty() || known.spans.back().begins_at < begins_at) known.spans.push_back({begins_at, {}});
  Counts& counts = known.spans.back().counts;
  counts.requests += total.requests - known.total.requests;
  counts.polls += total.polls - known.total.polls;
  counts.failed_requests += total.failed_requests - known.total.failed_requests;
  counts.transitions += total.transitions - known.total.transitions;
  known.total = total;
}

const std::deque<ActivityLog::Span>& ActivityLog::of(std::string_view carrier) const {
  static const std::deque<Span> nothing;
  const auto found = carriers_.find(carrier);
  return found == carriers_.end() ? nothing : found->second.spans;
}

}  // namespace remitod::daemon
