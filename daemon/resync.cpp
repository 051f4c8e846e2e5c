#include "daemon/resync.h"

#include <algorithm>
#include <utility>

#include "daemon/log.h"

namespace remitod::daemon {
namespace {
constexpr std::size_t finished_max = 100;
}  // namespace

Resync::Resync(Runtime& runtime, db::Executor& executor, Poller& poller)
    : runtime_(runtime), executor_(executor), poller_(poller) {}

bool Resync::Active::done() const {
  return std::ranges::all_of(left, [](const auto& entry) { return entry.second.empty(); });
}

void Resync::begin(const db::ResyncRequest& request, std::vector<db::ResyncScope> scope) {
  if (!lanes_are_filled_) {
    waiting_.emplace_back(request, std::move(scope));
    return;
  }
  if (active_.contains(request.resync_id)) return;
  // Carried out, and the database did not hear of it.
  if (const auto done = finished_.find(request.resync_id); done != finished_.end()) return record(done->second);
  // What no lane holds here (its carrier is not configured) cannot be asked.
  std::erase_if(scope, [this](const db::ResyncScope& one) {
    const scheduler::Lane* lane = poller_.lane(one.carrier);
    return !lane || !lane->find(one.shipment_id);
  });
  Active& active = active_[request.resync_id];
  active.target = request.target.to_string();
  active.shipments = scope.size();
  for (const db::ResyncScope& one : scope) active.left[one.carrier].insert(one.shipment_id);
  log(Level::info, "resync_begun",
      {{"resync_id", request.resync_id}, {"target", active.target}, {"shipments", active.shipments}});
  if (scope.empty()) {
    const std::string& carrier = request.target.carrier;
    const bool known = carrier.empty() || poller_.lane(carrier);
    finish(request.resync_id, 0, active.target, known ? request.error : "no carrier \"" + carrier + "\" is configured");
    return;
  }
  poller_.mark_resync(scope);
}

void Resync::lanes_filled() {
  lanes_are_filled_ = true;
  for (auto& [request, scope] : std::exchange(waiting_, {})) begin(request, std::move(scope));
}

void Resync::answered(std::span<const std::int64_t> shipment_ids) {
  std::vector<std::int64_t> complete;
  for (auto& [resync_id, active] : active_) {
    for (auto& [carrier, left] : active.left)
      for (const std::int64_t shipment_id : shipment_ids) left.erase(shipment_id);
    if (active.done()) complete.push_back(resync_id);
  }
  for (const std::int64_t resync_id : complete) {
    const Active& active = active_.at(resync_id);
    finish(resync_id, active.shipments, active.target, "");
  }
}

void Resync::finish(std::int64_t resync_id, std::size_t shipments, std::string target, std::string error) {
  active_.erase(resync_id);
  log(Level::info, "resync_finished", {{"resync_id", resync_id}, {"target", target}, {"shipments", shipments}});
  Progress& finished = finished_[resync_id];
  finished = {resync_id, std::move(target), shipments, shipments, true, std::move(error), {}};
  record(finished);
  if (finished_.size() > finished_max) finished_.erase(finished_.begin());
}

void Resync::record(const Progress& finished) {
  executor_.run<bool>(
      [id = finished.resync_id, count = static_cast<std::int64_t>(finished.shipments), error = finished.error,
       now = runtime_.now()](db::Session& session) -> db::DbResult<bool> {
        auto recorded = db::finish_resync_request(session, id, count, error, now);
        if (!recorded) return std::unexpected(recorded.error());
        return true;
      },
      [id = finished.resync_id](db::DbResult<bool> result) {
        // The row stays unfinished: it is found again after the trouble, or by the next start, which carries it out
        // once more: that costs requests and loses nothing.
        if (!result) log(Level::warning, "resync_not_recorded", {{"resync_id", id}, {"error", result.error().message}});
      });
}

std::optional<Resync::Progress> Resync::progress(std::int64_t resync_id) const {
  if (const auto found = finished_.find(resync_id); found != finished_.end()) return found->second;
  const auto found = active_.find(resync_id);
  if (found == active_.end()) return std::nullopt;
  const Active& active = found->second;
  Progress progress{resync_id, active.target, active.shipments, active.shipments, false, {}, {}};
  for (const auto& [carrier, left] : active.left) {
    progress.done -= left.size();
    if (!left.empty()) progress.carriers.push_back(carrier);
  }
  return progress;
}

}  // namespace remitod::daemon
