#include "daemon/housekeeping.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/log.h"
#include "db/stores.h"
#include "db/unheard_commits.h"

namespace remitod::daemon {
namespace {
constexpr std::size_t finished_per_round = 5000;
}  // namespace

Housekeeping::Housekeeping(Runtime& runtime, db::Executor& executor, Poller& poller,
                           std::function<void()> transitions_written)
    : runtime_(runtime),
      executor_(executor),
      poller_(poller),
      checkpoints_(runtime, executor, poller),
      transitions_written_(std::move(transitions_written)) {}

void Housekeeping::round() {
  if (!lanes_are_filled_) return;
  for (const Poller::CarrierView& carrier : poller_.carriers()) {
    checkpoints_.save(carrier.lane.config().carrier, [] {});
    end_finished(carrier);
  }
}

void Housekeeping::end_finished(const Poller::CarrierView& carrier) {
  using Ids = std::vector<std::int64_t>;
  const std::string& name = carrier.lane.config().carrier;
  const auto unheard = unheard_since_.find(name);
  const auto unheard_since = unheard == unheard_since_.end() ? std::nullopt : std::optional(unheard->second);
  executor_.run<Ids>(
      [rules = carrier.rules, unheard_since, now = runtime_.now()](db::Session& session) {
        auto ended = db::end_finished_shipments(session, rules, now, finished_per_round);
        if (ended && unheard_since)
          return db::shipments_ended_since(session, rules.carrier, std::min(*unheard_since, now));
        return ended;
      },
      [this, name, now = runtime_.now()](const db::DbResult<Ids>& result) { ended(name, now, result); });
}

void Housekeeping::ended(const std::string& carrier, Instant begun,
                         const db::DbResult<std::vector<std::int64_t>>& result) {
  if (!result) {
    log(Level::warning, "ends_delayed", {{"carrier", carrier}, {"error", result.error().message}});
    unheard_since_.try_emplace(carrier, begun);
    return;
  }
  unheard_since_.erase(carrier);
  if (result->empty()) return;
  poller_.remove(carrier, *result);
  transitions_written_();
}

void Housekeeping::save_checkpoints(std::function<void()> then) {
  const auto views = poller_.carriers();
  if (views.empty() || !lanes_are_filled_) return then();
  const auto left = std::make_shared<std::size_t>(views.size());
  for (const Poller::CarrierView& carrier : views)
    checkpoints_.save(carrier.lane.config().carrier, [left, then] {
      if (--*left == 0) then();
    });
}

}  // namespace remitod::daemon
