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

/// From one carrier to the next: `step` calls what it is given when it is done with its carrier, and after the last one
/// `then` is called.
struct Walk {
  std::vector<std::string> carriers;
  std::function<void(const std::string& carrier, std::function<void()> next)> step;
  std::function<void()> then;
  std::size_t next = 0;
};

void go_on(const std::shared_ptr<Walk>& walk) {
  if (walk->next == walk->carriers.size()) return walk->then();
  walk->step(walk->carriers[walk->next++], [walk] { go_on(walk); });
}

std::vector<std::string> names_of(const std::vector<Poller::CarrierView>& carriers) {
  std::vector<std::string> names;
  for (const Poller::CarrierView& carrier : carriers) names.push_back(carrier.lane.config().carrier);
  return names;
}

}  // namespace

Housekeeping::Housekeeping(Runtime& runtime, db::Executor& executor, Poller& poller,
                           std::function<void()> transitions_written)
    : runtime_(runtime),
      executor_(executor),
      poller_(poller),
      checkpoints_(runtime, executor, poller),
      transitions_written_(std::move(transitions_written)) {}

void Housekeeping::round() {
  if (!lanes_are_filled_ || std::exchange(round_under_way_, true)) return;
  const auto step = [this](const std::string& carrier, std::function<void()> next) {
    checkpoints_.save(carrier, [this, carrier, next = std::move(next)] { end_finished(carrier, next); });
  };
  go_on(std::make_shared<Walk>(names_of(poller_.carriers()), step, [this] { round_under_way_ = false; }));
}

void Housekeeping::end_finished(const std::string& name, std::function<void()> then) {
  using Ids = std::vector<std::int64_t>;
  const auto carrier = poller_.carrier(name);
  if (!carrier) return then();
  const auto unheard = unheard_since_.find(name);
  const auto unheard_since = unheard == unheard_since_.end() ? std::nullopt : std::optional(unheard->second);
  executor_.run<Ids>(
      [rules = carrier->rules, unheard_since, now = runtime_.now()](db::Session& session) {
        auto ended = db::end_finished_shipments(session, rules, now, finished_per_round);
        if (ended && unheard_since)
          return db::shipments_ended_since(session, rules.carrier, std::min(*unheard_since, now));
        return ended;
      },
      [this, name, now = runtime_.now(), then = std::move(then)](const db::DbResult<Ids>& result) {
        ended(name, now, result);
        then();
      });
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
  if (!lanes_are_filled_) return then();
  const auto step = [this](const std::string& carrier, std::function<void()> next) {
    checkpoints_.save(carrier, std::move(next));
  };
  go_on(std::make_shared<Walk>(names_of(poller_.carriers()), step, std::move(then)));
}

}  // namespace remitod::daemon
